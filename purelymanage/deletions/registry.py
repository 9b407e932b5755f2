"""What can be deleted, and what other apps know or do about it.

The apps to the right register themselves here when they are ready, so that the queue
need not know them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from purelymanage.accounts.models import User
from purelymanage.audit.log import Actor
from purelymanage.audit.models import Entry
from purelymanage.deletions.impact import Account, Impact, Line
from purelymanage.purelymail.client import PurelymailClient
from purelymanage.purelymail.errors import Unavailable

T = TypeVar("T")


class Doubtful(Unavailable):
    """A list that is more likely a mistake than true."""

    message = (
        "PurelyMail listed nothing where there was something. This is not believed."
    )


@dataclass(frozen=True, slots=True)
class Subject:
    """An object that somebody may delete. `restore` is what making it anew takes."""

    key: str
    label: str
    domain: str
    restore: dict[str, Any] | None = None


class Handler(Protocol):
    """How one kind of object is looked at and deleted."""

    @property
    def word(self) -> str:
        """Return what it is called in a sentence, such as “mailbox”."""

    def find(self, keys: list[str], user: User) -> list[Subject]:
        """Return, in this order, those that are there and this person may see."""

    def impact(self, key: str, account: Account) -> Impact | None:
        """Return what goes with it, or `None` where `account` does not have it."""

    def execute(self, client: PurelymailClient, key: str) -> None: ...

    def is_gone(self, client: PurelymailClient, key: str) -> bool:
        """Tell whether PurelyMail does not have it any more, however asked."""

    def forget(self, key: str) -> None:
        """Note in the mirror that it is gone, in the transaction that settles."""


class Restorer(Protocol):
    """A kind of object that can be made anew from what a deletion has kept."""

    def create_again(self, client: PurelymailClient, restore: dict[str, Any]) -> str:
        """Make it at PurelyMail, read it back and return its new key."""

    def remember(self, key: str, restore: dict[str, Any]) -> None:
        """Note in the mirror that it is there again."""


class Precaution(Protocol):
    """Something done before a deletion, and undone by a cancellation if it can be."""

    can_be_undone: bool

    def object_to(self, key: str, target: str) -> str:
        """Say why it cannot be, if so, by what the mirror has."""

    def prepare(
        self, client: PurelymailClient, key: str, target: str
    ) -> dict[str, Any]:
        """Return what has to be known later on, such as what was there before."""

    def take(self, client: PurelymailClient, key: str, target: str) -> dict[str, Any]:
        """Do it and believe it after reading back; asked again, do no harm."""

    def undo(
        self, client: PurelymailClient, key: str, target: str, known: dict[str, Any]
    ) -> None:
        """Undo it, or do nothing where it was not done."""

    def remember(self, key: str, target: str, known: dict[str, Any]) -> None:
        """Note in the mirror what was done, in the transaction that settles."""

    def forget(self, known: dict[str, Any]) -> None:
        """Note in the mirror that it was undone."""


@dataclass(frozen=True, slots=True)
class Companion:
    """What an app knows or does about objects of other apps that are to be deleted."""

    # By their keys, where there is something to say.
    lines: Callable[[str, list[str], Account], Mapping[str, Iterable[Line]]] = (
        lambda kind, keys, account: {}
    )
    # In the transaction of the request after all else but the audit log, and again
    # before the call.
    freeze: Callable[[str, list[str], Actor], None] = lambda kind, keys, actor: None
    forget: Callable[[str, str], None] = lambda kind, key: None
    # In the transaction that cancels; returns what the audit log is to say of it.
    keep: Callable[[str, str, Actor], Iterable[Entry]] = lambda kind, key, actor: ()
    # Outside any transaction, for the address of a mailbox that is locked.
    lock: Callable[[str], None] = lambda address: None


_handlers: dict[str, Handler] = {}
_restorers: dict[str, Restorer] = {}
_precautions: dict[str, Precaution] = {}
_companions: dict[str, Companion] = {}
_lists: dict[str, Callable[[], list[Any]]] = {}


def register(
    kind: str,
    handler: Handler,
    *,
    mirrored: tuple[str, Callable[[], list[Any]]],
    restorer: Restorer | None = None,
) -> None:
    """Let objects of `kind` be deleted; `mirrored` lists what the mirror has of them."""
    _handlers[kind] = handler
    _lists[mirrored[0]] = mirrored[1]
    if restorer:
        _restorers[kind] = restorer


def register_precaution(kind: str, precaution: Precaution) -> None:
    _precautions[kind] = precaution


def register_companion(name: str, companion: Companion) -> None:
    _companions[name] = companion


def handler(kind: str) -> Handler:
    return _handlers[kind]


def restorer(kind: str) -> Restorer | None:
    return _restorers.get(kind)


def precaution(kind: str) -> Precaution:
    return _precautions[kind]


def freeze(kind: str, keys: list[str], actor: Actor) -> None:
    """Stop what the panel does with objects that are to be deleted."""
    for companion in companions():
        companion.freeze(kind, keys, actor)


def keep(kind: str, key: str, actor: Actor) -> list[Entry]:
    """Do what has to be done when something is kept after all."""
    return [note for it in companions() for note in it.keep(kind, key, actor)]


def companions() -> list[Companion]:
    return list(_companions.values())


def mirrored_account() -> Account:
    """Return the account as the mirror has it."""
    return Account(_lists["users"], _lists["domains"], _lists["rules"])


def read_account(client: PurelymailClient) -> Account:
    """Return the account as PurelyMail tells it now, asking it list by list."""

    def domains() -> list[str]:
        return [domain.name for domain in client.list_domains()]

    return Account(
        lambda: believe(client.list_users(), "users"),
        lambda: believe(domains(), "domains"),
        lambda: believe(client.list_routing_rules(), "rules"),
    )


def believe(found: list[T], name: str) -> list[T]:
    """Return `found`, unless it is empty where the mirror has more than one object."""
    if not found and len(_lists[name]()) > 1:
        raise Doubtful
    return found


def impact_of(kind: str, key: str, account: Account) -> Impact | None:
    """Return all that goes with an object, as far as anybody here knows."""
    return impacts_of(kind, [key], account)[0]


def impacts_of(kind: str, keys: list[str], account: Account) -> list[Impact | None]:
    """Do so for many objects, with as many queries as for one."""
    own = [handler(kind).impact(key, account) for key in keys]
    found = [key for key, impact in zip(keys, own, strict=True) if impact]
    told = [it.lines(kind, found, account) for it in companions()]
    return [
        impact and impact.plus(line for lines in told for line in lines.get(key, ()))
        for key, impact in zip(keys, own, strict=True)
    ]
