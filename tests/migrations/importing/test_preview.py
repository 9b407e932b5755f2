"""What the rows of a table would become, and what is wrong with each."""

from __future__ import annotations

from typing import Any

from django.test import override_settings

from purelymanage.accounts.models import User
from purelymanage.mailboxes.bulk.drafts import account_for
from purelymanage.migrations.importing.columns import guess_columns
from purelymanage.migrations.importing.preview import (
    Preview,
    Surroundings,
    Verdict,
    preview,
)
from purelymanage.migrations.models import Job
from purelymanage.sheets.reading import read
from tests.account import add_deletion, add_server
from tests.migrations.importing.cases import TABLE, ImportTestCase

HEADER = "from,password,to\n"


class PreviewTestCase(ImportTestCase):
    def look(
        self, text: str, *, person: User | None = None, **surroundings: Any
    ) -> Preview:
        sheet = read(text.encode())
        person = person or self.adam
        around = Surroundings(
            server=self.server,
            person=person,
            account=account_for(person),
            **surroundings,
        )
        return preview(sheet, guess_columns(sheet).columns, around)

    def fault(self, row: str, **surroundings: Any) -> str:
        """Return what is said about a single row."""
        found = self.look(HEADER + row, **surroundings)
        self.assertEqual(found.lines[0].verdict, Verdict.ERROR)
        return " ".join(sentence for _, sentence in found.lines[0].faults)


class ColumnTests(PreviewTestCase):
    def test_the_four_columns_of_other_panels_are_known(self) -> None:
        found = self.look(TABLE)
        self.assertEqual(found.counts, {"ready": 3, "new": 0, "error": 1})
        self.assertEqual(found.lines[1].source, "info@old.example")
        self.assertEqual(found.lines[1].password, "t,wo")
        self.assertEqual(found.lines[1].destination, "info@shop.example")

    def test_they_need_no_header(self) -> None:
        for width in (3, 4):
            rows = [",".join(it.split(",")[:width]) for it in TABLE.splitlines()]
            text = "\n".join([rows[1], rows[3]])
            found = self.look(text)
            with self.subTest(width=width):
                self.assertEqual(len(found.ready), 2)
                self.assertEqual(found.lines[0].password, "one")

    def test_a_password_like_an_address_disturbs_nobody(self) -> None:
        found = self.look(
            "a@old.example;p@ss.word;orders@shop.example\n"
            "b@old.example;other;info@shop.example\n"
        )
        self.assertEqual(found.lines[0].password, "p@ss.word")

    def test_exports_of_providers_are_known(self) -> None:
        text = "Email Address [Required],Password [Required],Org Unit Path\n"
        found = self.look(text + "orders@shop.example,secret,/\n")
        self.assertEqual(found.ready[0].destination, "orders@shop.example")

    def test_german_names_are_known(self) -> None:
        found = self.look("Quelle;Passwort;Ziel\nx@old.example;y;anna@example.org")
        self.assertEqual(len(found.ready), 1)


class RowTests(PreviewTestCase):
    def test_each_row_says_what_is_wrong(self) -> None:
        to = "orders@shop.example"
        for row, words in (
            (f",secret,{to}", "There is no user."),
            (f"no body,secret,{to}", "neither an address nor the name of a user"),
            (f"a@@old.example,secret,{to}", "This is no e-mail address."),
            (f"a\u200b@old.example,secret,{to}", "nobody sees: zero width space"),
            (f"a@old.example,,{to}", "There is no password."),
            (f"a@old.example,***,{to}", "keeps to itself"),
            (f"a@old.example,#REF!,{to}", "took it for a formula"),
            (f'a@old.example,"two\nlines",{to}', "a line break"),
            ("a@old.example,secret,", "There is no new mailbox."),
            ("a@old.example,secret,orders", "There is no domain."),
            ("a@old.example,secret,o rders@shop.example", "has no spaces"),
            ("a@old.example,secret,x@nowhere.example", "no domain of this account"),
            ("a@old.example,secret,new@shop.example", "Create it first, or let"),
        ):
            with self.subTest(row=row):
                self.assertIn(words, self.fault(row))

    def test_a_user_need_be_no_address(self) -> None:
        for name in ("anna", "OFFICE\\anna", "anna@localdomain"):
            found = self.look(f"{HEADER}{name},secret,anna@example.org")
            self.assertEqual(found.ready[0].source, name)

    def test_passwords_stay_as_they_are(self) -> None:
        text = f'{HEADER}a@old.example," =se""cret ",orders@shop.example'
        found = self.look(text)
        self.assertEqual(found.ready[0].password, ' =se"cret ')
        self.assertIn("begin or end with a space", found.remarks[0])

    def test_passwords_show_up_nowhere(self) -> None:
        found = self.look(f"{HEADER}a@old.example,hidden,orders@shop.example")
        self.assertNotIn("hidden", repr(found))

    def test_a_pair_may_be_there_once(self) -> None:
        row = "A@old.example,secret,orders@shop.example\n"
        found = self.look(HEADER + row + row.lower())
        self.assertEqual(found.lines[0].verdict, Verdict.READY)
        self.assertEqual(
            found.lines[1].faults, [("", "Line 2 has the same two mailboxes.")]
        )

    def test_several_may_go_into_one(self) -> None:
        found = self.look(
            f"{HEADER}a@old.example,s,orders@shop.example\n"
            "b@old.example,s,orders@shop.example\n"
        )
        self.assertEqual(len(found.ready), 2)
        self.assertIn("1 mailbox is filled from several", found.remarks[0])

    def test_what_is_being_copied_waits(self) -> None:
        job = Job(
            server=self.server,
            source_user="a@old.example",
            destination="orders@shop.example",
        )
        row = "a@old.example,secret,orders@shop.example"
        self.assertIn("already", self.fault(row, pairs=frozenset({job.pair})))

    def test_what_is_to_be_deleted_is_frozen(self) -> None:
        add_deletion(self.olga, "orders@shop.example")
        fault = self.fault("a@old.example,secret,orders@shop.example")
        self.assertIn("orders@shop.example is to be deleted", fault)

    def test_limited_people_have_their_domains(self) -> None:
        for address in ("anna@example.org", "nobody@example.org", "x@nowhere.example"):
            row = f"a@old.example,secret,{address}"
            fault = self.fault(row, person=self.lina)
            domain = address.rpartition("@")[2]
            self.assertEqual(fault, f"{domain} is not one of your domains.")

    def test_unreadable_rows_are_told(self) -> None:
        found = self.look(f"{HEADER}a@old.example,secret\n")
        self.assertIn("2 cells", found.lines[0].faults[0][1])


