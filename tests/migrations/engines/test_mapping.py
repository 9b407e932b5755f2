from __future__ import annotations

import pytest

from purelymanage.imap import names
from purelymanage.imap.folders import Folder, FolderList
from purelymanage.imap.names import Namespace
from purelymanage.migrations.engines.pipeline.mapping import plan_routes


def account(
    *folders: str, prefix: str = "", separator: str = "/", **special: str
) -> FolderList:
    """Make an account; `special` names folders by their special use."""
    uses = {name: f"\\{use.upper()}" for use, name in special.items()}
    return FolderList(
        [
            Folder(
                names.encode(name),
                name,
                separator,
                frozenset({uses[name]}) if name in uses else frozenset(),
            )
            for name in ("INBOX", *folders, *(n for n in uses if n not in folders))
        ],
        [Namespace(prefix, separator)],
    )


def routes(source: FolderList, destination: FolderList) -> dict[str, str]:
    return {
        route.source.name: route.name + ("" if route.exists else " (new)")
        for route in plan_routes(source, destination)
        if route.source.name != "INBOX"
    }


def test_names_stay_as_they_are() -> None:
    assert routes(account("Work", "Work/2020"), account("Work")) == {
        "Work": "Work",
        "Work/2020": "Work/2020 (new)",
    }


def test_the_inbox_comes_first_and_parents_before_children() -> None:
    source = account("b/c", "a", "b")
    order = [route.source.name for route in plan_routes(source, account())]
    assert order == ["INBOX", "a", "b", "b/c"]


def test_separators_and_prefixes_are_translated() -> None:
    courier = account("INBOX.Work.v1", prefix="INBOX.", separator=".")
    assert routes(courier, account()) == {"INBOX.Work.v1": "Work/v1 (new)"}
    there = account(prefix="INBOX.", separator=".")
    assert routes(account("Work/v1", "INBOX/Sub"), there) == {
        "INBOX/Sub": "INBOX.Sub (new)",
        "Work/v1": "INBOX.Work.v1 (new)",
    }


@pytest.mark.parametrize(
    ("name", "there"),
    [("a.b", "a_b"), ("a\x01b", "a_b"), ("~root", "_~root"), ("..", "__")],
)
def test_what_the_destination_cannot_store_is_replaced(name: str, there: str) -> None:
    destination = account(separator=".")
    assert routes(account(name), destination) == {name: f"{there} (new)"}


def test_special_use_goes_by_attribute_before_name() -> None:
    source = account("Gesendet", "Sent", sent="Gesendet")
    destination = account("Sent Items", sent="Sent Items")
    assert routes(source, destination) == {
        "Gesendet": "Sent Items",
        "Sent": "Sent (new)",
    }


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("Gesendete Elemente", "Sent"),
        ("Entwürfe", "Drafts"),
        ("Papierkorb", "Trash"),
        ("Deleted Items", "Trash"),
        ("Junk E-Mail", "Junk"),
        ("SPAM", "Junk"),
        ("Archiv", "Archive"),
        ("Corbeille", "Trash"),
        ("Отправленные", "Sent"),
    ],
)
def test_well_known_names_find_their_folder(name: str, there: str) -> None:
    destination = account("Sent", "Drafts", "Trash", "Junk", "Archive")
    assert routes(account(name), destination) == {name: there}
    # And where there is none, the name stays
    assert routes(account(name), account()) == {name: f"{name} (new)"}


def test_a_folder_below_another_is_never_special() -> None:
    assert routes(account("Work/Spam"), account("Junk")) == {
        "Work/Spam": "Work/Spam (new)"
    }


def test_what_lies_in_a_special_folder_goes_along() -> None:
    source = account("Archiv", "Archiv.2021.May", "Archive", separator=".")
    assert routes(source, account(archive="Archive")) == {
        "Archive": "Archive",
        "Archiv": "Archiv (new)",
        "Archiv.2021.May": "Archiv/2021/May (new)",
    }
    source = account("Archiv", "Archiv.2021.May", separator=".")
    assert routes(source, account(archive="Archive")) == {
        "Archiv": "Archive",
        "Archiv.2021.May": "Archive/2021/May (new)",
    }
    # As it was found by an earlier copy, whoever made it
    there = account("Archiv/2021/May", archive="Archive")
    assert routes(source, there)["Archiv.2021.May"] == "Archiv/2021/May"
    there = account("Archive/2021/May", archive="Archive")
    assert routes(source, there)["Archiv.2021.May"] == "Archive/2021/May"


def test_the_usual_name_wins_among_several() -> None:
    source = account("Spam", "Junk")
    assert routes(source, account(junk="Bulk")) == {
        "Junk": "Bulk",
        "Spam": "Spam (new)",
    }


def test_what_holds_no_messages_is_left_out() -> None:
    source = account("Level/Below")
    source.folders.append(Folder(b"Level", "Level", "/", frozenset({"\\NOSELECT"})))
    assert routes(source, account()) == {"Level/Below": "Level/Below (new)"}
