from __future__ import annotations

from django.utils import timezone

from purelymanage.domains.models import Domain, SyncRun
from purelymanage.mailboxes.models import Mailbox
from purelymanage.routing.models import Rule
from tests.cast import CastTestCase

PAGE = "/routing/simulator/"
# Session and person, the sync, three for the account, and those of the side bar.
QUERIES = 11
# Mail for info@ is sent on twice, and each time the rules are asked for once more.
FOLLOWED = QUERIES + 2
# Which rules lead to anna@, which to these, and where all of their domains lead.
TRACED = QUERIES + 4


class SimulatorTests(CastTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        SyncRun.objects.create(state=SyncRun.State.DONE, finished_at=timezone.now())
        Domain.objects.create(name="example.org")
        Domain.objects.create(name="shop.example", symbolic_subaddressing=False)
        for address in (
            "anna@example.org",
            "info@example.org",
            "lars.holm@shop.example",
        ):
            domain = address.partition("@")[2]
            Mailbox.objects.create(address=address, domain=domain)
        cls.add("example.org", "info", "anna@example.org", "help@shop.example")
        cls.add("example.org", "", "anna@example.org", prefix=True, catchall=True)
        cls.add("shop.example", "help", "lars.holm@shop.example", "x@far.example")
        cls.add("shop.example", "up", "anna@example.org")
        cls.add("shop.example", "round", "about@shop.example")
        cls.add("shop.example", "about", "round@shop.example")

    @classmethod
    def add(cls, domain: str, match_user: str, *targets: str, **flags: bool) -> None:
        Rule.objects.create(
            remote_id=Rule.objects.count() + 1,
            domain=domain,
            match_user=match_user,
            targets=list(targets),
            **{"prefix": False, "catchall": False} | flags,
        )

    def setUp(self) -> None:
        self.client.force_login(self.adam)

    def words(self, **question: str) -> str:
        r = self.client.get(PAGE, question)
        self.assertEqual(r.status_code, 200)
        main = r.content.decode().partition("<main")[2].partition("</main>")[0]
        return " ".join(main.split())

    def test_it_asks_and_offers_an_example(self) -> None:
        words = self.words()
        self.assertIn('href="?address=info%40example.org"', words)
        self.assertNotIn("Step by step", words)

    def test_it_tells_every_step(self) -> None:
        words = self.words(address="Info+Invoices@Example.org")
        for said in (
            "It ends in 2 mailboxes and at 1 address outside",
            "<strong>info+invoices@example.org</strong> is read as info@example.org.",
            "The rule for <strong>info@example.org</strong> matches exactly. It goes to "
            "anna@example.org and help@shop.example.",
            "Its first target, <strong>anna@example.org</strong>, is a mailbox.",
            "The catch-all of example.org leaves mailboxes alone.",
            "The second target of the rule info@example.org, <strong>help@shop.example"
            "</strong>, has a rule of its own.",
            "Its first target, <strong>lars.holm@shop.example</strong>, is a mailbox",
            "<strong>x@far.example</strong>, is outside this account.",
            "info@example.org is a mailbox, but a rule takes all of its mail.",
            'href="/routing/1/"',
        ):
            self.assertIn(said, words)

    def test_it_draws_the_way(self) -> None:
        words = self.words(address="info@example.org")
        self.assertEqual(words.count('<svg class="path'), 2)
        self.assertIn("<title>info@example.org: mailbox, gets nothing</title>", words)

    def test_it_shows_circles_and_marks_what_is_not_known(self) -> None:
        words = self.words(address="round@shop.example")
        self.assertIn("It goes round in a circle", words)
        way = "round@shop.example → about@shop.example → round@shop.example"
        self.assertIn(f"Mail goes round in a circle: {way}.", words)
        self.assertIn("a number of redirects that it does not tell", words)

    def test_mail_for_nobody_is_refused(self) -> None:
        words = self.words(address="nobody@shop.example")
        self.assertIn("PurelyMail refuses it", words)
        self.assertIn("is no mailbox, and no rule is about it.", words)

    def test_others_are_not_in_this_account(self) -> None:
        words = self.words(address="somebody@far.example")
        self.assertIn("far.example is not in this account", words)

    def test_many_targets_are_told_without_a_picture(self) -> None:
        targets = [f"box{number}@far.example" for number in range(30)]
        self.add("shop.example", "all", *targets)
        words = self.words(address="all@shop.example")
        self.assertNotIn('class="path', words)
        self.assertIn("too many ways for a picture", words)
        self.assertIn("The 30th target of the rule", words)

    def test_it_tells_what_ends_at_a_mailbox(self) -> None:
        words = self.words(mailbox="Anna@example.org")
        self.assertIn("1 address and 1 group of addresses end at anna@", words)
        self.assertIn("<strong>up@shop.example</strong>", words)
        self.assertIn("<strong>Any address at example.org</strong>", words)

    def test_it_names_exceptions(self) -> None:
        for number in range(8):
            self.add("example.org", f"other{number}", "info@example.org")
            self.add("example.org", f"more{number}", "x@far.example")
        words = self.words(mailbox="anna@example.org")
        self.assertIn("except more0@example.org", words)
        self.assertIn("All 8 exceptions", words)

    def test_a_stronger_rule_says_over_which_it_wins(self) -> None:
        self.add("example.org", "sales", "anna@example.org")
        self.add("example.org", "sal", "info@example.org", prefix=True)
        self.assertIn(
            "<strong>sales@example.org</strong> matches exactly, so it wins over "
            "sal*@example.org and the catch-all of example.org.",
            self.words(address="sales@example.org"),
        )

    def test_it_says_why_nothing_ends_there(self) -> None:
        words = self.words(mailbox="info@example.org")
        self.assertIn("No mail ends at info@example.org", words)
        self.assertIn("is taken by a rule", words)
        self.assertIn("It is no mailbox", self.words(mailbox="up@shop.example"))

    def test_wrong_addresses_are_told(self) -> None:
        for question in ({"address": "anna"}, {"mailbox": "anna@"}, {"address": ""}):
            r = self.client.get(PAGE, question)
            self.assertContains(r, 'aria-invalid="true"', status_code=422)
            self.assertNotContains(r, "Step by step", status_code=422)

    def test_limited_people_follow_mail_within_their_domains(self) -> None:
        self.client.force_login(self.lina)
        words = self.words(address="up@shop.example")
        self.assertIn("It leads to a domain you may not see", words)
        self.assertIn(
            "anna@example.org</strong>, is at a domain you may not see", words
        )
        self.assertNotIn("anna@example.org", self.words(address="help@shop.example"))
        words = self.words(mailbox="lars.holm@shop.example")
        self.assertIn("2 addresses end at", words)
        self.assertNotIn("info@example.org", words)

    def test_limited_people_cannot_ask_who_has_a_domain(self) -> None:
        self.client.force_login(self.lina)
        for address in ("info@example.org", "info@far.example"):
            for name in ("address", "mailbox"):
                r = self.client.get(PAGE, {name: address})
                words = "is not one of your domains"
                self.assertContains(r, words, status_code=422, msg_prefix=name)

    def test_it_asks_the_mirror_few_questions(self) -> None:
        questions = (
            (FOLLOWED, {"address": "info@example.org"}),
            (TRACED, {"mailbox": "anna@example.org"}),
        )
        self.client.get(PAGE)
        for _ in range(2):
            for queries, question in questions:
                with self.assertNumQueries(queries):
                    self.client.get(PAGE, question)
            for number in range(10):
                self.add("shop.example", f"more{number}", "anna@example.org")
