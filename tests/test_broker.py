from __future__ import annotations

from django.core.cache import cache
from django.test import TestCase
from django_q.brokers import get_broker

from purelymanage.broker import PulsingBroker, silent_clusters


class BrokerTests(TestCase):
    def setUp(self) -> None:
        cache.clear()

    def test_it_is_the_one_that_is_used(self) -> None:
        self.assertIsInstance(get_broker(), PulsingBroker)

    def test_without_workers_both_clusters_are_silent(self) -> None:
        self.assertEqual(silent_clusters(), ["default", "migrations"])

    def test_asking_for_work_is_a_sign_of_life(self) -> None:
        get_broker("migrations").dequeue()
        self.assertEqual(silent_clusters(), ["default"])
