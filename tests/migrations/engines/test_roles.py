from __future__ import annotations

import unicodedata

import pytest

from purelymanage.imap.folders import Folder, FolderList
from purelymanage.imap.names import Namespace, encode
from purelymanage.migrations.engines.pipeline.roles import folders_by_role, role_of

ROLES = ("sent", "drafts", "trash", "junk", "archive")
NAMES = {
    "English": ("Sent Items", "Drafts", "Deleted Items", "Junk E-mail", "Archive"),
    "German": ("Gesendet", "Entwürfe", "Papierkorb", "Unerwünscht", "Archiv"),
    "French": (
        "Messages envoyés",
        "Brouillons",
        "Corbeille",
        "Courrier indésirable",
        "Archives",
    ),
    "Spanish": ("Enviados", "Borradores", "Papelera", "Correo no deseado", "Archivo"),
    "Italian": ("Posta inviata", "Bozze", "Cestino", "Posta indesiderata", "Archivio"),
    "Dutch": ("Verzonden", "Concepten", "Prullenbak", "Ongewenste e-mail", "Archief"),
    "Polish": ("Wysłane", "Szkice", "Kosz", "Wiadomości-śmieci", "Archiwum"),
    "Swedish": ("Skickat", "Utkast", "Papperskorgen", "Skräppost", "Arkiv"),
    "Danish": ("Sendt post", "Kladder", "Slettet post", "Uønsket post", "Arkiv"),
    "Norwegian": ("Sendt", "Utkast", "Slettede elementer", "Søppelpost", "Arkiv"),
    "Portuguese": ("Itens enviados", "Rascunhos", "Lixeira", "Spam", "Arquivo"),
    "Russian": ("Отправленные", "Черновики", "Корзина", "Спам", "Архив"),
    "Czech": ("Odeslané", "Koncepty", "Koš", "Nevyžádaná pošta", "Archiv"),
}


def mailbox(*folders: Folder, prefix: str = "") -> FolderList:
    return FolderList(list(folders), [Namespace(prefix, ".")])


@pytest.mark.parametrize("prefix", ["", "INBOX."])
@pytest.mark.parametrize("language", NAMES)
def test_folders_are_known_by_their_names(language: str, prefix: str) -> None:
    folders = mailbox(
        *(Folder(encode(prefix + it), prefix + it, ".") for it in NAMES[language]),
        prefix=prefix,
    )
    found = folders_by_role(folders)
    assert {role: folder.name for role, folder in found.items()} == {
        role: prefix + name for role, name in zip(ROLES, NAMES[language], strict=True)
    }


def test_letters_may_be_written_in_parts_and_in_any_case() -> None:
    name = unicodedata.normalize("NFD", "ENTWÜRFE")
    folder = Folder(encode(name), name, ".")
    assert role_of(mailbox(folder), folder) == "drafts"


def test_what_the_server_says_counts_before_a_name() -> None:
    named = Folder(b"Sent", "Sent", ".")
    told = Folder(b"Old", "Old", ".", frozenset({"\\SENT"}))
    assert folders_by_role(mailbox(named, told)) == {"sent": told}


def test_a_folder_further_down_has_no_role() -> None:
    folder = Folder(b"Work.Sent", "Work.Sent", ".")
    assert role_of(mailbox(folder), folder) is None
