"""Mailboxes, their recovery methods and app passwords, with the vendor's quirks.

Codes that nobody has seen from the real service are guesses in its style; a client
must not branch on them.
"""

from __future__ import annotations

import secrets
import uuid
from typing import Any

from purelymanage.purelymail.sandbox.fields import Fields, Refused
from purelymanage.purelymail.sandbox.state import (
    SHARED_DOMAINS,
    AppPassword,
    ResetMethod,
    Secret,
    State,
    User,
)

LIST_CAP = 1_000
# Of app passwords: none that look alike.
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def create_user(state: State, fields: Fields) -> dict[str, Any]:
    domain = fields.text("domainName").lower()
    address = _checked_address(state, fields.text("userName"), domain)
    user = User(id=uuid.uuid4().hex, password=Secret.of(_password(fields, "password")))
    user.password_reset = fields.optional_flag("enablePasswordReset") is not False
    user.search_indexing = fields.optional_flag("enableSearchIndexing") is not False
    for kind in ("email", "phone"):
        key = f"recovery{kind.capitalize()}"
        if target := fields.optional_text(key):
            description = fields.optional_text(f"{key}Description") or ""
            user.reset_methods.append(ResetMethod(kind, target, description))
    state.users[address] = user
    return {}


def delete_user(state: State, fields: Fields) -> dict[str, Any]:
    address, _ = _named(state, fields)
    del state.users[address]
    return {}


def list_user(state: State, fields: Fields) -> dict[str, Any]:
    """Return the addresses; there is no way past the cap."""
    return {"users": sorted(state.users)[:LIST_CAP]}


def get_user(state: State, fields: Fields) -> dict[str, Any]:
    """Return the flags; what is written as enablePasswordReset reads differently."""
    _, user = _named(state, fields)
    return {
        "enableSearchIndexing": user.search_indexing,
        "recoveryEnabled": user.password_reset,
        "requireTwoFactorAuthentication": user.two_factor,
        "enableSpamFiltering": user.spam_filtering,
        "resetMethods": [method.as_answer() for method in user.reset_methods],
    }


def modify_user(state: State, fields: Fields) -> dict[str, Any]:
    """Change what is named. A field called `password` is unknown, hence ignored."""
    address, user = _named(state, fields)
    new_address = fields.optional_text("newUserName")
    new_password = None
    if fields.optional_text("newPassword") is not None:
        new_password = _password(fields, "newPassword")
    search_indexing = fields.optional_flag("enableSearchIndexing")
    password_reset = fields.optional_flag("enablePasswordReset")
    two_factor = fields.optional_flag("requireTwoFactorAuthentication")

    # Every refusal comes before the first change.
    if password_reset and not user.password_reset and new_password is None:
        message = "A password is needed to enable password reset."
        raise Refused("passwordRequired", message)
    if two_factor and not user.reset_methods:
        message = "Two factor authentication needs a password reset method."
        raise Refused("resetMethodRequired", message)
    if new_address is not None and new_address.lower() != address:
        local, at, domain = new_address.rpartition("@")
        if not at:
            raise Refused("invalidUserName", "The new user name must be an address.")
        renamed = _checked_address(state, local, domain.lower())
        state.users[renamed] = state.users.pop(address)

    if new_password is not None:
        user.password = Secret.of(new_password)
    if search_indexing is not None:
        user.search_indexing = search_indexing
    if password_reset is not None:
        user.password_reset = password_reset
    if two_factor is not None:
        user.two_factor = two_factor
    return {}


def upsert_password_reset(state: State, fields: Fields) -> dict[str, Any]:
    _, user = _named(state, fields)
    kind, target = fields.text("type"), fields.text("target")
    if kind not in {"email", "phone"} or not target:
        raise Refused("badRequest", "The reset method is not valid.")
    existing = fields.optional_text("existingTarget") or target
    method = next((it for it in user.reset_methods if it.target == existing), None)
    if method is None:
        if existing != target:
            raise Refused("notFound", "No such password reset method.")
        method = ResetMethod(kind, target)
        user.reset_methods.append(method)
    method.type, method.target = kind, target
    method.description = fields.optional_text("description") or ""
    method.allow_mfa_reset = fields.optional_flag("allowMfaReset") is not False
    return {}


def delete_password_reset(state: State, fields: Fields) -> dict[str, Any]:
    """Remove one method, or all of them where no target is given."""
    _, user = _named(state, fields)
    target = fields.optional_text("target")
    left = [it for it in user.reset_methods if target and it.target != target]
    if target and len(left) == len(user.reset_methods):
        raise Refused("notFound", "No such password reset method.")
    if user.two_factor and not left:
        message = "Two factor authentication needs a password reset method."
        raise Refused("resetMethodRequired", message)
    user.reset_methods = left
    return {}


def list_password_reset(state: State, fields: Fields) -> dict[str, Any]:
    """Return the methods under the name the vendor gave them: users."""
    _, user = _named(state, fields)
    return {"users": [method.as_answer() for method in user.reset_methods]}


def create_app_password(state: State, fields: Fields) -> dict[str, Any]:
    _, user = _named(state, fields, key="userHandle")
    groups = ("".join(secrets.choice(LETTERS) for _ in range(5)) for _ in range(4))
    plain = "-".join(groups)
    name = fields.optional_text("name") or ""
    user.app_passwords.append(AppPassword(name, Secret.of(plain)))
    return {"appPassword": plain}


def delete_app_password(state: State, fields: Fields) -> dict[str, Any]:
    _, user = _named(state, fields)
    plain = fields.text("appPassword")
    left = [it for it in user.app_passwords if not it.secret.matches(plain)]
    if len(left) == len(user.app_passwords):
        raise Refused("notFound", "No such app password.")
    user.app_passwords = left
    return {}


def _named(state: State, fields: Fields, key: str = "userName") -> tuple[str, User]:
    address = fields.text(key).lower()
    if address not in state.users:
        raise Refused("noSuchUser", "User does not exist.")
    return address, state.users[address]


def _password(fields: Fields, name: str) -> str:
    password = fields.text(name)
    if not password:
        raise Refused("badRequest", "The password must not be empty.")
    return password


def _checked_address(state: State, local: str, domain: str) -> str:
    local = local.lower()
    if domain in SHARED_DOMAINS:
        subaddressing = True
    elif domain in state.domains:
        subaddressing = state.domains[domain].symbolic_subaddressing
    else:
        raise Refused("noSuchDomain", "Domain does not exist.")
    if not local or "@" in local or any(it.isspace() for it in local):
        raise Refused("invalidUserName", "User name is not valid.")
    if subaddressing and not local.isalnum():
        message = "User names cannot have symbols while symbolic subaddressing is on."
        raise Refused("invalidUserName", message)
    address = f"{local}@{domain}"
    if address in state.users:
        raise Refused("userExists", "User already exists.")
    return address
