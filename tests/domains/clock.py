"""A clock that tests set, a stand-in with its DNS, and workers that keep the time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import ClassVar
from unittest import mock

from django.test import override_settings
from django.utils import timezone

from purelymanage.domains import tasks
from purelymanage.domains.dns import looking
from purelymanage.domains.models import Addition, Domain, Health
from purelymanage.purelymail.sandbox import demo_zones
from purelymanage.purelymail.sandbox.dns import DnsServer
from purelymanage.purelymail.sandbox.state import Domain as Remote
from purelymanage.purelymail.sandbox.zones import summary
from tests.sandbox import SandboxTestCase

# Later than any row that is dated by the real clock.
START = datetime(2041, 5, 6, 8, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class ClockTestCase(SandboxTestCase):
    """Minutes pass as fast as the panel can work through them."""

    dns: ClassVar[DnsServer]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.dns = DnsServer(lambda: cls.sandbox.account.zones)
        cls.dns.start()
        cls.addClassCleanup(cls.dns.stop)
        resolver = f"127.0.0.1:{cls.dns.port}"
        cls.enterClassContext(override_settings(DNS_RESOLVERS=[resolver]))

    def setUp(self) -> None:
        super().setUp()
        self.now = START
        self.enterContext(
            mock.patch.object(timezone, "now", autospec=True, side_effect=self.tell)
        )
        memory = looking.Memory(lambda: self.now.timestamp())
        self.enterContext(mock.patch.object(looking, "memory", memory))

    def tell(self) -> datetime:
        return self.now

    def zone(
        self,
        name: str,
        preset: str = "healthy",
        *,
        failure: str = "",
        ttl: int = 30,
    ) -> None:
        """Set the records of a zone to one of the examples."""
        code = self.sandbox.account.state.ownership_code
        records = [(*record, ttl) for record in demo_zones.PRESETS[preset](code)]
        self.sandbox.account.zones.put(name, records, failure=failure)

    def fill_account(self, names: list[str], *, broken: int = 0, ttl: int = 30) -> None:
        """Let the account hold these domains only, the first ones with bad records.

        What is in order lives for `ttl` seconds, the rest for an hour at most.
        """
        state = self.sandbox.account.state
        state.domains.clear()
        state.users.clear()
        state.rules.clear()
        for number, name in enumerate(names):
            if number < broken:
                self.zone(name, "broken", ttl=min(ttl, 3600))
            else:
                self.zone(name, ttl=ttl)
            state.domains[name] = Remote(dns_summary=summary(state.zones, name))

    def health(self, name: str) -> Health:
        return Health.objects.select_related("domain").get(domain__name=name)

    def pass_minutes(self, minutes: int, *, step: int = 1) -> None:
        """Let the workers do what is due in each of the next minutes."""
        for _ in range(minutes // step):
            self.now += step * MINUTE
            if self.now.minute == 0:
                tasks.sync()
            if self._has_work():
                tasks.keep_watch()

    def _has_work(self) -> bool:
        """Whether anything is due. The many minutes without are not worth a round."""
        return (
            Health.objects.due(self.now).exists()
            or Health.objects.to_recheck(self.now).exists()
            or Domain.objects.present().filter(health=None).exists()
            or Addition.objects.open().exists()
        )
