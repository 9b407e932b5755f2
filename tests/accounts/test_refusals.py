from __future__ import annotations

from tests.cast import CastTestCase


class RefusalTests(CastTestCase):
    def test_a_refusal_is_one_line_in_the_log(self) -> None:
        self.client.force_login(self.adam)
        with self.assertLogs("django.request") as logs:
            r = self.client.get("/settings/people/")
        self.assertEqual(r.status_code, 403)
        (record,) = logs.records
        self.assertEqual(
            record.getMessage(), "Forbidden (Permission denied): /settings/people/"
        )
        self.assertIsNone(record.exc_info)
