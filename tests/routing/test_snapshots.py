"""What the account was: kept, compared, downloaded."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest import mock

from django.db import connection
from django.utils import timezone

from purelymanage.audit.models import Entry
from purelymanage.domains.models import Domain, SyncRun
from purelymanage.mailboxes.bulk.beforehand import do_beforehand
from purelymanage.mailboxes.models import Mailbox
from purelymanage.routing import tasks
from purelymanage.routing.models import Rule, Snapshot, SnapshotContent
from purelymanage.routing.snapshots.comparing import compare
from purelymanage.routing.snapshots.presentation import Items
from purelymanage.routing.snapshots.taking import drop_old, present_state, take
from tests.account import fill_account
from tests.cast import CastTestCase

DAILY = Snapshot.Occasion.DAILY
# Of which the side bar takes six, and the session four.
QUERIES = 9


class SnapshotTestCase(CastTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        fill_account()
        fill_account(rows=2, domain="shop.example")

    def take(self, **columns: Any) -> Snapshot:
        snapshot = take(Snapshot.Occasion.ASKED, actor=self.adam)
        assert snapshot is not None
        Snapshot.objects.filter(pk=snapshot.pk).update(**columns)
        return snapshot


class TakingTests(SnapshotTestCase):
    def test_one_is_taken_each_day(self) -> None:
        self.assertEqual(tasks.keep_snapshot(), "taken")
        self.assertEqual(tasks.keep_snapshot(), "there already")
        tomorrow = timezone.now() + timedelta(days=1)
        with mock.patch("django.utils.timezone.now", return_value=tomorrow):
            self.assertEqual(tasks.keep_snapshot(), "taken")
        self.assertEqual(Snapshot.objects.filter(occasion=DAILY).count(), 2)

    def test_the_same_is_stored_once(self) -> None:
        first, second = self.take(), self.take()
        self.assertEqual(first.content, second.content)
        # A rule that was made anew is no change either.
        Rule.objects.filter(remote_id=1).update(remote_id=77)
        self.assertEqual(self.take().content, first.content)
        Rule.objects.filter(remote_id=77).update(targets=["else@example.org"])
        self.assertNotEqual(self.take().content, first.content)

    def test_nothing_is_kept_before_the_first_sync(self) -> None:
        SyncRun.objects.all().delete()
        self.assertEqual(tasks.keep_snapshot(), "there already")
        self.assertFalse(Snapshot.objects.exists())

    def test_nothing_private_is_in_it(self) -> None:
        content = json.dumps(self.take().content.state)
        self.assertNotIn("home.example", content)
        self.assertNotIn("recovery", content)

    def test_of_old_ones_the_first_of_each_month_is_kept(self) -> None:
        now = timezone.now()
        for days in range(0, 200, 5):
            self.take(taken_at=now - timedelta(days=days))
        Rule.objects.filter(remote_id=1).delete()
        self.take(taken_at=now - timedelta(days=100))
        drop_old()
        kept = list(Snapshot.objects.order_by("taken_at").values_list("taken_at"))
        limit = now - Snapshot.DAILY_FOR
        old = [it for (it,) in kept if it < limit]
        months = {(it.year, it.month) for it in old}
        self.assertEqual(len(old), len(months))
        self.assertEqual(len(kept) - len(old), 18)
        # What only a dropped one held is gone as well.
        self.assertEqual(SnapshotContent.objects.count(), 1)

    def test_what_somebody_has_just_used_again_is_kept(self) -> None:
        """Between the look at what is unused and its end, another worker may come."""
        content = self.take().content
        Snapshot.objects.all().delete()
        came: list[Snapshot] = []

        def meanwhile(
            execute: Callable[..., Any], sql: str, params: Any, many: Any, context: Any
        ) -> Any:
            answer = execute(sql, params, many, context)
            if "SKIP LOCKED" in sql and not came:
                came.append(Snapshot(content=content, occasion=DAILY))
                came[0].save()
            return answer

        with connection.execute_wrapper(meanwhile):
            drop_old()
        self.assertEqual(Snapshot.objects.get(), came[0])
        self.assertEqual(SnapshotContent.objects.get(), content)

    def test_a_bulk_change_of_mailboxes_takes_one_before(self) -> None:
        do_beforehand(self.adam)
        snapshot = Snapshot.objects.get()
        self.assertEqual(snapshot.occasion, Snapshot.Occasion.MAILBOXES)
        self.assertEqual(snapshot.requested_by, self.adam)


class ComparingTests(SnapshotTestCase):
    def test_each_difference_is_said_in_words(self) -> None:
        before = present_state()
        Domain.objects.filter(name="d0.example.org").update(gone_at=timezone.now())
        Domain.objects.filter(name="example.org").update(symbolic_subaddressing=False)
        Mailbox.objects.filter(address="box0@example.org").update(two_factor=False)
        Mailbox.objects.create(address="new@example.org", domain="example.org")
        Rule.objects.filter(remote_id=1).delete()
        Rule.objects.filter(remote_id=2).update(
            targets=["box1@example.org", "ext@elsewhere.example"]
        )
        Rule.objects.filter(remote_id=3).update(targets=["ext@elsewhere.example"])
        found = compare(before, present_state())
        said = [
            (change.word, change.name, change.sentence)
            for _, changes in found.parts
            for change in changes
        ]
        self.assertEqual(
            said,
            [
                (
                    "removed",
                    "d0.example.org",
                    "With account recovery through it on and subaddressing on.",
                ),
                ("changed", "example.org", "Subaddressing was on and is off."),
                (
                    "changed",
                    "box0@example.org",
                    "Two-factor sign-in was on and is off.",
                ),
                ("added", "new@example.org", ""),
                ("removed", "alias0@example.org", "To box0@example.org."),
                (
                    "changed",
                    "alias1@example.org",
                    "Goes to ext@elsewhere.example as well.",
                ),
                (
                    "changed",
                    "alias2@example.org",
                    "Went to box2@example.org and goes to ext@elsewhere.example.",
                ),
            ],
        )
        self.assertEqual(found.summary, "2 domains, 2 mailboxes and 3 rules")

    def test_capitals_alone_are_no_change_of_a_rule(self) -> None:
        before = present_state()
        Rule.objects.filter(remote_id=1).update(match_user="Alias0")
        Rule.objects.filter(remote_id=2).update(targets=["Box1@Example.org"])
        Rule.objects.filter(remote_id=3).update(
            match_user="ALIAS2", targets=["ext@elsewhere.example"]
        )
        after = present_state()
        for one, other, words in (
            (
                before,
                after,
                "Went to box2@example.org and goes to ext@elsewhere.example",
            ),
            (
                after,
                before,
                "Went to ext@elsewhere.example and goes to box2@example.org",
            ),
        ):
            [change] = compare(one, other).rules
            self.assertEqual(
                (change.word, change.name), ("changed", "alias2@example.org")
            )
            self.assertEqual(change.sentence, f"{words}.")

    def test_of_rules_with_the_same_name_the_right_one_is_missing(self) -> None:
        """PurelyMail may take capital letters for others."""
        rule = Rule.objects.get(remote_id=1)
        for number, name in ((901, "ALIAS0"), (902, rule.match_user)):
            rule.pk, rule.remote_id, rule.match_user = None, number, name
            rule.targets = [f"{number}@elsewhere.example"]
            rule.save(force_insert=True)
        before = present_state()
        self.assertEqual(compare(before, present_state()).count, 0)
        for number in (901, 902):
            Rule.objects.filter(remote_id=number).update(gone_at=timezone.now())
            [change] = compare(before, present_state()).rules
            self.assertEqual(
                (change.word, change.name), ("removed", "alias0@example.org")
            )
            self.assertEqual(change.sentence, f"To {number}@elsewhere.example.")
            Rule.objects.filter(remote_id=number).update(gone_at=None)

    def test_pages_show_the_strongest_first_within_each_domain(self) -> None:
        rows: list[dict[str, object]] = [
            {
                "domain": domain,
                "match_user": "ab" * length,
                "prefix": prefix,
                "catchall": False,
                "targets": [],
            }
            for domain in ("b.example", "a.example", "c.example")
            for length in range(4)
            for prefix in (True, False)
        ]
        items = Items({"rules": rows}, "rules")
        shown = [
            it.name for start in range(0, 24, 5) for it in items[start : start + 5]
        ]
        self.assertEqual(shown, [it.name for it in items[0:24]])
        self.assertEqual(
            shown[:8],
            [f"{'ab' * it}@a.example" for it in (3, 2, 1, 0)]
            + [f"{'ab' * it}*@a.example" for it in (3, 2, 1, 0)],
        )

    def test_what_nobody_had_looked_at_is_no_change(self) -> None:
        Mailbox.objects.update(two_factor=None)
        before = present_state()
        Mailbox.objects.update(two_factor=True)
        self.assertEqual(compare(before, present_state()).count, 0)


class PageTests(SnapshotTestCase):
    def test_the_list_says_what_is_the_same(self) -> None:
        self.client.force_login(self.adam)
        self.assertContains(self.client.get("/routing/snapshots/"), "No snapshot yet")
        r = self.client.get("/routing/snapshots/compare/")
        self.assertNotContains(r, 'name="before"')
        self.client.post("/routing/snapshots/take/")
        self.take()
        r = self.client.get("/routing/snapshots/")
        self.assertContains(r, "Nothing changed", count=1)
        self.assertTrue(Entry.objects.filter(event="snapshot.taken").exists())

    def test_the_list_takes_as_many_queries_however_long_it_is(self) -> None:
        self.client.force_login(self.audrey)
        self.take()
        self.take()
        self.client.get("/routing/snapshots/")
        for _ in range(3):
            with self.assertNumQueries(QUERIES):
                self.client.get("/routing/snapshots/")
            self.take()

    def test_two_of_them_are_compared(self) -> None:
        self.client.force_login(self.audrey)
        first = self.take()
        Rule.objects.filter(remote_id=1).delete()
        second = self.take()
        path = "/routing/snapshots/compare/"
        for after in (second.pk, "now"):
            r = self.client.get(f"{path}?before={first.pk}&after={after}")
            self.assertContains(r, "1 rule differs.")
        r = self.client.get(f"{path}?before={second.pk}&after=now")
        self.assertContains(r, "Nothing is different")
        for odd in ("", "?before=x", f"?before={'9' * 30}&after=%00"):
            self.assertContains(self.client.get(path + odd), "Choose two of them.")

    def test_limited_people_get_their_part_everywhere(self) -> None:
        self.client.force_login(self.lina)
        first = self.take()
        Rule.objects.filter(remote_id=1).delete()
        Rule.objects.filter(domain="shop.example", match_user="alias0").delete()
        self.take()
        pages = [
            "/routing/snapshots/",
            f"/routing/snapshots/{first.pk}/",
            f"/routing/snapshots/{first.pk}/?part=mailboxes",
            f"/routing/snapshots/{first.pk}/?part=domains",
            f"/routing/snapshots/compare/?before={first.pk}&after=now",
            f"/routing/snapshots/{first.pk}/download/",
        ]
        for page in pages:
            with self.subTest(page=page):
                r = self.client.get(page)
                self.assertEqual(r.status_code, 200)
                body = r.getvalue().decode().replace("lina@example.org", "")
                body = body.replace("adam@example.org", "")
                self.assertNotIn("example.org", body)
        r = self.client.get(pages[4])
        self.assertContains(r, "1 rule differs in your domains.")

    def test_a_download_is_the_state_and_is_noted(self) -> None:
        self.client.force_login(self.audrey)
        snapshot = self.take()
        r = self.client.get(f"/routing/snapshots/{snapshot.pk}/download/")
        state = json.loads(r.getvalue())
        self.assertEqual(state["domains"].keys() & {"example.org"}, {"example.org"})
        self.assertEqual(len(state["rules"]), 5)
        self.assertEqual(Entry.objects.order_by("-sequence")[0].target, str(snapshot))

    def test_helpers_see_none(self) -> None:
        self.client.force_login(self.hedy)
        self.assertEqual(self.client.get("/routing/snapshots/").status_code, 403)
