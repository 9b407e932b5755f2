from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

import requests
from django.conf import settings
from urllib3.exceptions import NewConnectionError

from purelymanage.purelymail import budget, types
from purelymanage.purelymail.errors import (
    NoToken,
    NotSent,
    Rejected,
    Unavailable,
    Unreadable,
)

logger = logging.getLogger(__name__)

TIMEOUT = 30.0  # for a call with all its attempts, in seconds
PATIENCE = 10.0  # how long somebody in front of a page waits for the budget
PAUSES = (0.25, 1.0)  # before a read is tried again
LARGEST_ANSWER = 4 * 1024 * 1024
LONGEST_MESSAGE = 400
UNREADABLE = (
    "PurelyMail gave an answer that cannot be read. Try again in a few minutes."
)
FAILED = (
    "PurelyMail was reached and answered with an error (HTTP {}). Try again in a few "
    "minutes."
)

READS = frozenset(
    {
        "listUser",
        "getUser",
        "listPasswordReset",
        "listRoutingRules",
        "getOwnershipCode",
        "listDomains",
        "checkAccountCredit",
    }
)

T = TypeVar("T")


class PurelymailClient:
    """The 19 operations of PurelyMail's API, one method each.

    Every method raises `Rejected` or `Unavailable`. Believe a write only after reading
    back: PurelyMail answers "success" to fields it does not know.
    """

    def __init__(
        self,
        token: str,
        *,
        base_url: str,
        patience: float = PATIENCE,
        timeout: float | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._patience = patience
        self._timeout = min(timeout or TIMEOUT, TIMEOUT)
        self._http = requests.Session()
        self._http.headers["Purelymail-Api-Token"] = token

    # Mailboxes

    def list_users(self) -> list[str]:
        """Return the addresses of all mailboxes, at most 1,000 of them."""
        return self._call(
            "listUser", lambda it: list(map(types.address, types.items(it, "users")))
        )

    def get_user(self, address: str) -> types.UserDetails:
        return self._call("getUser", types.UserDetails.from_answer, userName=address)

    def create_user(
        self,
        address: str,
        password: str,
        *,
        enable_password_reset: bool = True,
        enable_search_indexing: bool = True,
        send_welcome_email: bool = True,
        recovery_email: str = "",
        recovery_phone: str = "",
    ) -> None:
        local, _, domain = address.rpartition("@")
        self._do(
            "createUser",
            userName=local,
            domainName=domain,
            password=password,
            enablePasswordReset=enable_password_reset,
            enableSearchIndexing=enable_search_indexing,
            sendWelcomeEmail=send_welcome_email,
            recoveryEmail=recovery_email or None,
            recoveryPhone=recovery_phone or None,
        )

    def modify_user(
        self,
        address: str,
        *,
        new_address: str | None = None,
        new_password: str | None = None,
        enable_search_indexing: bool | None = None,
        enable_password_reset: bool | None = None,
        require_two_factor: bool | None = None,
    ) -> None:
        """Change what is not `None`."""
        self._do(
            "modifyUser",
            userName=address,
            newUserName=new_address,
            newPassword=new_password,
            enableSearchIndexing=enable_search_indexing,
            enablePasswordReset=enable_password_reset,
            requireTwoFactorAuthentication=require_two_factor,
        )

    def delete_user(self, address: str) -> None:
        """Delete a mailbox and all mail in it. There is no undo."""
        self._do("deleteUser", userName=address)

    # Recovery methods and app passwords

    def list_password_resets(self, address: str) -> list[types.RecoveryMethod]:
        def methods(answer: types.Answer) -> list[types.RecoveryMethod]:
            # Misnamed by PurelyMail: these are no users.
            found = types.items(answer, "users")
            return list(map(types.RecoveryMethod.from_answer, found))

        return self._call("listPasswordReset", methods, userName=address)

    def upsert_password_reset(
        self,
        address: str,
        *,
        type: str,
        target: str,
        existing_target: str | None = None,
        description: str = "",
        allow_mfa_reset: bool = True,
    ) -> None:
        """Add a recovery method, or change the one that `existing_target` names."""
        self._do(
            "upsertPasswordReset",
            userName=address,
            type=type,
            target=target,
            existingTarget=existing_target,
            description=description,
            allowMfaReset=allow_mfa_reset,
        )

    def delete_password_reset(self, address: str, target: str) -> None:
        """Remove one recovery method. Without a target it may be all of them."""
        if not target:
            raise ValueError("A recovery method must be named.")
        self._do("deletePasswordReset", userName=address, target=target)

    def create_app_password(self, address: str, name: str = "") -> str:
        """Return a new app password. It cannot be read again, only deleted."""
        return self._call(
            "createAppPassword",
            lambda it: types.text(it, "appPassword"),
            userHandle=address,
            name=name,
        )

    def delete_app_password(self, address: str, app_password: str) -> None:
        self._do("deleteAppPassword", userName=address, appPassword=app_password)

    # Routing

    def list_routing_rules(self) -> list[types.Rule]:
        return self._call(
            "listRoutingRules",
            lambda it: list(map(types.Rule.from_answer, types.items(it, "rules"))),
        )

    def create_routing_rule(
        self,
        domain: str,
        *,
        match_user: str,
        prefix: bool,
        catchall: bool,
        targets: list[str],
    ) -> None:
        """Add a rule. Its id is not told; list the rules to find it."""
        self._do(
            "createRoutingRule",
            domainName=domain,
            matchUser=match_user,
            prefix=prefix,
            catchall=catchall,
            targetAddresses=targets,
        )

    def delete_routing_rule(self, rule_id: int) -> None:
        self._do("deleteRoutingRule", routingRuleId=rule_id)

    # Domains and the account

    def get_ownership_code(self) -> str:
        """Return the TXT record that proves whose a domain is, the same for each."""
        return self._call("getOwnershipCode", lambda it: types.text(it, "code"))

    def list_domains(self, *, include_shared: bool = False) -> list[types.Domain]:
        return self._call(
            "listDomains",
            lambda it: list(map(types.Domain.from_answer, types.items(it, "domains"))),
            includeShared=include_shared,
        )

    def add_domain(self, name: str) -> None:
        self._do("addDomain", domainName=name)

    def update_domain_settings(
        self,
        name: str,
        *,
        allow_account_reset: bool | None = None,
        symbolic_subaddressing: bool | None = None,
        recheck_dns: bool = False,
    ) -> None:
        """Change what is not `None`, and look the records up again if wanted."""
        self._do(
            "updateDomainSettings",
            name=name,
            allowAccountReset=allow_account_reset,
            symbolicSubaddressing=symbolic_subaddressing,
            recheckDns=recheck_dns,
        )

    def delete_domain(self, name: str) -> None:
        """Remove a domain with all its mailboxes. There is no undo."""
        self._do("deleteDomain", name=name)

    def check_account_credit(self) -> Decimal:
        return self._call("checkAccountCredit", lambda it: types.amount(it, "credit"))

    # The wire

    def _do(self, operation: str, **body: Any) -> None:
        self._call(operation, lambda _: None, **body)

    def _call(self, operation: str, read: Callable[[Any], T], **body: Any) -> T:
        """Carry out `operation`, reading its result with `read`.

        Only reads are repeated: nobody knows what became of a write.
        """
        body = {name: value for name, value in body.items() if value is not None}
        deadline = time.monotonic() + self._timeout
        pauses: tuple[float, ...] = PAUSES if operation in READS else ()
        for pause in (*pauses, None):
            budget.spend(operation, patience=self._patience)
            try:
                result = self._post(operation, body, deadline)
                break
            except _NoAnswer as exc:
                logger.warning("%s: %s", operation, exc.cause)
                wait = max(pause or 0, exc.retry_after)
                if pause is None or time.monotonic() + wait >= deadline:
                    raise
            time.sleep(wait)
        try:
            return read(types.mapping(result))
        except types.Malformed as exc:
            logger.warning("%s: %s", operation, exc)
            raise Unreadable from None

    def _post(self, operation: str, body: dict[str, Any], deadline: float) -> Any:
        """Return the `result` of the answer, or raise `Rejected` or `_NoAnswer`.

        Errors come with status 200 as well, so the body decides before the status.
        """
        url = f"{self._base_url}/api/v0/{operation}"
        try:
            with self._http.post(
                url,
                json=body,
                timeout=max(deadline - time.monotonic(), 0.001),
                allow_redirects=False,
                stream=True,
            ) as response:
                reply = _reply(response, deadline)
        except requests.RequestException as exc:
            # The exception holds the request, and that the token and passwords.
            kind = _NoConnection if _never_left(exc) else _NoAnswer
            raise kind(type(exc).__name__) from None

        try:
            answer = json.loads(reply)
        except (ValueError, RecursionError):
            answer = None
        if isinstance(answer, dict):
            if answer.get("type") == "error":
                raise Rejected(
                    _plain(answer.get("code")), _plain(answer.get("message"))
                )
            if response.ok and "result" in answer:
                return answer["result"] or {}
        raise _NoAnswer(
            f"HTTP {response.status_code}, {len(reply)} bytes that are no answer",
            Unreadable.message if response.ok else FAILED.format(response.status_code),
            retry_after=_retry_after(response),
        )


class _NoAnswer(Unavailable):
    def __init__(
        self, cause: str, message: str = "", *, retry_after: float = 0
    ) -> None:
        super().__init__(message)
        self.cause = cause
        self.retry_after = retry_after


class _NoConnection(_NoAnswer, NotSent):
    pass


def _never_left(error: requests.RequestException) -> bool:
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.SSLError):
        return True
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, NewConnectionError)


def _reply(response: requests.Response, deadline: float) -> bytes:
    reply = bytearray()
    for chunk in response.iter_content(64 * 1024):
        reply += chunk
        if len(reply) > LARGEST_ANSWER:
            raise _NoAnswer("the answer is too large", Unreadable.message)
        # The timeout of the connection begins anew with each piece.
        if time.monotonic() > deadline:
            raise _NoAnswer("the answer takes too long")
    return bytes(reply)


def _plain(value: Any) -> str:
    """Return what may be shown and stored of a text that anything may stand in."""
    return types.CONTROL_CHARACTER.sub(" ", str(value or ""))[:LONGEST_MESSAGE]


def _retry_after(response: requests.Response) -> float:
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isascii() and value.isdigit() else 0


def get_client(
    *, patience: float = PATIENCE, timeout: float | None = None
) -> PurelymailClient:
    """Return a client for the account of the settings."""
    token = settings.PURELYMAIL_API_TOKEN
    if not token:
        raise NoToken
    if not (token.isascii() and token.isprintable()):
        raise NoToken("PURELYMAIL_API_TOKEN does not hold a token.")
    return PurelymailClient(
        token,
        base_url=settings.PURELYMAIL_API_URL,
        patience=patience,
        timeout=timeout,
    )
