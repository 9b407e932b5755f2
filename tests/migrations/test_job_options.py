from __future__ import annotations

from datetime import date
from typing import Any

from django.test import SimpleTestCase

from purelymanage.errors import Refused
from purelymanage.migrations.models import Job, Server
from purelymanage.migrations.options import JobOptions, copy_options

FULL = JobOptions(
    folders=("INBOX", "Work"),
    left_out=("Old*",),
    mapping=(("Work", "Jobs"),),
    subfolder="Before",
    skip_trash=True,
    skip_junk=True,
    since=date(2024, 5, 31),
    max_message_bytes=25_000_000,
    flags_only=True,
    messages_a_second=2.5,
)
NONSENSE: list[dict[str, Any]] = [
    {"delete": True},
    {"folders": "INBOX"},
    {"folders": [1]},
    {"mapping": [["a", "b"]]},
    {"subfolder": "a\nb"},
    {"skip_trash": "yes"},
    {"since": "yesterday"},
    {"max_message_bytes": 0},
    {"max_message_bytes": True},
    {"messages_a_second": 0},
    {"messages_a_second": 1e9},
    {"left_out": ["x" * 1001]},
]


class JobOptionsTests(SimpleTestCase):
    def test_what_is_stored_is_read_again(self) -> None:
        self.assertEqual(JobOptions.read(FULL.as_stored()), FULL)
        self.assertEqual(JobOptions().as_stored(), {})
        self.assertEqual(JobOptions.read({}), JobOptions())

    def test_the_list_is_closed(self) -> None:
        for stored in NONSENSE:
            with self.subTest(stored=stored), self.assertRaises(Refused):
                JobOptions.read(stored)

    def test_each_option_has_its_words(self) -> None:
        words = "\n".join(FULL.in_words())
        for expected in (
            "Only marks", "2 chosen folders", "Without Old*", "trash and spam",
            "below Before", "Work goes to Jobs", "31 May 2024", "25.0\u00a0MB", "2.5",
        ):  # fmt: skip
            self.assertIn(expected, words)
        self.assertEqual(JobOptions().in_words(), [])

    def test_the_limits_of_the_server_hold_as_well(self) -> None:
        server = Server(messages_a_second=1.5, left_out_folders=["[Gmail]/All Mail"])
        job = Job(server=server, options={"messages_a_second": 4, "left_out": ["a"]})
        found = copy_options(job, dry_run=True, most_a_day=7)
        self.assertEqual(found.messages_a_second, 1.5)
        job.destination_server = Server(messages_a_second=0.5)
        found = copy_options(job, dry_run=True, most_a_day=7)
        self.assertEqual(found.messages_a_second, 0.5)
        job.destination_server = None
        self.assertEqual(found.left_out, ("a", "[Gmail]/All Mail"))
        self.assertEqual((found.dry_run, found.most_a_day), (True, 7))

    def test_folders_chosen_one_by_one_are_what_counts(self) -> None:
        server = Server(left_out_folders=["Work"])
        job = Job(server=server, options=FULL.as_stored())
        found = copy_options(job, dry_run=False)
        self.assertEqual(found.folders, ("INBOX", "Work"))
        self.assertEqual((found.left_out, found.skip_trash), ((), False))
