"""Nobody's password goes to another server than the form has named to them."""

from __future__ import annotations

import re

from purelymanage.migrations.models import (
    Campaign,
    Participant,
    Server,
    SignIn,
    Submission,
)
from tests.migrations.campaigns.cases import ANNA, PASSWORD, CountingServer, invite
from tests.migrations.campaigns.test_gather import FormTestCase

MOVED = "Please read this page once more"


class OtherServerTests(FormTestCase):
    def open(self, path: str) -> dict[str, str]:
        """Open the form as somebody does who fills it in, and return what it holds."""
        page = self.client.get(path).content.decode()
        found = re.search(r'name="server" value="(\w+)"', page)
        return {"server": found[1]} if found else {}

    def point_elsewhere(self) -> CountingServer:
        other = self.enterContext(CountingServer({ANNA: PASSWORD}))
        server = Server.objects.create(
            name="Another",
            host="localhost",
            port=other.port,
            security=Server.Protection.CLEAR,
            created_by=self.olga,
        )
        Campaign.objects.update(server=server)
        return other

    def test_it_is_neither_tried_nor_kept_there(self) -> None:
        _, token = invite(self.campaign)
        paths = (self.path, f"/gather/{token}/")
        opened = {path: self.open(path) for path in paths}
        other = self.point_elsewhere()
        for path in paths:
            with self.subTest(path=path):
                r = self.send(path=path, **opened[path])
                for words in (MOVED, "Tried at localhost", 'type="password"'):
                    self.assertContains(r, words, status_code=409)
                self.assertNotIn(PASSWORD, r.content.decode())
                self.assertEqual((other.logins, self.imap.logins), ({}, {}))
                self.assertFalse(SignIn.objects.exists() or Submission.objects.exists())
        self.assertEqual(Participant.objects.count(), 1)
        # The page that they got instead names the new one.
        self.assertContains(self.send(**self.open(self.path)), "is right")
        self.assertEqual(other.logins, {ANNA: 1})

    def test_whoever_is_asked_again_agrees_again(self) -> None:
        opened = self.open(self.path)
        self.point_elsewhere()
        r = self.send(**opened)
        self.assertContains(r, f'value="{ANNA}"', status_code=409)
        self.assertNotContains(r, "checked", status_code=409)

    def test_a_server_that_has_moved_is_another(self) -> None:
        opened = self.open(self.path)
        Server.objects.update(host="localhost")
        self.assertContains(self.send(**opened), MOVED, status_code=409)

    def test_a_form_that_names_none_is_asked_again(self) -> None:
        self.assertContains(self.send(server=""), MOVED, status_code=409)

    def test_what_is_withdrawn_goes_nowhere(self) -> None:
        _, token = invite(self.campaign)
        path = f"/gather/{token}/"
        self.send(path=path, **self.open(path))
        self.client.post(path, {"withdraw": "yes"})
        self.assertFalse(Submission.objects.exists())
