from __future__ import annotations

from purelymanage.migrations.campaigns.texts.shape import Texts, paragraphs

TEXTS = Texts(
    language="de",
    day_pattern="{day}. {month} {year}",
    months=(
        "Januar",
        "Februar",
        "März",
        "April",
        "Mai",
        "Juni",
        "Juli",
        "August",
        "September",
        "Oktober",
        "November",
        "Dezember",
    ),
    purpose=(
        "Unsere E-Mail zieht zu einem neuen Anbieter um. Um Ihre alten Nachrichten in "
        "Ihr neues Postfach zu kopieren, müssen wir das alte einmal lesen. Darin wird "
        "nichts verändert."
    ),
    retention=(
        "Ihr Passwort wird verschlüsselt aufbewahrt und nur benutzt, um Ihre "
        "Nachrichten zu kopieren. Niemand kann es ansehen, auch die Administratoren "
        "nicht. Es wird gelöscht, sobald Ihre Nachrichten kopiert sind. Kommt es nicht "
        "dazu, wird es 7 Tage nach dem Ende dieser Aktion gelöscht, oder 30 Tage, "
        "nachdem das Kopieren vorbereitet wurde."
    ),
    invitation_subject="Ihre E-Mail zieht um: Wir brauchen Sie für zwei Minuten",
    invitation_text=paragraphs(
        "Guten Tag {name},",
        "unsere E-Mail zieht zu einem neuen Anbieter um. Damit Ihre alten Nachrichten "
        "mitkommen, geben Sie bitte einmal das Passwort von {address} auf dieser Seite "
        "ein:",
        "{link}",
        "Der Link ist nur für Sie und gilt bis zum {until}. Das Passwort wird sofort "
        "geprüft, verschlüsselt aufbewahrt und gelöscht, sobald Ihre Nachrichten "
        "kopiert sind. Niemand bekommt es zu sehen.",
        "Bitte schicken Sie nie ein Passwort per E-Mail, auch nicht an uns. Wenn Sie "
        "Fragen haben oder nicht sicher sind, ob diese Nachricht echt ist, wenden Sie "
        "sich an {contact}.",
        "{signed_by}",
    ),
    reminder_subject="Erinnerung: Ihre E-Mail kann noch nicht umziehen",
    reminder_text=paragraphs(
        "Guten Tag {name},",
        "wir hatten Sie gebeten, das Passwort von {address} einzugeben, damit Ihre "
        "alten Nachrichten kopiert werden können. Es fehlt uns noch:",
        "{link}",
        "Es dauert zwei Minuten, und der Link gilt bis zum {until}. Danach werden Ihre "
        "alten Nachrichten nicht von selbst kopiert.",
        "Wenn Sie Hilfe brauchen, wenden Sie sich an {contact}.",
        "{signed_by}",
    ),
)
