from __future__ import annotations

import re
import threading
import time
from unittest import mock

from csp.middleware import CSPMiddleware
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory, SimpleTestCase

from purelymanage.migrations.campaigns import gate
from purelymanage.migrations.campaigns.gate import Gate, GateMiddleware
from purelymanage.passage import came_at


class GateTests(SimpleTestCase):
    def test_places_are_given_in_the_order_people_came(self) -> None:
        door = Gate(1)
        self.assertTrue(door.enter(0))
        order: list[int] = []
        threads = []
        for number in range(3):
            thread = threading.Thread(target=self.wait_for, args=(door, order, number))
            thread.start()
            threads.append(thread)
            while len(door._waiting) <= number:
                pass
        door.leave()
        for thread in threads:
            thread.join(5)
        self.assertEqual(order, [0, 1, 2])
        self.assertTrue(door.enter(0))

    def test_who_comes_back_is_let_in_before_others(self) -> None:
        door = Gate(1)
        self.assertTrue(door.enter(0))
        order: list[int] = []
        with door.left():
            self.assertTrue(door.enter(0))
            other = threading.Thread(target=self.wait_for, args=(door, order, 1))
            other.start()
            while not door._waiting:
                pass

            def give_back() -> None:
                while not door._returning:
                    pass
                door.leave()

            giver = threading.Thread(target=give_back)
            giver.start()
        order.append(0)
        giver.join(5)
        door.leave()
        other.join(5)
        self.assertEqual(order, [0, 1])
        self.assertTrue(door.enter(0))

    def wait_for(self, door: Gate, order: list[int], number: int) -> None:
        if door.enter(5):
            order.append(number)
            door.leave()

    def test_who_gave_up_takes_nobodys_place(self) -> None:
        door = Gate(1)
        self.assertTrue(door.enter(0))
        self.assertFalse(door.enter(0.01))
        door.leave()
        self.assertTrue(door.enter(0))

    def test_nobody_joins_a_line_that_is_too_long(self) -> None:
        door = Gate(1, longest_line=0)
        self.assertTrue(door.enter(0))
        self.assertFalse(door.enter(60))


class MiddlewareTests(SimpleTestCase):
    def setUp(self) -> None:
        self.seen: list[float | None] = []

        def answer(request: HttpRequest) -> HttpResponse:
            self.seen.append(getattr(request, "may_wait_until", -1.0))
            return HttpResponse()

        self.middleware = GateMiddleware(answer)
        self.all = CSPMiddleware(self.middleware)

    def send(self, path: str = "/gather/x/", data: str = "a=b") -> int:
        return self.ask(path, data).status_code

    def ask(
        self, path: str = "/gather/x/", data: str = "a=b", language: str = "en"
    ) -> HttpResponse:
        request = RequestFactory().post(
            path,
            data,
            content_type="application/x-www-form-urlencoded",
            headers={"Accept-Language": language},
        )
        response = self.all(request)
        assert isinstance(response, HttpResponse)
        return response

    def fill(self, door: Gate, places: int) -> None:
        for _ in range(places):
            self.assertTrue(door.enter(0))

    def test_who_is_late_leaves_the_place_while_waiting(self) -> None:
        def answer(request: HttpRequest) -> HttpResponse:
            with gate.stepped_aside(request):
                self.free.append(late._free)
            self.free.append(late._free)
            return HttpResponse()

        self.free: list[int] = []
        self.middleware.get_response = answer
        late = self.middleware._late_gate
        self.fill(self.middleware._gate, gate.PLACES)
        with mock.patch.object(gate, "PATIENCE", 0.01):
            self.assertEqual(self.send(), 200)
        places = gate.LATE_PLACES
        self.assertEqual([*self.free, late._free], [places, places - 1, places])

    def test_one_passes_with_time_to_wait(self) -> None:
        self.assertEqual(self.send(), 200)
        assert self.seen[0] is not None
        self.assertGreater(self.seen[0], 0)

    def test_who_waited_too_long_is_let_in_without_time(self) -> None:
        self.fill(self.middleware._gate, gate.PLACES)
        with mock.patch.object(gate, "PATIENCE", 0.01):
            self.assertEqual(self.send(), 200)
        self.assertEqual(self.seen, [None])

    def test_the_way_from_another_process_is_part_of_the_wait(self) -> None:
        self.fill(self.middleware._gate, gate.PLACES)
        mark = came_at.set(time.monotonic() - gate.LATE_PATIENCE)
        self.addCleanup(came_at.reset, mark)
        self.assertEqual(self.send(), 503)
        came_at.set(time.monotonic() - gate.PATIENCE)
        self.assertEqual(self.send(), 200)
        self.assertEqual(self.seen, [None])

    def test_in_the_end_one_is_told_to_come_back(self) -> None:
        self.fill(self.middleware._gate, gate.PLACES)
        self.fill(self.middleware._late_gate, gate.LATE_PLACES)
        with (
            mock.patch.object(gate, "PATIENCE", 0.01),
            mock.patch.object(gate, "LATE_PATIENCE", 0.01),
        ):
            r = self.ask()
            self.assertContains(r, "send it again in a minute</h1>", status_code=503)
            self.assertContains(r, "Nothing is lost", status_code=503)
            nonces = set(re.findall('nonce="(.+?)"', r.content.decode()))
            (nonce,) = nonces
            self.assertIn(f"'nonce-{nonce}'", r.headers["Content-Security-Policy"])
            self.assertNotIn(nonce, self.ask().content.decode())
            r = self.ask(language="de-AT,en")
            self.assertContains(r, "in einer Minute noch einmal</h1>", status_code=503)
            self.assertEqual(r.headers["Retry-After"], "60")

    def test_other_pages_wait_for_nothing(self) -> None:
        self.fill(self.middleware._gate, gate.PLACES)
        self.assertEqual(self.send("/mailboxes/new/"), 200)
        self.assertEqual(self.seen, [-1.0])

    def test_what_is_too_large_does_not_come_in(self) -> None:
        large = "x" * (gate.LARGEST + 1)
        r = self.ask(data=large)
        self.assertContains(r, "not this form", status_code=400)
        r = self.ask(data=large, language="de")
        self.assertContains(r, "öffnen Sie die Seite", status_code=400)
        self.assertEqual(self.seen, [])
