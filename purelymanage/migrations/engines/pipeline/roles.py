"""What folders are for, by what the server says and by what they are called."""

from __future__ import annotations

import unicodedata

from purelymanage.imap.folders import Folder, FolderList

# RFC 6154, and the older names Gmail gave two of them.
_ROLES = {
    "\\SENT": "sent",
    "\\DRAFTS": "drafts",
    "\\TRASH": "trash",
    "\\JUNK": "junk",
    "\\SPAM": "junk",
    "\\ARCHIVE": "archive",
}

# What programs and providers call these folders, in small letters.
_WELL_KNOWN = {
    "sent": (
        "sent", "sent items", "sent messages", "sent mail", "sent-mail", "outbox.sent",
        "gesendet", "gesendete elemente", "gesendete objekte", "gesendete nachrichten",
        "envoyés", "messages envoyés", "éléments envoyés", "enviados",
        "elementos enviados", "posta inviata", "inviata", "verzonden",
        "verzonden items", "wysłane", "skickat", "sendt", "itens enviados",
        "отправленные", "odeslané", "mensajes enviados", "verzonden berichten",
        "elementy wysłane", "skickade", "skickade objekt", "sendt post",
        "sendte elementer", "enviadas", "odeslaná pošta",
    ),
    "drafts": (
        "drafts", "draft", "entwürfe", "entwurf", "brouillons", "borradores", "bozze",
        "concepten", "szkice", "robocze", "utkast", "kladder", "rascunhos",
        "черновики", "koncepty", "wersje robocze",
    ),
    "trash": (
        "trash", "deleted items", "deleted messages", "deleted", "bin", "papierkorb",
        "gelöschte elemente", "gelöschte objekte", "gelöscht", "corbeille",
        "éléments supprimés", "papelera", "elementos eliminados", "cestino",
        "prullenbak", "verwijderde items", "kosz", "papperskorg", "papirkurv",
        "lixeira", "itens excluídos", "корзина", "удаленные", "koš", "удалённые",
        "posta eliminata", "elementy usunięte", "papperskorgen", "borttagna objekt",
        "slettet post", "slettede elementer", "lixo", "itens eliminados",
        "odstraněná pošta",
    ),
    "junk": (
        "junk", "spam", "junk e-mail", "junk email", "junk mail", "bulk mail",
        "unerwünscht", "werbung", "spamverdacht", "courrier indésirable", "indésirables",
        "correo no deseado", "posta indesiderata", "ongewenste e-mail", "ongewenst",
        "skräppost", "lixo eletrônico", "спам", "nevyžádaná pošta", "pourriel",
        "niechciane", "wiadomości-śmieci", "uønsket post", "uønsket mail",
        "uønsket e-mail", "søppelpost", "useriøs e-post", "lixo electrónico",
        "нежелательная почта", "nevyžádané",
    ),
    "archive": (
        "archive", "archives", "archiv", "archivo", "archivio", "archief", "archiwum",
        "arkiv", "arquivo", "архив", "archivados",
    ),
}  # fmt: skip
_ROLE_BY_NAME = {name: role for role, all_ in _WELL_KNOWN.items() for name in all_}


def role_of(folders: FolderList, folder: Folder) -> str | None:
    """Return what a folder is for; the server's word counts before its name."""
    for attribute in sorted(folder.attributes):
        if attribute in _ROLES:
            return _ROLES[attribute]
    return _ROLE_BY_NAME.get(_top_name(folders, folder) or "")


def folders_by_role(folders: FolderList) -> dict[str, Folder]:
    """Return the one folder for each special use; what the server says comes first."""
    found: dict[str, Folder] = {}
    for folder in folders.own():
        for attribute in sorted(folder.attributes):
            if attribute in _ROLES:
                found.setdefault(_ROLES[attribute], folder)
    named: dict[str, tuple[int, Folder]] = {}
    for folder in folders.own():
        name = _top_name(folders, folder)
        role = _ROLE_BY_NAME.get(name or "")
        if name and role is not None and role not in found and folder.selectable:
            # Of two candidates the one with the more usual name.
            rank = _WELL_KNOWN[role].index(name)
            if role not in named or rank < named[role][0]:
                named[role] = (rank, folder)
    return found | {role: folder for role, (_, folder) in named.items()}


def _top_name(folders: FolderList, folder: Folder) -> str | None:
    """Return the name of a folder at the top or right below the inbox."""
    path = folders.namespace(folder).path(folder.name)
    if path[0] == "INBOX":
        path = path[1:]
    if len(path) != 1:
        return None
    # Some servers write an ö as an o and the dots for it.
    return unicodedata.normalize("NFC", path[0]).casefold()
