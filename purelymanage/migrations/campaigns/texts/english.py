from __future__ import annotations

from purelymanage.migrations.campaigns.texts.shape import Texts, paragraphs

TEXTS = Texts(
    language="en",
    day_pattern="{day} {month} {year}",
    months=(
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
    purpose=(
        "Our mail moves to a new provider. To copy your old mail into your new "
        "mailbox, we have to read the old one once. Nothing in it is changed."
    ),
    retention=(
        "Your password is kept encrypted and used for copying your mail, for nothing "
        "else. Nobody can look at it, the administrators included. It is erased as "
        "soon as your mail has been copied. If that never happens, it is erased 7 "
        "days after this campaign has ended, or 30 days after copying was prepared."
    ),
    invitation_subject="Your mail moves: we need you for two minutes",
    invitation_text=paragraphs(
        "Hello {name},",
        "our mail moves to a new provider. To copy your old mail, we need you to enter "
        "the password of {address} once, on this page:",
        "{link}",
        "The link is for you alone and works until {until}. The password is tried at "
        "once, kept encrypted, and erased when your mail has been copied. Nobody gets "
        "to see it.",
        "Please never send a password by mail, not even to us. If you have questions, "
        "or are not sure that this mail is genuine, ask {contact}.",
        "{signed_by}",
    ),
    reminder_subject="Reminder: your mail is not ready to move yet",
    reminder_text=paragraphs(
        "Hello {name},",
        "we have asked you to enter the password of {address}, so that your old mail "
        "can be copied. We do not have it yet:",
        "{link}",
        "It takes two minutes, and the link works until {until}. After that your old "
        "mail is not copied by itself.",
        "If you need help, ask {contact}.",
        "{signed_by}",
    ),
)