class DestinationTests(PreviewTestCase):
    def test_names_take_the_chosen_domain(self) -> None:
        text = f"{HEADER}a@old.example,secret,orders"
        found = self.look(text, domain="shop.example")
        self.assertEqual(found.ready[0].destination, "orders@shop.example")

    def test_without_a_column_the_name_stays(self) -> None:
        text = "from,password\ninfo@old.example,secret\n"
        found = self.look(text, domain="shop.example")
        self.assertEqual(found.ready[0].destination, "info@shop.example")
        self.assertIn("No column is the new mailbox", found.remarks[0])
        found = self.look("from,password\nAnna@example.org,secret\n")
        self.assertEqual(found.ready[0].destination, "anna@example.org")

    def test_a_new_name_replaces_the_old(self) -> None:
        text = "from,password,new name\nlager@old.example,secret,orders\n"
        found = self.look(text, domain="shop.example")
        self.assertEqual(found.ready[0].destination, "orders@shop.example")
        text = "from,password,to,new name\nx@old.example,s,x@shop.example,a@b.example"
        found = self.look(text)
        self.assertIn("only what stands before the @", found.lines[0].faults[0][1])

    def test_what_is_missing_can_be_created(self) -> None:
        row = "a@old.example,secret,new@shop.example"
        self.assertEqual(self.look(HEADER + row).missing, 1)
        found = self.look(HEADER + row, creates_missing=True)
        self.assertEqual(found.ready[0].verdict, Verdict.NEW)

    def test_what_nobody_can_create_is_told(self) -> None:
        row = "a@old.example,secret,a+b@shop.example"
        self.assertIn("nor can there be", self.fault(row, creates_missing=True))

    def test_another_server_needs_a_password(self) -> None:
        other = add_server(self.olga, name="Other", host="other.example")
        fault = self.fault("a@old.example,secret,anna", destination_server=other)
        self.assertEqual(fault, "There is no password.")
        text = "from,password,to,dest_password\na@old.example,secret,anna,other"
        found = self.look(text, destination_server=other)
        self.assertEqual(found.ready[0].destination_password, "other")

    def test_nothing_is_copied_into_itself(self) -> None:
        text = "from,password,to,dest_password\nAnna,secret,anna,other"
        found = self.look(text, destination_server=self.server)
        self.assertEqual(
            found.lines[0].faults, [("", "The old and the new mailbox are the same.")]
        )
        row = "orders@shop.example,secret,orders@shop.example"
        with override_settings(PURELYMAIL_IMAP_HOST=self.server.host):
            self.assertIn("the old mailbox itself", self.fault(row))


class DigestTests(PreviewTestCase):
    def test_it_changes_with_what_the_rows_become(self) -> None:
        row = "a@old.example,secret,new@shop.example"
        digests = {
            self.look(HEADER + row).digest,
            self.look(HEADER + row, creates_missing=True).digest,
            self.look(f"{HEADER}{row}\n{row}").digest,
        }
        self.assertEqual(len(digests), 3)
        self.assertEqual(self.look(HEADER + row).digest, self.look(HEADER + row).digest)
