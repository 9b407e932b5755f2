"""What happens to campaigns, and to the passwords that owners hand over in them."""

from __future__ import annotations

from purelymanage.audit.naming import AnyEvent


class CampaignEvent(AnyEvent):
    """See `Event`. The campaign is the target; of a submission never its password."""

    CAMPAIGN_CREATED = (
        "campaign.created",
        "created the campaign {target} for mailboxes at {server}",
    )
    CAMPAIGN_CHANGED = "campaign.changed", "changed the campaign {target}: {changes}"
    CAMPAIGN_CLOSED = "campaign.closed", "closed the campaign {target}"
    CAMPAIGN_PURGED = (
        "campaign.purged",
        "erased what the campaign {target} held about people: {what}",
    )
    PEOPLE_LISTED = "campaign.people_listed", "put {people} on the list of {target}"
    PERSON_REMOVED = "campaign.person_removed", "took {address} out of {target}"
    PEOPLE_INVITED = "campaign.people_invited", "invited {people} to {target}"
    PEOPLE_REMINDED = "campaign.people_reminded", "reminded {people} of {target}"
    MAIL_CAME_BACK = (
        "campaign.mail_came_back",
        "noted that the mail of {target} to {address} came back",
    )
    LINK_SHOWN = "campaign.link_shown", "looked at the link of {target} for {address}"
    DESTINATION_CHANGED = (
        "campaign.destination_changed",
        "changed where {address} of {target} goes: {changes}",
    )
    LOGIN_AGREED_TO = (
        "campaign.login_agreed_to",
        "agreed that {address} of {target} is copied with the login {user}",
    )
    CAMPAIGN_LAUNCHED = (
        "campaign.launched",
        "launched {copies} of the campaign {target}",
    )
    LAUNCH_BEGUN = (
        "campaign.launch_begun",
        "began to launch {copies} of the campaign {target}",
    )
    LAUNCH_STOPPED = (
        "campaign.launch_stopped",
        "stopped the launch of the campaign {target} after {copies}",
    )
    LAUNCH_GIVEN_UP = (
        "campaign.launch_given_up",
        "gave up the launch of the campaign {target} after {copies}: {reason}",
    )
    LATE_ONE_JOINED = (
        "campaign.late_one_joined",
        "let {address} join the copies of {target}",
    )
    SUBMISSION_RECEIVED = (
        "campaign.submission_received",
        "took the password of {address} for {target}, which was right",
    )
    SUBMISSION_OF_LOGIN = (
        "campaign.submission_of_login",
        "took the password of {user} for {address} of {target}, which was right",
    )
    SUBMISSION_KEPT = (
        "campaign.submission_kept",
        "kept the password of {address} for {target}, which could not be tried yet",
    )
    SUBMISSION_ADDED = (
        "campaign.submission_added",
        "gave the password of {address} for {target} on behalf of its owner",
    )
    SUBMISSION_REFUSED = (
        "campaign.submission_refused",
        "gave a password of {address} for {target} that was refused",
    )
    SUBMISSION_LEFT_OUT = (
        "campaign.submission_left_out",
        "signed in as {user} for {address} in {target}, which was not taken as theirs",
    )
    SUBMISSION_UNANSWERED = (
        "campaign.submission_unanswered",
        "gave up trying the password of {address} for {target}: {reason}",
    )
    SUBMISSION_WITHDRAWN = (
        "campaign.submission_withdrawn",
        "withdrew the password of {address} from {target}",
    )
    SUBMISSION_OPENED = (
        "campaign.submission_opened",
        "opened the stored password of {address} for {target} to try it",
    )
    LIMIT_REACHED = (
        "campaign.limit_reached",
        "holds back sign-ins of {target}: {reason}",
    )
