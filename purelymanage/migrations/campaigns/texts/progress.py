"""What owners read of the copy of their own mailbox."""

from __future__ import annotations

from dataclasses import dataclass

from purelymanage.migrations.models import Campaign


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressWords:
    waiting_title: str
    waiting: str
    counting_title: str
    counting: str
    counted_title: str
    counted: str
    copying_title: str
    signing_in: str
    listing: str
    reading: str
    copying: str
    comparing: str
    complete_title: str
    complete: str
    left_out: str
    held_up_title: str
    held_up: str
    label: str
    thousands: str
    refresh: str


ENGLISH = ProgressWords(
    waiting_title="Your mailbox waits for its turn",
    waiting="There is nothing for you to do. This page tells when it begins.",
    counting_title="Your mail is being counted",
    counting="Nothing is copied yet. This shows how long copying will take.",
    counted_title="Your mail has been counted",
    counted="There are {messages} messages. They are copied soon.",
    copying_title="Your mail is being copied",
    signing_in="Signing in to your old mailbox.",
    listing="Looking at the folders of your old mailbox.",
    reading="Looking at which messages there are.",
    copying="{there} of {messages} messages are in your new mailbox.",
    comparing="Comparing both mailboxes at the end.",
    complete_title="Your mail has been copied",
    complete="All {messages} messages of your old mailbox are in the new one. "
    "Your password has been erased.",
    left_out="{there} of {messages} messages are in your new mailbox. {failed} could "
    "not be copied. Ask {contact} which ones these are.",
    held_up_title="Copying has stopped for now",
    held_up="There is nothing for you to do. {contact} knows of it, and no mail is "
    "lost: everything is still in your old mailbox.",
    label="How much is copied",
    thousands=",",
    refresh="Look again",
)

GERMAN = ProgressWords(
    waiting_title="Ihr Postfach wartet noch",
    waiting="Sie müssen nichts tun. Diese Seite zeigt, wann es beginnt.",
    counting_title="Ihre Nachrichten werden gezählt",
    counting="Noch wird nichts kopiert. So zeigt sich, wie lange es dauern wird.",
    counted_title="Ihre Nachrichten sind gezählt",
    counted="Es sind {messages} Nachrichten. Sie werden bald kopiert.",
    copying_title="Ihre Nachrichten werden kopiert",
    signing_in="Anmeldung an Ihrem alten Postfach.",
    listing="Die Ordner Ihres alten Postfachs werden gelesen.",
    reading="Es wird nachgesehen, welche Nachrichten es gibt.",
    copying="{there} von {messages} Nachrichten sind in Ihrem neuen Postfach.",
    comparing="Zum Schluss werden beide Postfächer verglichen.",
    complete_title="Ihre Nachrichten sind kopiert",
    complete="Alle {messages} Nachrichten Ihres alten Postfachs sind im neuen. Ihr "
    "Passwort wurde gelöscht.",
    left_out="{there} von {messages} Nachrichten sind in Ihrem neuen Postfach. "
    "{failed} ließen sich nicht kopieren. Welche das sind, weiß {contact}.",
    held_up_title="Das Kopieren ruht zurzeit",
    held_up="Sie müssen nichts tun. {contact} weiß davon, und nichts geht verloren: "
    "Alles ist noch in Ihrem alten Postfach.",
    label="Wie viel schon kopiert ist",
    thousands=".",
    refresh="Noch einmal nachsehen",
)

BY_LANGUAGE: dict[str, ProgressWords] = {
    Campaign.Language.ENGLISH: ENGLISH,
    Campaign.Language.GERMAN: GERMAN,
}
