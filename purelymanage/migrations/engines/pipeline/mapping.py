"""Which folder of the source goes into which folder of the destination."""

from __future__ import annotations

from dataclasses import dataclass

from purelymanage.imap import names
from purelymanage.imap.folders import Folder, FolderList
from purelymanage.imap.names import Namespace

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
        "отправленные", "odeslané",
    ),
    "drafts": (
        "drafts", "draft", "entwürfe", "entwurf", "brouillons", "borradores", "bozze",
        "concepten", "szkice", "robocze", "utkast", "kladder", "rascunhos",
        "черновики", "koncepty",
    ),
    "trash": (
        "trash", "deleted items", "deleted messages", "deleted", "bin", "papierkorb",
        "gelöschte elemente", "gelöschte objekte", "gelöscht", "corbeille",
        "éléments supprimés", "papelera", "elementos eliminados", "cestino",
        "prullenbak", "verwijderde items", "kosz", "papperskorg", "papirkurv",
        "lixeira", "itens excluídos", "корзина", "удаленные", "koš",
    ),
    "junk": (
        "junk", "spam", "junk e-mail", "junk email", "junk mail", "bulk mail",
        "unerwünscht", "werbung", "spamverdacht", "courrier indésirable", "indésirables",
        "correo no deseado", "posta indesiderata", "ongewenste e-mail", "ongewenst",
        "skräppost", "lixo eletrônico", "спам", "nevyžádaná pošta",
    ),
    "archive": (
        "archive", "archives", "archiv", "archivo", "archivio", "archief", "archiwum",
        "arkiv", "arquivo", "архив",
    ),
}  # fmt: skip
_ROLE_BY_NAME = {name: role for role, all_ in _WELL_KNOWN.items() for name in all_}


@dataclass(frozen=True, slots=True)
class Route:
    source: Folder
    wire: bytes
    name: str
    exists: bool
    # At the destination.
    subscribed: bool
    # The folders above it there, from the top.
    parents: tuple[bytes, ...]


def plan_routes(source: FolderList, destination: FolderList) -> list[Route]:
    """Return a route for each folder of the source that can hold messages."""
    home = destination.home()
    existing = {folder.name: folder for folder in destination.folders}
    roles_there = _roles(destination)
    taken_by = {folder.wire: role for role, folder in _roles(source).items()}
    # Where folders with a special use went, so that what lies in them goes along.
    moved: dict[tuple[str, ...], tuple[str, ...]] = {}
    routes = []
    for path, folder in _sorted(source):
        match = roles_there.get(taken_by.get(folder.wire, ""))
        if match is not None and "\\NOINFERIORS" not in match.attributes:
            moved[path] = destination.namespace(match).path(match.name)
        if match is None:
            match = existing.get(home.name(_legal(path, home)))
        if match is not None:
            shown, wire = match.name, match.wire
        else:
            shown = home.name(_legal(_follow(path, moved), home))
            match = existing.get(shown)
            wire = match.wire if match is not None else names.encode(shown)
        exists = match is not None and "\\NONEXISTENT" not in match.attributes
        if match is not None and "\\NOSELECT" in match.attributes:
            # A level that only holds others becomes a folder by being created.
            exists = False
        subscribed = match is not None and match.subscribed
        above = _legal(path, home)
        parents = tuple(
            names.encode(home.name(above[:depth])) for depth in range(1, len(above))
        )
        routes.append(Route(folder, wire, shown, exists, subscribed, parents))
    return routes


def _sorted(source: FolderList) -> list[tuple[tuple[str, ...], Folder]]:
    """Return what can be copied, the inbox first and parents before children."""
    found = [
        (source.namespace(folder).path(folder.name), folder)
        for folder in source.own()
        if folder.selectable
    ]

    def place(item: tuple[tuple[str, ...], Folder]) -> tuple[bool, list[str], str]:
        path, folder = item
        return path[0] != "INBOX", [level.casefold() for level in path], folder.name

    return sorted(found, key=place)


def _roles(folders: FolderList) -> dict[str, Folder]:
    """Return the one folder for each special use; what the server says comes first."""
    found: dict[str, Folder] = {}
    for folder in folders.own():
        for attribute in sorted(folder.attributes):
            if attribute in _ROLES:
                found.setdefault(_ROLES[attribute], folder)
    named: dict[str, tuple[int, Folder]] = {}
    for folder in folders.own():
        path = folders.namespace(folder).path(folder.name)
        if path[0] == "INBOX":
            path = path[1:]
        role = _ROLE_BY_NAME.get(path[0].casefold()) if len(path) == 1 else None
        if role is not None and role not in found and folder.selectable:
            # Of two candidates the one with the more usual name.
            rank = _WELL_KNOWN[role].index(path[0].casefold())
            if role not in named or rank < named[role][0]:
                named[role] = (rank, folder)
    return found | {role: folder for role, (_, folder) in named.items()}


def _follow(
    path: tuple[str, ...], moved: dict[tuple[str, ...], tuple[str, ...]]
) -> tuple[str, ...]:
    """Return a path below the folder that its nearest moved parent became."""
    for depth in range(len(path) - 1, 0, -1):
        if path[:depth] in moved:
            return moved[path[:depth]] + path[depth:]
    return path


def _legal(path: tuple[str, ...], home: Namespace) -> tuple[str, ...]:
    """Return levels the destination can store, the same ones on each run."""
    return tuple(_legal_level(level, home.separator) for level in path)


def _legal_level(level: str, separator: str) -> str:
    clean = "".join("_" if ord(c) < 0x20 or ord(c) == 0x7F else c for c in level)
    # Where levels are parted by dots, folders usually are directories.
    for character in {separator, "/"} - {""}:
        clean = clean.replace(character, "_")
    if not clean.strip(".") or clean.startswith("~"):
        clean = "_" + clean.replace(".", "_")
    return clean
