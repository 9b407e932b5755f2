from __future__ import annotations

from purelymanage.audit.campaign_events import CampaignEvent
from purelymanage.audit.key_events import KeyEvent
from purelymanage.audit.naming import AnyEvent
from purelymanage.audit.panel_events import PanelEvent


class Event(AnyEvent):
    """Everything worth remembering but what happens in campaigns and to keys.

    `Entry.event` does not list these as its choices, or each new event would need a
    database migration.
    """

    OWNER_CREATED = "person.owner_created", "made {target} an owner"
    PERSON_INVITED = "person.invited", "invited {target} as {role}"
    INVITATION_RESENT = "person.invitation_resent", "invited {target} once more"
    INVITATION_WITHDRAWN = (
        "person.invitation_withdrawn",
        "withdrew the invitation of {target}",
    )
    INVITATION_ACCEPTED = "person.invitation_accepted", "accepted the invitation"
    PERSON_CHANGED = "person.changed", "changed {target}: {changes}"
    RIGHTS_CHANGED = (
        "person.rights_changed",
        "changed the rights of {target}: {changes}",
    )
    PERSON_DEACTIVATED = "person.deactivated", "switched off the access of {target}"
    PERSON_REACTIVATED = "person.reactivated", "switched on the access of {target}"
    ORGANISATION_CHANGED = "organisation.changed", "changed the settings: {changes}"
    TEST_MAIL_SENT = "organisation.test_mail_sent", "sent a test mail to {target}"
    SIGNED_IN = "person.signed_in", "signed in"
    SIGNED_OUT = "person.signed_out", "signed out"
    SIGN_IN_FAILED = "person.sign_in_failed", "failed to sign in as {target}"
    SIGN_IN_HELD_BACK = (
        "person.sign_in_held_back",
        "was held back after too many failed sign-ins as {target}",
    )
    NEW_DEVICE = "person.new_device", "signed in with a new device: {device}"
    SESSION_ENDED = "person.session_ended", "ended the session of {target} in {device}"
    PASSWORD_CHANGED = "person.password_changed", "changed the password of {target}"
    SECOND_FACTOR_ADDED = (
        "person.second_factor_added",
        "gave {target} a second factor: {factor}",
    )
    SECOND_FACTOR_REMOVED = (
        "person.second_factor_removed",
        "took a second factor from {target}: {factor}",
    )
    SECOND_FACTOR_FAILED = (
        "person.second_factor_failed",
        "failed to prove to be {target} by {factor}",
    )
    PROOF_FAILED = "person.proof_failed", "gave a wrong {what} as proof"
    RECOVERY_CODE_USED = "person.recovery_code_used", "used a recovery code of {target}"

    NOTIFICATIONS_CHOSEN = (
        "person.notifications_chosen",
        "chose what to hear of: {changes}",
    )
    MAIL_GIVEN_UP = (
        "panel.mail_given_up",
        "gave up the mail “{subject}” to {target}: {reason}",
    )

    ENTRIES_EXPORTED = (
        "panel.entries_exported",
        "exported {target} as {form}: {filters}",
    )
    CHAIN_BROKEN = "panel.chain_broken", "found {target} tampered with: {reason}"

    SYNC_REQUESTED = "account.sync_requested", "asked for a sync"
    SYNC_FAILED = "account.sync_failed", "could not sync: {reason}"

    DOMAIN_APPEARED = "domain.appeared", "added the domain {target}"
    DOMAIN_VANISHED = "domain.vanished", "removed the domain {target}"
    DOMAIN_CHANGED = "domain.changed", "changed {target}: {changes}"
    DOMAIN_BROKE = "domain.broke", "saw {target} break: {reason}"
    DOMAIN_NEEDS_ATTENTION = (
        "domain.needs_attention",
        "saw that {target} needs attention: {reason}",
    )
    DOMAIN_RECOVERED = (
        "domain.recovered",
        "saw that the records of {target} are right again",
    )
    DOMAIN_UNSEEN = "domain.unseen", "could not look {target} up for a day: {reason}"
    DOMAIN_CHECK_REQUESTED = (
        "domain.check_requested",
        "asked to look at the records of {target}",
    )
    DOMAIN_RECHECK_REQUESTED = (
        "domain.recheck_requested",
        "asked PurelyMail to look at the records of {target} again",
    )
    DOMAIN_SETTINGS_CHANGED = "domain.settings_changed", "changed {target}: {changes}"
    DOMAIN_SETTINGS_FAILED = (
        "domain.settings_failed",
        "could not change {target}: {reason}",
    )
    DOMAIN_ADDED = "domain.added", "added the domain {target}"
    DOMAIN_ADDITION_FAILED = (
        "domain.addition_failed",
        "could not add the domain {target}: {reason}",
    )
    DOMAIN_ADDITION_REQUESTED = (
        "domain.addition_requested",
        "asked to add {target} as soon as its ownership record is visible",
    )
    DOMAIN_ADDITION_CANCELLED = (
        "domain.addition_cancelled",
        "cancelled the waiting addition of {target}",
    )
    DOMAIN_ADDITION_EXPIRED = (
        "domain.addition_expired",
        "gave up adding {target}, whose ownership record was not seen in {days} days",
    )
    DOMAIN_HEALTH_CHANGED = (
        "domain.health_changed",
        "saw the records of {target} change: {changes}",
    )

    MAILBOX_CREATED = "mailbox.created", "created the mailbox {target}"
    MAILBOX_CREATION_FAILED = (
        "mailbox.creation_failed",
        "could not create the mailbox {target}: {reason}",
    )
    MAILBOX_APPEARED = "mailbox.appeared", "created the mailbox {target}"
    MAILBOX_VANISHED = "mailbox.vanished", "removed the mailbox {target}"
    MAILBOX_CHANGED = "mailbox.changed", "changed {target}: {changes}"
    MAILBOX_CHANGE_FAILED = (
        "mailbox.change_failed",
        "could not change {target} ({what}): {reason}",
    )
    MAILBOX_CHANGE_UNKNOWN = (
        "mailbox.change_unknown",
        "asked to change {target} ({what}), and nobody knows whether it happened",
    )
    MAILBOX_PASSWORD_RESET = "mailbox.password_reset", "set a new password for {target}"
    MAILBOX_PASSWORD_UNTRIED = (
        "mailbox.password_untried",
        "set a new password for {target}, which could not be tried: {reason}",
    )
    HAND_OVER_MADE = (
        "mailbox.hand_over_made",
        "made a link that shows the {what} of {target} once, until {until}",
    )
    HAND_OVER_VIEWED = (
        "mailbox.hand_over_viewed",
        "opened the link that shows the {what} of {target} once",
    )
    HAND_OVER_WITHDRAWN = (
        "mailbox.hand_over_withdrawn",
        "withdrew the link to the {what} of {target}: {reason}",
    )
    HAND_OVER_EXPIRED = (
        "mailbox.hand_over_expired",
        "erased the {what} of {target}, as nobody opened its link in time",
    )
    MAILBOX_RENAMED = "mailbox.renamed", "renamed {old} to {target}"
    MAILBOX_SUSPENDED = "mailbox.suspended", "suspended {target}"
    MAILBOX_SUSPENDED_UNTRIED = (
        "mailbox.suspended_untried",
        "suspended {target}, which nobody has tried: {reason}",
    )
    MAILBOX_NOTED = "mailbox.noted", "changed what is noted of {target}: {changes}"
    MAILBOXES_EXPORTED = "mailbox.exported", "exported {target}: {filters}"
    RENAME_INCOMPLETE = (
        "mailbox.rename_incomplete",
        "could not do what follows the rename of {target} ({what}): {reason}",
    )
    RECOVERY_SAVED = (
        "mailbox.recovery_saved",
        "set a recovery method of {target}: {method}",
    )
    RECOVERY_REMOVED = (
        "mailbox.recovery_removed",
        "removed a recovery method of {target}: {method}",
    )
    APP_PASSWORD_CREATED = (
        "mailbox.app_password_created",
        "created an app password for {target}: {purpose}",
    )
    APP_PASSWORD_FAILED = (
        "mailbox.app_password_failed",
        "could not create an app password for {target} ({purpose}): {reason}",
    )
    APP_PASSWORD_UNKNOWN = (
        "mailbox.app_password_unknown",
        "asked for an app password for {target} ({purpose}), and nobody knows whether "
        "it was made",
    )
    APP_PASSWORD_FORGOTTEN = (
        "mailbox.app_password_forgotten",
        "took an app password of {target} off the list that may exist: {purpose}",
    )
    APP_PASSWORD_REVOKED = (
        "mailbox.app_password_revoked",
        "revoked the app password of {target}: {purpose}",
    )
    APP_PASSWORD_LEFT = (
        "mailbox.app_password_left",
        "could not revoke the app password of {target} ({purpose}): {reason}",
    )

    BULK_STARTED = "bulk.started", "started {target}: {deed}"
    BULK_STOPPED = "bulk.stopped", "stopped {target}: {reason}"
    BULK_RESUMED = "bulk.resumed", "resumed {target}: {deed}"
    BULK_CANCELLED = "bulk.cancelled", "cancelled the rest of {target}: {outcome}"
    BULK_FINISHED = "bulk.finished", "finished {target}: {outcome}"
    BULK_LINKS_TAKEN = "bulk.links_taken", "took the sheet with {links} of {target}"

    RULE_APPEARED = "rule.appeared", "added the rule {target} to {destinations}"
    RULE_VANISHED = "rule.vanished", "removed the rule {target} to {destinations}"
    RULE_CREATED = "rule.created", "added the rule {target} to {destinations}"
    RULE_CREATION_FAILED = (
        "rule.creation_failed",
        "could not add the rule {target} to {destinations}: {reason}",
    )
    RULE_NOTED = "rule.noted", "changed what is noted of the rule {target}: {changes}"
    RULE_REWRITTEN = (
        "rule.rewritten",
        "replaced the rule {target} to {before} by {after} to {destinations}",
    )
    RULE_REWRITE_FAILED = (
        "rule.rewrite_failed",
        "could not replace the rule {target}: {reason}",
    )
    RULE_REWRITE_DELAYED = (
        "rule.rewrite_delayed",
        "is still replacing the rule {target}: {reason}",
    )
    RULE_EXPIRY_SET = "rule.expiry_set", "set the rule {target} to end with {day}"
    RULE_EXPIRY_CLEARED = (
        "rule.expiry_cleared",
        "kept the rule {target}, which was to end with {day}",
    )
    RULE_EXPIRES_SOON = (
        "rule.expires_soon",
        "reminded that the rule {target} ends with {day}",
    )
    RULE_EXPIRY_STUCK = (
        "rule.expiry_stuck",
        "could not let the rule {target} end: {reason}",
    )
    RULES_EXPORTED = "rule.exported", "exported {target}: {filters}"

    SNAPSHOT_TAKEN = "snapshot.taken", "took {target}"
    SNAPSHOT_DOWNLOADED = "snapshot.downloaded", "downloaded {target}"

    DELETION_REQUESTED = (
        "deletion.requested",
        "asked to delete {what}, which happens on {when}: {reason}",
    )
    DELETION_PROPOSED = (
        "deletion.proposed",
        "asked to delete {what}, which a second person must approve: {reason}",
    )
    DELETION_APPROVED = (
        "deletion.approved",
        "approved the deletion of {what}, which happens on {when}",
    )
    DELETION_REFUSED = "deletion.refused", "refused the deletion of {what}: {reason}"
    DELETION_CANCELLED = "deletion.cancelled", "cancelled the deletion of {what}"
    DELETION_CONFIRMED = (
        "deletion.confirmed",
        "looked again and still wants to delete {what}, which happens on {when}",
    )
    DELETION_ANNOUNCED = (
        "deletion.announced",
        "announced that {what} will be deleted on {when}",
    )
    DELETION_PAUSED = "deletion.paused", "stopped the deletion of {what}: {reason}"
    DELETION_POSTPONED = (
        "deletion.postponed",
        "will try again to delete {what}: {reason}",
    )
    DELETION_DONE = "deletion.done", "deleted {what}, as {person} had asked"
    DELETION_FOUND_DONE = (
        "deletion.found_done",
        "did not have to delete {what}: {reason}",
    )
    DELETION_FAILED = "deletion.failed", "could not delete {what}: {reason}"
    RULE_CREATED_AGAIN = (
        "deletion.rule_created_again",
        "created {what} again, which had been deleted",
    )
    MAILBOX_LOCKED = (
        "deletion.mailbox_locked",
        "locked {target} until its deletion by an unknown password",
    )
    MAIL_ROUTED = (
        "deletion.mail_routed",
        "routed the mail of {target} to {to} before its deletion",
    )
    MAIL_NOT_ROUTED_ANY_MORE = (
        "deletion.mail_not_routed_any_more",
        "stopped routing the mail of {target} to {to}, as it is kept",
    )
    PRECAUTION_FAILED = "deletion.precaution_failed", "could not {deed}: {reason}"

    SERVER_CREATED = "server.created", "added the server {target} ({host}:{port})"
    SERVER_CHANGED = "server.changed", "changed the server {target}: {changes}"
    SERVER_REMOVED = "server.removed", "removed the server {target} ({host}:{port})"
    BATCH_CONFIRMED = (
        "batch.confirmed",
        "imported {copies} from {server} as {target}",
    )
    BATCH_PAUSED = "batch.paused", "paused the batch {target}"
    BATCH_RESUMED = "batch.resumed", "let the batch {target} go on"
    BATCH_CHANGED = "batch.changed", "changed the batch {target}: {changes}"
    BATCH_PLANNED = "batch.planned", "finished the plans of {target}: {outcome}"
    BATCH_FINISHED = "batch.finished", "finished the batch {target}: {outcome}"
    BATCH_NEEDS_PASSWORDS = (
        "batch.needs_passwords",
        "needs the passwords of {mailboxes} of the batch {target} again, which were "
        "erased at their date",
    )
    JOB_CREATED = "migration.created", "prepared a copy of {source} to {target}"
    JOB_CHANGED = (
        "migration.changed",
        "changed the copy of {source} to {target}: {changes}",
    )
    JOB_REMOVED = "migration.removed", "removed the copy of {source} to {target}"
    SOURCE_PASSWORD_REPLACED = (
        "migration.password_replaced",
        "replaced the password of {source} for the copy to {target}",
    )
    SOURCE_PASSWORD_OPENED = (
        "migration.password_opened",
        "opened the stored password of {source} for {purpose} to {target}",
    )
    SOURCE_PASSWORD_WIPED = (
        "migration.password_wiped",
        "erased the stored password of {source}",
    )
    SOURCE_PASSWORD_EXPIRED = (
        "migration.password_expired",
        "needs the password of {source} again for the copy to {target}, as it was "
        "erased at its date",
    )
    OWNER_TOLD = (
        "migration.owner_told",
        "wrote to {target} that the mail of {source} has arrived",
    )
    LOGIN_NOT_RIGHT = (
        "migration.login_not_right",
        "was not let in as {source} for the copy to {target}: {reason}",
    )
    BATCH_LOGINS_HELD_BACK = (
        "batch.logins_held_back",
        "did not try {count} logins of {target}, as all before were refused",
    )
    LOGIN_TRIED_AGAIN = (
        "migration.login_tried_again",
        "asked to try the login of {source} for the copy to {target} again",
    )
    RUN_QUEUED = "migration.queued", "queued {kind} of {source} to {target}"
    RUN_STARTED = "migration.started", "started {kind} of {source} to {target}"
    RUN_INTERRUPTED = (
        "migration.interrupted",
        "lost {kind} of {source} to {target}, it resumes by itself",
    )
    RUN_POSTPONED = (
        "migration.postponed",
        "will try {kind} of {source} to {target} again: {reason}",
    )
    RUN_PUT_OFF = (
        "migration.put_off",
        "put off {kind} of {source} to {target}, it continues {until}: {reason}",
    )
    RUN_STALLED = (
        "migration.stalled",
        "found {kind} of {source} to {target} stuck, {times} times by now",
    )
    RUN_FAILED = (
        "migration.failed",
        "could not finish {kind} of {source} to {target}: {reason}",
    )
    RUN_NEEDS_PASSWORD = (
        "migration.needs_password",
        "could not finish {kind} of {source} to {target} and needs another password: "
        "{reason}",
    )
    RUN_STOPPED = "migration.stopped", "stopped {kind} of {source} to {target}"
    RUN_FINISHED = (
        "migration.finished",
        "finished {kind} of {source} to {target}: {summary}",
    )
    QUEUE_PAUSED = "queue.paused", "paused {target}"
    QUEUE_RESUMED = "queue.resumed", "let {target} go on"
    QUEUE_CHANGED = "queue.changed", "changed {target}: {changes}"


EVENTS: dict[str, AnyEvent] = {
    it.value: it for it in (*Event, *CampaignEvent, *KeyEvent, *PanelEvent)
}
