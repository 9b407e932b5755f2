"""One row of a file: a mailbox to create, or one to change."""

from __future__ import annotations

from purelymanage.accounts.models import User
from purelymanage.errors import Refused
from purelymanage.imap.errors import ImapError, LoginRefused
from purelymanage.imap.login import check_login
from purelymanage.mailboxes.models import BulkRow, Creation, Mailbox
from purelymanage.mailboxes.operations import creating as operations
from purelymanage.mailboxes.operations.app_passwords import imap_account
from purelymanage.mailboxes.operations.changing import look
from purelymanage.mailboxes.operations.creating import NotCreated, NotKnown, Wishes
from purelymanage.mailboxes.operations.passwords import set_password
from purelymanage.purelymail.client import get_client

GONE_AGAIN = "It was created, and is not at PurelyMail any more."
# Nobody has seen its password: unlike one person, the row keeps it by itself.
UNKNOWN = (
    "PurelyMail does not answer, so that nobody knows yet whether the mailbox was "
    "created. The next try finds out first."
)
NOT_OURS = (
    "There is a mailbox of this name by now, and the password made for it here does "
    "not open it. Somebody else created it; nothing was changed."
)


def create(row: BulkRow, password: str, actor: User) -> tuple[Mailbox, list[str]]:
    """Create the mailbox of a row, or take up what an earlier attempt has begun.

    Whatever happens, the mailbox ends with the password that the row keeps.
    """
    mailbox = _begun_before(row)
    if mailbox is not None:
        doubts = _make_sure_of(mailbox, password, actor)
        return mailbox, doubts
    try:
        created = operations.create_mailbox(
            address=row.address,
            password=password,
            wishes=Wishes(
                recovery_email=row.wishes.get("recovery_email", ""),
                recovery_phone=row.wishes.get("recovery_phone", ""),
                reset_allowed=row.wishes.get("reset_allowed", True),
                search_indexing=row.wishes.get("search_indexing", True),
                tags=tuple(row.wishes.get("tags", ())),
            ),
            actor=actor,
        )
    except NotKnown as exc:
        raise NotCreated(UNKNOWN, is_outage=True) from exc
    except NotCreated as exc:
        if exc.is_outage or not row.tries:
            raise
        # A request that seemed lost may have been carried out late.
        return _adopt(row, password, exc), []
    if created.is_known:
        return created.mailbox, created.doubts
    # The first doubt is about the password, and is settled here.
    doubts = _make_sure_of(created.mailbox, password, actor)
    return created.mailbox, [*created.doubts[1:], *doubts]


def _begun_before(row: BulkRow) -> Mailbox | None:
    """Return what an attempt that died, or had no answer, created all the same."""
    if row.attempt == 1:
        return None
    mine = Creation.objects.filter(
        address=row.address, requested_at__gte=row.started_at
    ).exclude(state=Creation.State.FAILED)
    creation = mine.order_by("-pk").first()
    if creation is None:
        return None
    mailbox = operations.find_out(creation=creation)
    if mailbox is None and creation.state == Creation.State.DONE:
        raise Refused(GONE_AGAIN)
    return mailbox


def _make_sure_of(mailbox: Mailbox, password: str, actor: User) -> list[str]:
    """Let the password open the mailbox, whichever it has; return what is doubtful."""
    try:
        check_login(imap_account(mailbox.address, password))
    except ImapError:
        return set_password(mailbox=mailbox, password=password, actor=actor).doubts
    return []


def _adopt(row: BulkRow, password: str, refusal: NotCreated) -> Mailbox:
    """Take a mailbox for ours that the password opens which only this row knows."""
    if look(get_client(), row.address) is None:
        raise refusal
    try:
        check_login(imap_account(row.address, password))
    except LoginRefused:
        raise Refused(NOT_OURS) from refusal
    except ImapError:
        raise refusal from None
    creation = Creation.objects.filter(address=row.address).latest("pk")
    mailbox = operations.find_out(creation=creation)
    if mailbox is None:
        raise refusal
    return mailbox
