"""Which events interest whom: by right, by scope, and by what a person chose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from purelymanage.audit.campaign_events import CampaignEvent
from purelymanage.audit.events import Event
from purelymanage.audit.key_events import KeyEvent
from purelymanage.audit.models import By, Entry
from purelymanage.audit.naming import AnyEvent

if TYPE_CHECKING:
    from purelymanage.audit.viewer import Person


@dataclass(frozen=True, slots=True)
class Kind:
    """What one can choose to hear about; `right` is what one must have to hear it."""

    code: str
    name: str
    help: str
    right: str
    usual: By
    events: frozenset[AnyEvent]


OUTSIDE = "outside"
KINDS = {
    kind.code: kind
    for kind in (
        Kind(
            "deletions",
            "Deletions",
            "Asked for, cancelled, stopped, done. A request and its last hour are "
            "mailed to everybody who could cancel it, whatever you choose.",
            "delete",
            By.BELL,
            frozenset(
                {
                    Event.DELETION_REQUESTED,
                    Event.DELETION_PROPOSED,
                    Event.DELETION_APPROVED,
                    Event.DELETION_REFUSED,
                    Event.DELETION_CANCELLED,
                    Event.DELETION_ANNOUNCED,
                    Event.DELETION_PAUSED,
                    Event.DELETION_POSTPONED,
                    Event.DELETION_DONE,
                    Event.DELETION_FOUND_DONE,
                    Event.DELETION_FAILED,
                    Event.PRECAUTION_FAILED,
                }
            ),
        ),
        Kind(
            OUTSIDE,
            "Changes outside this panel",
            "Mailboxes, domains and rules that somebody changed at PurelyMail itself.",
            "see_domains",
            By.BELL,
            frozenset(
                {
                    Event.MAILBOX_APPEARED,
                    Event.MAILBOX_VANISHED,
                    Event.MAILBOX_CHANGED,
                    Event.DOMAIN_APPEARED,
                    Event.DOMAIN_VANISHED,
                    Event.DOMAIN_CHANGED,
                    Event.RULE_APPEARED,
                    Event.RULE_VANISHED,
                }
            ),
        ),
        Kind(
            "dns",
            "Records of domains",
            "A record that mail depends on changed, broke or came back.",
            "see_domains",
            By.MAIL,
            frozenset(
                {
                    Event.DOMAIN_BROKE,
                    Event.DOMAIN_NEEDS_ATTENTION,
                    Event.DOMAIN_RECOVERED,
                    Event.DOMAIN_UNSEEN,
                }
            ),
        ),
        Kind(
            "additions",
            "Domains that wait to be added",
            "A domain was added, or could not be added.",
            "manage",
            By.MAIL,
            frozenset(
                {
                    Event.DOMAIN_ADDED,
                    Event.DOMAIN_ADDITION_FAILED,
                    Event.DOMAIN_ADDITION_EXPIRED,
                }
            ),
        ),
        Kind(
            "expiries",
            "Rules that end",
            "The day before a temporary rule ends, or when that did not work. Whoever "
            "set the day is told by mail in any case.",
            "see_routing",
            By.BELL,
            frozenset({Event.RULE_EXPIRES_SOON, Event.RULE_EXPIRY_STUCK}),
        ),
        Kind(
            "bulk",
            "Bulk changes",
            "One of many mailboxes or rules at once has finished or stopped.",
            "manage",
            By.BELL,
            frozenset({Event.BULK_FINISHED, Event.BULK_STOPPED}),
        ),
        Kind(
            "migrations",
            "Copies of mailboxes",
            "A plan or a copy that belongs to no batch has finished.",
            "see_migrations",
            By.BELL,
            frozenset({Event.RUN_FINISHED}),
        ),
        Kind(
            "copy_troubles",
            "Copies that need somebody",
            "A copy failed, got stuck, or waits for a password. Those of a batch are "
            "told together when all of it has ended.",
            "see_migrations",
            By.MAIL,
            frozenset(
                {
                    Event.RUN_FAILED,
                    Event.RUN_NEEDS_PASSWORD,
                    Event.RUN_STALLED,
                    Event.SOURCE_PASSWORD_EXPIRED,
                    Event.BATCH_NEEDS_PASSWORDS,
                }
            ),
        ),
        Kind(
            "batches",
            "Batches of copies",
            "Nothing of a batch runs or waits any more: what became of all its copies.",
            "see_migrations",
            By.MAIL,
            frozenset({Event.BATCH_PLANNED, Event.BATCH_FINISHED}),
        ),
        Kind(
            "campaigns",
            "Campaigns",
            "Somebody may be guessing passwords by a form, or a campaign was closed, "
            "launched or erased.",
            "manage",
            By.BELL,
            frozenset(
                {
                    CampaignEvent.CAMPAIGN_CLOSED,
                    CampaignEvent.CAMPAIGN_LAUNCHED,
                    CampaignEvent.CAMPAIGN_PURGED,
                    CampaignEvent.LAUNCH_GIVEN_UP,
                    CampaignEvent.LIMIT_REACHED,
                }
            ),
        ),
        Kind(
            "people",
            "People and roles",
            "Invitations, roles, access, second factors and settings for everybody.",
            "manage_people",
            By.MAIL,
            frozenset(
                {
                    Event.OWNER_CREATED,
                    Event.PERSON_INVITED,
                    Event.INVITATION_ACCEPTED,
                    Event.RIGHTS_CHANGED,
                    Event.PERSON_DEACTIVATED,
                    Event.PERSON_REACTIVATED,
                    Event.ORGANISATION_CHANGED,
                    Event.SECOND_FACTOR_REMOVED,
                }
            ),
        ),
        Kind(
            "sign_ins",
            "Failed sign-ins",
            "Somebody gave a wrong password or a wrong second factor.",
            "manage_people",
            By.NONE,
            frozenset(
                {
                    Event.SIGN_IN_FAILED,
                    Event.SIGN_IN_HELD_BACK,
                    Event.SECOND_FACTOR_FAILED,
                    Event.PROOF_FAILED,
                }
            ),
        ),
        Kind(
            "panel",
            "The panel itself",
            "A sync or a mail that failed, an export, an audit log tampered with or "
            "going on with another key.",
            "see_audit",
            By.MAIL,
            frozenset(
                {
                    Event.CHAIN_BROKEN,
                    KeyEvent.AUDIT_KEY_REPLACED,
                    Event.ENTRIES_EXPORTED,
                    Event.MAIL_GIVEN_UP,
                    Event.SYNC_FAILED,
                    Event.APP_PASSWORD_LEFT,
                }
            ),
        ),
    )
}
KIND_OF = {event.value: kind for kind in KINDS.values() for event in kind.events}
# Shown, but not mailed: deletions are told by mails of their own, and to mail that a
# mail was given up would go on for ever where both addresses are wrong.
NOT_MAILED = {
    Event.DELETION_REQUESTED,
    Event.DELETION_PROPOSED,
    Event.DELETION_ANNOUNCED,
    Event.DELETION_PAUSED,
    Event.MAIL_GIVEN_UP,
}

# What a batch as a whole tells about its jobs.
TOLD_BY_BATCH = {
    Event.RUN_FINISHED,
    Event.RUN_FAILED,
    Event.RUN_NEEDS_PASSWORD,
    Event.RUN_STALLED,
    Event.SOURCE_PASSWORD_EXPIRED,
}


def kinds_for(person: Person) -> list[Kind]:
    return [kind for kind in KINDS.values() if person.may(kind.right)]


def interests(entry: Entry, kind: Kind, person: Person) -> bool:
    """Whether `person` may hear of it, and does not know it anyway."""
    if kind.code == OUTSIDE and not entry.is_from_outside:
        return False  # the same event tells of what people do here
    if entry.event in TOLD_BY_BATCH and "batch" in entry.details:
        return False
    is_own = entry.event == Event.OWNER_CREATED and entry.target == person.email
    return (
        person.pk != entry.actor_id
        and not is_own
        and person.may(kind.right)
        and _covers(person, entry)
    )


def _covers(person: Person, entry: Entry) -> bool:
    """Whether it lies in their domains; all of them, where it is about several."""
    domains = str(entry.details.get("domains", "")).split()
    return all(person.covers(it) for it in domains or [entry.domain])
