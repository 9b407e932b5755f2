from __future__ import annotations

import pytest

from purelymanage.migrations.engines.base import CopyOptions
from purelymanage.migrations.engines.pipeline.choosing import Left, left_behind
from purelymanage.migrations.engines.pipeline.mapping import plan_routes
from tests.migrations.engines.test_mapping import account

SOURCE = account("Work", "Work/2020", "Papierkorb", "Papierkorb/Old", "Spam", "Bin")


def left(options: CopyOptions) -> dict[str, str]:
    names = {folder.wire: folder.name for folder in SOURCE.folders}
    return {names[wire]: why for wire, why in left_behind(SOURCE, options).items()}


def names(options: CopyOptions) -> dict[str, str]:
    return {
        route.source.name: route.name for route in plan_routes(SOURCE, THERE, options)
    }


THERE = account("INBOX.Trash", prefix="INBOX.", separator=".")


def test_nothing_stays_behind_by_itself() -> None:
    assert left(CopyOptions()) == {}


def test_chosen_folders_are_the_only_ones() -> None:
    chosen = CopyOptions(folders=("Work/2020",))
    assert list(names(chosen)) == ["Work/2020"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("work", ["Work"]),
        ("WORK*", ["Work", "Work/2020"]),
        ("*/2*", ["Work/2020"]),
        ("[Gmail]*", []),
        ("Wor?", []),
    ],
)
def test_patterns_know_only_the_star(pattern: str, expected: list[str]) -> None:
    assert list(left(CopyOptions(left_out=(pattern,)))) == expected


def test_trash_and_spam_go_by_name_with_all_that_lies_in_them() -> None:
    assert left(CopyOptions(skip_trash=True, skip_junk=True)) == {
        "Papierkorb": Left.TRASH,
        "Papierkorb/Old": Left.TRASH,
        "Bin": Left.TRASH,
        "Spam": Left.JUNK,
    }


def test_trash_goes_by_special_use() -> None:
    source = account("Weg", trash="Weg")
    found = left_behind(source, CopyOptions(skip_trash=True))
    assert list(found.values()) == [Left.TRASH]


@pytest.mark.parametrize("name", ["Old.Work", "Old/Work", "INBOX.Old.Work"])
def test_a_folder_goes_where_somebody_wants_it(name: str) -> None:
    wished = CopyOptions(mapping=(("Work", name),))
    # What lies in it goes along.
    assert names(wished)["Work"] == "INBOX.Old.Work"
    assert names(wished)["Work/2020"] == "INBOX.Old.Work.2020"


def test_several_folders_may_go_into_one() -> None:
    wished = CopyOptions(mapping=(("Work", "inbox"), ("Spam", "INBOX.Trash")))
    assert names(wished)["Work"] == "INBOX"
    assert names(wished)["Spam"] == names(wished)["Bin"] == "INBOX.Trash"


def test_all_goes_below_a_subfolder() -> None:
    assert names(CopyOptions(subfolder="From old/2024")) == {
        "INBOX": "INBOX.From old.2024.INBOX",
        "Bin": "INBOX.From old.2024.Bin",
        "Papierkorb": "INBOX.From old.2024.Papierkorb",
        "Papierkorb/Old": "INBOX.From old.2024.Papierkorb.Old",
        "Spam": "INBOX.From old.2024.Spam",
        "Work": "INBOX.From old.2024.Work",
        "Work/2020": "INBOX.From old.2024.Work.2020",
    }


def test_a_wish_counts_before_the_subfolder() -> None:
    options = CopyOptions(subfolder="Old", mapping=(("INBOX", "INBOX"),))
    assert names(options)["INBOX"] == "INBOX"


def test_parents_are_those_of_the_new_place() -> None:
    options = CopyOptions(folders=("Work",), subfolder="Old")
    (route,) = plan_routes(SOURCE, THERE, options)
    assert route.parents == (b"INBOX.Old",)
