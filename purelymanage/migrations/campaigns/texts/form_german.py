# ruff: noqa: S106  # words about passwords are none
from __future__ import annotations

from purelymanage.migrations.campaigns.texts.form import HowTo, Words

PASTE = "Kopieren Sie, was angezeigt wird, und fügen Sie es hier als Passwort ein."

WORDS = Words(
    language="de",
    title="Ihr Postfach zieht um",
    skip="Zum Inhalt springen",
    address="Ihr heutiges Postfach",
    address_help="Die Adresse des alten Postfachs, etwa anna@example.org.",
    not_yours="Nicht Ihres? Melden Sie es {contact} und machen Sie nicht weiter.",
    password="Das Passwort dazu",
    password_help="Das Passwort, mit dem Sie heute Ihre E-Mail lesen.",
    password_again="Geben Sie das Passwort noch einmal ein: Diese Seite behält es nicht.",
    user="Benutzername",
    user_summary="Sie melden sich mit einem anderen Namen als der Adresse an?",
    user_help="Nur wenn Ihr Mailprogramm sich mit etwas anderem anmeldet.",
    consent="Dieses Postfach darf gelesen werden, um es zu kopieren.",
    withdraw_by_link=(
        "Bis das Kopieren beginnt, können Sie das mit diesem Link zurücknehmen."
    ),
    withdraw_by_contact=(
        "Um es zurückzunehmen, bevor das Kopieren beginnt, schreiben Sie an {contact}."
    ),
    send="Prüfen und senden",
    trying="Das dauert einige Sekunden: Das Passwort wird sofort geprüft.",
    how_to="So erstellen Sie ein App-Passwort bei {provider}",
    provider_page="Anleitung von {provider}",
    what_happens="Was mit dem Passwort geschieht",
    nobody_sees=(
        "Verschlüsselt aufbewahrt. Niemand kann es ansehen, auch nicht die "
        "Administratoren."
    ),
    tried_at="Geprüft bei {host}, sonst bekommt es niemand.",
    erased="Spätestens am {erased} gelöscht, wenn damit nichts kopiert wird.",
    questions="Fragen:",
    link_for_you="Dieser Link ist nur für Sie und gilt bis zum {ends}.",
    link_for_all="Dieser Link gilt bis zum {ends}.",
    address_missing="Geben Sie die Adresse Ihres alten Postfachs ein.",
    address_wrong="Geben Sie die ganze Adresse ein, etwa anna@example.org.",
    password_missing="Geben Sie das Passwort dieses Postfachs ein.",
    password_too_long="So lang ist kein Passwort.",
    user_wrong="Ein Benutzername hat keine Zeilenumbrüche und höchstens 254 Zeichen.",
    consent_missing="Ohne Ihre Zustimmung kann das Postfach nicht kopiert werden.",
    refused=(
        "Der Mailserver hat dieses Passwort abgelehnt. Achten Sie auf Großbuchstaben "
        "und Leerzeichen, und auf die Adresse."
    ),
    refused_app_password=(
        "{provider} hat dieses Passwort abgelehnt. Dort gelten nur App-Passwörter, "
        "nicht das, mit dem Sie sich sonst anmelden. Wie Sie eines erstellen, steht "
        "unten."
    ),
    refused_no_passwords=(
        "{provider} lässt niemanden mehr mit einem Passwort herein. Bitte melden Sie "
        "das {contact}: Dieses Postfach braucht einen anderen Weg."
    ),
    right_title="Das Passwort stimmt",
    right=(
        "Vielen Dank, mehr ist nicht zu tun. Ihre Nachrichten werden kopiert, sobald "
        "die Administratoren damit beginnen. Bitte behalten Sie dieses Passwort bis "
        "dahin."
    ),
    right_shared=(
        "Sie können diese Seite schließen. Um es zu ändern oder zurückzunehmen, "
        "schreiben Sie an {contact}."
    ),
    kept_title="Das Passwort wird später geprüft",
    kept=(
        "Der Mailserver konnte noch nicht gefragt werden. Ihr Passwort wird "
        "verschlüsselt aufbewahrt und später von selbst geprüft. Sie müssen nichts "
        "tun."
    ),
    kept_own=(
        "Das Ergebnis schreiben wir an {address}. Auch diese Seite zeigt es dann an."
    ),
    kept_shared=(
        "Wenn {address} zu den bekannten Adressen gehört, schreiben wir dorthin, wie "
        "es ausging."
    ),
    kept_other=(
        "Sie melden sich mit einem anderen Namen an als {address}, deshalb schreiben "
        "wir nicht dorthin, wie es ausging. Wenn Sie sich beim Passwort nicht sicher "
        "sind, geben Sie es morgen noch einmal ein."
    ),
    too_often_title="Bitte kommen Sie {when} wieder",
    too_often=(
        "Es gab mehrere Versuche, deshalb macht diese Seite eine Pause. Es wurde "
        "nichts geprüft und nichts gespeichert. Kommen Sie {when} wieder, und sehen "
        "Sie vielleicht noch einmal nach Ihrem Passwort. Hilfe gibt es bei {contact}."
    ),
    in_minutes="in {number} Minuten",
    in_an_hour="in 1 Stunde",
    in_hours="in {number} Stunden",
    tomorrow="morgen",
    withdrawn_title="Sie haben Ihr Passwort zurückgenommen",
    withdrawn="Es wurde gelöscht. Wenn Sie es sich anders überlegen, geben Sie es neu ein.",
    refused_title="Das Passwort wurde abgelehnt",
    refused_since=(
        "Das vom {received} war falsch. Bitte geben Sie das richtige Passwort ein."
    ),
    left_title="Ein Passwort wurde schon eingegeben",
    left=(
        "Das war am {received} für dieses Postfach, über den Link für alle. Wenn Sie "
        "das waren, müssen Sie nichts mehr tun. Wenn nicht, geben Sie Ihres ein."
    ),
    needed_title="Wir brauchen Ihr Passwort noch einmal",
    needed=(
        "Das vom {received} öffnet Ihr altes Postfach nicht mehr oder wurde "
        "inzwischen wie angekündigt gelöscht. Geben Sie bitte das heutige ein, damit "
        "das Kopieren weitergehen kann."
    ),
    moved_title="Bitte lesen Sie diese Seite noch einmal",
    moved=(
        "Passwörter werden jetzt bei {host} geprüft. Was Sie eben eingegeben haben, "
        "wurde weder geprüft noch gespeichert. Geben Sie es noch einmal ein, wenn Ihr "
        "altes Postfach dort liegt."
    ),
    again="Noch einmal versuchen",
    received="Eingegeben am {received}.",
    correct="Ein anderes Passwort eingeben",
    withdraw="Zurücknehmen und löschen",
    withdraw_title="Anders überlegt?",
    withdraw_text="Ihr Passwort wird gelöscht, und Ihr Postfach wird nicht kopiert.",
    over_title="Diese Aktion ist beendet",
    over=(
        "Hier werden keine Passwörter mehr angenommen. Wenn in Ihrem neuen Postfach "
        "alte Nachrichten fehlen, wenden Sie sich an {contact}."
    ),
    over_erased=(
        "Hier werden keine Passwörter mehr angenommen, und es ist keines gespeichert, "
        "außer eine Kopie Ihres Postfachs braucht es noch."
    ),
    removed_title="Sie müssen nichts tun",
    removed=(
        "Dieses Postfach wurde von der Liste genommen, es wird kein Passwort "
        "gebraucht. Wenn Sie das für einen Irrtum halten, wenden Sie sich an {contact}."
    ),
    unknown_title="Dieser Link funktioniert nicht",
    unknown=(
        "Vielleicht fehlt ein Teil davon: Kopieren Sie den ganzen Link aus der "
        "Nachricht, bis zum letzten Buchstaben. Oder die Aktion ist schon länger "
        "beendet, und alles über Sie wurde gelöscht. Fragen Sie im Zweifel den "
        "Absender."
    ),
    forged_title="Bitte öffnen Sie die Seite noch einmal",
    forged=(
        "Ihr Browser hat nicht mitgeschickt, was beweist, dass das Formular hier "
        "ausgefüllt wurde. Es wurde nichts geprüft und nichts gespeichert. Meistens "
        "sind Cookies abgeschaltet, oder die Seite war sehr lange offen."
    ),
    forged_again="Seite neu öffnen",
    busy_title="Bitte senden Sie es in einer Minute noch einmal",
    busy=(
        "Gerade sind viele Menschen hier, deshalb wurde Ihr Formular nicht angesehen. "
        "Es ist nichts verloren: Warten Sie eine Minute, laden Sie dann diese Seite "
        "neu und lassen Sie Ihren Browser das Formular noch einmal senden. Bietet er "
        "das nicht an, gehen Sie zurück und füllen Sie es noch einmal aus."
    ),
    no_form_title="Bitte öffnen Sie die Seite noch einmal",
    no_form=(
        "Was ankam, war nicht dieses Formular. Es wurde nichts geprüft und nichts "
        "gespeichert."
    ),
    down_title="Diese Seite funktioniert gerade nicht",
    down=(
        "Das liegt nicht an Ihnen, und Ihr Link gilt weiter. Kommen Sie in ein paar "
        "Minuten wieder. Wenn es dann immer noch nicht geht, wenden Sie sich an den "
        "Absender des Links."
    ),
    down_sent=(
        "Das liegt nicht an Ihnen, und Ihr Link gilt weiter. Ob angekommen ist, was "
        "Sie eben gesendet haben, ist ungewiss: Öffnen Sie den Link in ein paar "
        "Minuten noch einmal, und geben Sie es noch einmal ein, wenn danach gefragt "
        "wird."
    ),
    mail_greeting="Guten Tag,",
    mail_right_subject="Das Passwort von {address} stimmt",
    mail_right=(
        "der Mailserver hat inzwischen geantwortet: Das Passwort von {address}, das "
        "Sie am {day} eingegeben haben, stimmt. Mehr ist nicht zu tun. Ihre "
        "Nachrichten werden kopiert, sobald die Administratoren damit beginnen. Bitte "
        "behalten Sie dieses Passwort bis dahin."
    ),
    mail_refused_subject="Das Passwort von {address} wurde abgelehnt",
    mail_refused=(
        "der Mailserver hat inzwischen geantwortet und das Passwort von {address}, das "
        "Sie am {day} eingegeben haben, abgelehnt. Es wurde gelöscht. Bitte geben Sie "
        "bis zum {until} das richtige ein:\n\n{link}"
    ),
    mail_unanswered_subject="Das Passwort von {address} konnte nicht geprüft werden",
    mail_unanswered=(
        "das Passwort von {address}, das Sie am {day} eingegeben haben, konnte nicht "
        "geprüft werden: Der Mailserver hat nie geantwortet. Es wurde gelöscht, und "
        "Ihre alten Nachrichten werden nicht von selbst kopiert."
    ),
    mail_questions=(
        "Wenn Sie das nicht waren oder Fragen haben, wenden Sie sich an {contact}."
    ),
    app_passwords={
        "gmail": HowTo(
            steps=(
                "Melden Sie sich bei myaccount.google.com an und öffnen Sie "
                "„Sicherheit“.",
                "Schalten Sie die Bestätigung in zwei Schritten ein, falls sie aus ist.",
                "Suchen Sie oben nach „App-Passwörter“ und erstellen Sie eines namens "
                "„Umzug“.",
                PASTE,
            ),
            page="https://support.google.com/accounts/answer/185833?hl=de",
        ),
        "yahoo": HowTo(
            steps=(
                "Melden Sie sich bei login.yahoo.com an und öffnen Sie „Sicherheit“.",
                "Wählen Sie „App-Passwort generieren“ und nennen Sie es „Umzug“.",
                PASTE,
            ),
            page="https://help.yahoo.com/kb/generate-manage-rd-party-passwords-sln15241.html",
        ),
        "icloud": HowTo(
            steps=(
                "Melden Sie sich bei account.apple.com an und öffnen Sie „Anmeldung und "
                "Sicherheit“.",
                "Wählen Sie „Anwendungsspezifische Passwörter“ und erstellen Sie eines "
                "namens „Umzug“.",
                PASTE,
                "Wird es abgelehnt, geben Sie als Benutzernamen den Teil vor dem @ ein.",
            ),
            page="https://support.apple.com/de-de/102654",
        ),
        "zoho": HowTo(
            steps=(
                "Öffnen Sie in Zoho Mail „Einstellungen“, „E-Mail-Konten“ und schalten "
                "Sie IMAP ein.",
                "Bei Anmeldung mit zwei Faktoren: Öffnen Sie bei accounts.zoho.com "
                "„Sicherheit“ und erstellen Sie ein anwendungsspezifisches Passwort.",
                PASTE,
            ),
            page="https://www.zoho.com/mail/help/imap-access.html",
        ),
        "fastmail": HowTo(
            steps=(
                "Melden Sie sich bei fastmail.com an und öffnen Sie „Settings“, "
                "„Privacy & Security“.",
                "Erstellen Sie unter „Connected apps & API tokens“ ein App-Passwort für "
                "E-Mail.",
                PASTE,
            ),
            page="https://www.fastmail.help/hc/en-us/articles/360058752854",
        ),
        "yandex": HowTo(
            steps=(
                "Öffnen Sie in Yandex Mail „All settings“, „Email clients“ und erlauben "
                "Sie IMAP mit App-Passwörtern.",
                "Öffnen Sie bei id.yandex.com „Security“ und erstellen Sie ein "
                "App-Passwort für E-Mail.",
                PASTE,
            ),
            page="https://yandex.com/support/passport/authorization/app-passwords.html",
        ),
    },
)
