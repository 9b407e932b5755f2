# ruff: noqa: S106  # words about passwords are none
from __future__ import annotations

from purelymanage.migrations.campaigns.texts.form import HowTo, Words

PASTE = "Copy what it shows and paste it here, as the password."

WORDS = Words(
    language="en",
    title="Move your mailbox",
    skip="Skip to the content",
    address="Your mailbox today",
    address_help="The address of the old mailbox, such as anna@example.org.",
    not_yours="Not yours? Tell {contact} and do not go on.",
    password="Its password",
    password_help="The one you read your mail with today.",
    password_again="Enter the password once more: this page does not keep it.",
    user="User name",
    user_summary="You sign in with another name than your address?",
    user_help="Only if your mail program signs in with something else.",
    consent="You may read this mailbox to copy it.",
    withdraw_by_link="You can withdraw with this same link until copying begins.",
    withdraw_by_contact="To withdraw before copying begins, write to {contact}.",
    send="Check and send",
    trying="This takes a few seconds: the password is tried at once.",
    how_to="How to make an app password at {provider}",
    provider_page="{provider} explains it",
    what_happens="What happens to the password",
    nobody_sees="Kept encrypted. Nobody can look at it, not even the administrators.",
    tried_at="Tried at {host} and given to nobody else.",
    erased="Erased on {erased} at the latest, if nothing is copied with it.",
    questions="Questions:",
    link_for_you="This link is for you alone and ends on {ends}.",
    link_for_all="This link ends on {ends}.",
    address_missing="Enter the address of your old mailbox.",
    address_wrong="Enter the whole address, such as anna@example.org.",
    password_missing="Enter the password of this mailbox.",
    password_too_long="No password is as long as that.",
    user_wrong="A user name has no line breaks and at most 254 characters.",
    consent_missing="Without your consent the mailbox cannot be copied.",
    refused=(
        "The mail server refused this password. Look at capital letters and spaces, "
        "and at the address."
    ),
    refused_app_password=(
        "{provider} refused this password. It takes app passwords only, not the one "
        "you usually sign in with. How to make one is written below."
    ),
    refused_no_passwords=(
        "{provider} lets nobody in with a password any more. Please tell {contact}: "
        "this mailbox needs another way."
    ),
    right_title="The password is right",
    right=(
        "Thank you, there is nothing else to do. Your mail is copied when the "
        "administrators begin with it. Please keep this password until then."
    ),
    right_shared="You can close this page. To change or withdraw it, write to {contact}.",
    kept_title="We try the password later",
    kept=(
        "The mail server could not be asked yet. Your password is kept encrypted, and "
        "we try it later by ourselves. You need not do anything."
    ),
    kept_own="We write to {address} how it went. This page shows it as well.",
    kept_shared="If {address} is one that we know, we write there how it went.",
    kept_other=(
        "You sign in with another name than {address}, so we do not write there how it "
        "went. If you are not sure about the password, come back tomorrow and enter it "
        "again."
    ),
    too_often_title="Please come back {when}",
    too_often=(
        "There were several attempts, so this page makes a pause. Nothing was tried "
        "or stored. Come back {when}, perhaps with another look at your password. If "
        "you need help, ask {contact}."
    ),
    in_minutes="in {number} minutes",
    in_an_hour="in 1 hour",
    in_hours="in {number} hours",
    tomorrow="tomorrow",
    withdrawn_title="You have withdrawn your password",
    withdrawn="It was erased. If you change your mind, enter it again.",
    refused_title="The password was refused",
    refused_since="The one that you entered on {received} was wrong. Enter the right one.",
    left_title="A password was entered already",
    left=(
        "Somebody did so for this mailbox on {received}, with the link for everybody. "
        "If that was you, there is nothing else to do. If not, enter yours."
    ),
    needed_title="We need your password again",
    needed=(
        "The one that you entered on {received} does not open your old mailbox "
        "any more, or was erased at its date. Enter the present one, so that "
        "copying can go on."
    ),
    moved_title="Please read this page once more",
    moved=(
        "Passwords are tried at {host} now. What you have just entered was neither "
        "tried nor stored. Enter it again if your old mailbox is there."
    ),
    again="Try again",
    received="Entered on {received}.",
    correct="Enter another password",
    withdraw="Withdraw and erase",
    withdraw_title="Changed your mind?",
    withdraw_text="Your password is erased, and your mailbox is not copied.",
    over_title="This is over",
    over=(
        "No passwords are taken here any more. If your old mail is missing in your new "
        "mailbox, ask {contact}."
    ),
    over_erased=(
        "No passwords are taken here any more, and none is stored unless a copy of "
        "your mailbox still needs it."
    ),
    removed_title="You need not do anything",
    removed=(
        "This mailbox was taken off the list, so no password is needed. If you think "
        "that is a mistake, ask {contact}."
    ),
    unknown_title="This link does not work",
    unknown=(
        "Perhaps a part of it is missing: copy the whole link from the message, up to "
        "its last letter. Or what it was for has been over for a while, and all about "
        "you was erased. If in doubt, ask whoever sent it."
    ),
    forged_title="Please open the page again",
    forged=(
        "Your browser did not send what proves that the form was filled in here. "
        "Nothing was tried or stored. Mostly cookies are switched off, or the page had "
        "been open for very long."
    ),
    forged_again="Open the page again",
    busy_title="Please send it again in a minute",
    busy=(
        "Many people are here at the moment, so your form was not looked at. Nothing "
        "is lost: wait a minute, then load this page again and let your browser send "
        "the form once more. If it does not offer that, go back and fill it in again."
    ),
    no_form_title="Please open the page again",
    no_form="What arrived was not this form. Nothing was tried or stored.",
    down_title="This page does not work at the moment",
    down=(
        "That is not your fault, and your link goes on working. Come back in a few "
        "minutes. If it still does not work then, tell whoever sent you the link."
    ),
    down_sent=(
        "That is not your fault, and your link goes on working. Whether what you have "
        "just sent arrived is not certain: open the link again in a few minutes, and "
        "enter it once more if you are asked for it."
    ),
    mail_greeting="Hello,",
    mail_right_subject="The password of {address} is right",
    mail_right=(
        "the mail server has answered by now, and the password of {address} that you "
        "entered on {day} is right. There is nothing else to do: your mail is copied "
        "when the administrators begin with it. Please keep this password until then."
    ),
    mail_refused_subject="The password of {address} was refused",
    mail_refused=(
        "the mail server has answered by now and refused the password of {address} "
        "that you entered on {day}. It was erased. Please enter the right one, until "
        "{until}:\n\n{link}"
    ),
    mail_unanswered_subject="The password of {address} could not be tried",
    mail_unanswered=(
        "the password of {address} that you entered on {day} could not be tried: the "
        "mail server never answered. It was erased, and your old mail is not copied by "
        "itself."
    ),
    mail_questions="If that was not you, or if you have questions, ask {contact}.",
    app_passwords={
        "gmail": HowTo(
            steps=(
                "Sign in at myaccount.google.com and open “Security”.",
                "Switch on 2-Step Verification, if it is off.",
                "Search for “App passwords” at the top, and create one named “Move”.",
                PASTE,
            ),
            page="https://support.google.com/accounts/answer/185833",
        ),
        "yahoo": HowTo(
            steps=(
                "Sign in at login.yahoo.com and open “Security”.",
                "Choose “Generate app password” and name it “Move”.",
                PASTE,
            ),
            page="https://help.yahoo.com/kb/generate-manage-rd-party-passwords-sln15241.html",
        ),
        "icloud": HowTo(
            steps=(
                "Sign in at account.apple.com and open “Sign-In and Security”.",
                "Choose “App-Specific Passwords” and create one named “Move”.",
                PASTE,
                "If it is refused, enter the part before @ as user name.",
            ),
            page="https://support.apple.com/102654",
        ),
        "zoho": HowTo(
            steps=(
                "In Zoho Mail open “Settings”, “Mail Accounts” and switch on IMAP.",
                "With two-factor sign-in: open “Security” at accounts.zoho.com and "
                "create an application-specific password.",
                PASTE,
            ),
            page="https://www.zoho.com/mail/help/imap-access.html",
        ),
        "fastmail": HowTo(
            steps=(
                "Sign in at fastmail.com and open “Settings”, “Privacy & Security”.",
                "Under “Connected apps & API tokens” create an app password for mail.",
                PASTE,
            ),
            page="https://www.fastmail.help/hc/en-us/articles/360058752854",
        ),
        "yandex": HowTo(
            steps=(
                "In Yandex Mail open “All settings”, “Email clients” and allow IMAP "
                "with app passwords.",
                "At id.yandex.com open “Security” and create an app password for mail.",
                PASTE,
            ),
            page="https://yandex.com/support/passport/authorization/app-passwords.html",
        ),
    },
)
