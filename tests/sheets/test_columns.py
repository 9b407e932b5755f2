from __future__ import annotations

import re

import pytest

from purelymanage.sheets.columns import Guess, Target, guess, objections, values
from purelymanage.sheets.providers import plain
from purelymanage.sheets.reading import read

TARGETS = (
    Target(
        "address",
        "address",
        ("Email", "Email address", "E-Mail-Adresse", "Mail", "Adresse", "Username"),
        is_required=True,
        pattern=re.compile(r"[^@\s]+@[^@\s]+"),
    ),
    Target("password", "password", ("Kennwort", "Passwort"), is_secret=True),
    Target("recovery_email", "recovery address", ("Alternate email",)),
    Target("recovery_phone", "recovery phone"),
)
GOOGLE = (
    "First Name [Required],Last Name [Required],Email Address [Required],Password "
    "[Required],Password Hash Function [UPLOAD ONLY],Org Unit Path [Required],New "
    "Primary Email [UPLOAD ONLY],Recovery Email,Home Secondary Email,Work Secondary "
    "Email,Recovery Phone [MUST BE IN THE E.164 FORMAT],Work Phone,Home Phone,Mobile "
    "Phone,Work Address,Home Address,Employee ID,Change Password at Next Sign-In"
)
MICROSOFT = (
    "Alternate email address,Block credential,City,Department,Display name,Fax,First "
    "name,Last name,Licenses,Mobile Phone,Object Id,Phone number,Proxy addresses,Title,"
    "User principal name"
)
ENTRA = "userPrincipalName,displayName,surname,mail,givenName,objectId,userType"
MICROSOFT_FORM = (
    "Username,First name,Last name,Display name,Job title,Department,Office number,"
    "Office phone,Mobile phone,Fax,Alternate email address,Address,City"
)
MICROSOFT_GERMAN = (
    "Benutzername,Vorname,Nachname,Anzeigename,Position,Abteilung,Büronummer,"
    "Bürotelefon,Mobiltelefon,Fax,Alternative E-Mail-Adresse,Adresse,Ort"
)
ZOHO = "Username,Password,First Name,Last Name"


def guessed(header: str) -> tuple[Guess, dict[str, str]]:
    names = header.split(",")
    found = guess(names, TARGETS)
    return found, {target: names[number] for number, target in found.columns.items()}


@pytest.mark.parametrize(
    ("header", "provider", "columns"),
    [
        (
            GOOGLE,
            "Google Workspace",
            {
                "address": "Email Address [Required]",
                "password": "Password [Required]",
                "recovery_email": "Recovery Email",
                "recovery_phone": "Recovery Phone [MUST BE IN THE E.164 FORMAT]",
            },
        ),
        (
            MICROSOFT,
            "Microsoft 365",
            {
                "address": "User principal name",
                "recovery_email": "Alternate email address",
            },
        ),
        (ENTRA, "Microsoft 365", {"address": "userPrincipalName"}),
        (
            MICROSOFT_FORM,
            "Microsoft 365",
            {"address": "Username", "recovery_email": "Alternate email address"},
        ),
        (
            MICROSOFT_GERMAN,
            "Microsoft 365",
            {
                "address": "Benutzername",
                "recovery_email": "Alternative E-Mail-Adresse",
            },
        ),
        (ZOHO, "Zoho", {"address": "Username", "password": "Password"}),
        (
            "Vorname,E-Mail Adresse,Kennwort",
            "",
            {"address": "E-Mail Adresse", "password": "Kennwort"},
        ),
        ("ADDRESS*,passwort", "", {"address": "ADDRESS*", "password": "passwort"}),
    ],
)
def test_it_knows_the_exports_of_others(
    header: str, provider: str, columns: dict[str, str]
) -> None:
    found, names = guessed(header)
    assert found.provider == provider
    assert names == columns
    assert not found.doubts


@pytest.mark.parametrize(
    "name",
    ["E-Mail-Adresse", "eMail Adresse", "EMAILADRESSE [Required]", " e_mail.adresse: "],
)
def test_names_are_compared_by_their_letters(name: str) -> None:
    assert plain(name) == "emailadresse"


def test_umlauts_are_written_in_two_ways() -> None:
    assert plain("Büronummer") == plain("Bueronummer") == plain("Bu\u0308ronummer")
    assert plain("Prénom") == plain("Prenom")
    assert plain("[Required]") == "required"


def test_two_columns_for_one_target_are_told_and_not_taken() -> None:
    found, names = guessed("Email,Password,Mail")
    assert names == {"password": "Password"}
    assert found.doubts == (
        "Column 1 “Email” and Column 3 “Mail” may each be the address. Choose one.",
    )


def test_one_column_for_two_targets_is_told_and_not_taken() -> None:
    targets = (Target("a", "first", ("Phone",)), Target("b", "second", ("Phone",)))
    found = guess(["Phone"], targets)
    assert not found.columns
    assert found.doubts[0] == (
        "Column 1 “Phone” may be the first or something else. Choose."
    )
    assert len(found.doubts) == 2


def test_a_missing_address_is_told() -> None:
    found, _ = guessed("Name,City")
    assert found.doubts == ("No column is surely the address. Choose it.",)


def test_a_column_without_a_name_is_known_by_its_cells() -> None:
    sheet = read(b"Anna,anna@example.org\nBert,bert@example.org\n")
    found = guess(sheet.header, TARGETS, sheet.rows)
    assert found.columns == {1: "address"}
    assert found.remarks == (
        "Column 2 was taken for the address by what stands in it.",
    )


def test_two_columns_with_such_cells_are_told() -> None:
    sheet = read(b"a@example.org,b@example.org\n")
    found = guess(sheet.header, TARGETS, sheet.rows)
    assert not found.columns
    assert found.doubts


def test_long_names_are_cut_in_sentences() -> None:
    found = guess(["Email", "Mail" + " " * 500, "Username", "x" * 99], TARGETS)
    assert all(len(it) < 200 for it in found.doubts)


def test_a_choice_is_checked() -> None:
    header = ["a", "b"]
    assert objections({0: "address"}, header, TARGETS) == []
    assert objections({1: "password"}, header, TARGETS) == [
        "No column is the address. Choose it."
    ]
    assert objections({0: "address", 1: "address"}, header, TARGETS) == [
        "Several columns are the address. Choose one."
    ]
    assert objections({0: "address", 2: "password"}, header, TARGETS) == [
        "A column was chosen that is not in this file."
    ]
    assert objections({0: "address", 1: "shoe size"}, header, TARGETS) == [
        "A column was taken for something that is not asked for."
    ]


def test_cells_are_found_by_target() -> None:
    sheet = read(b"x,y,z\n1,2,3\n")
    assert values(sheet.rows[0], {2: "address", 0: "password"}) == {
        "address": "3",
        "password": "1",
    }
