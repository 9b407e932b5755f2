from __future__ import annotations

from django.test import override_settings

from purelymanage.migrations.models import Job, Run
from tests.migrations.batch_cases import State, add_jobs, add_runs
from tests.migrations.test_batch_detail import BatchCase

NOT_INSTALLED = "imapsync is not installed here."


@override_settings(IMAPSYNC_BIN="/nowhere/imapsync")
class OtherEngineTests(BatchCase):
    def setUp(self) -> None:
        super().setUp()
        [self.job] = add_jobs(self.batch, 1)
        self.url = f"/migrations/jobs/{self.job.pk}/"

    def end_badly(self, **columns: str) -> None:
        add_runs([self.job], State.FAILED, trouble="protocol", **columns)

    def test_what_one_does_not_understand_is_offered_to_the_other(self) -> None:
        self.end_badly(engine="imapsync", failure="The server makes no sense.")
        r = self.client.get(self.url)
        self.assertContains(r, "run it again with the engine pipeline")
        self.assertContains(r, "With pipeline")
        self.client.post(f"{self.url}run/", {"kind": "copy", "engine": "pipeline"})
        self.assertEqual(Run.objects.queued().get().job.engine, "pipeline")

    def test_one_that_is_not_installed_is_not_offered(self) -> None:
        self.end_badly(engine="pipeline", failure="The server makes no sense.")
        self.assertNotContains(self.client.get(self.url), "With imapsync")

    def test_where_one_is_missing_the_other_is_offered(self) -> None:
        Job.objects.update(engine="imapsync")
        self.end_badly(failure=f"{NOT_INSTALLED} The README says how to get it.")
        r = self.client.get(self.url)
        self.assertContains(r, "Run it with the engine pipeline, or install imapsync")
        self.assertContains(r, "With pipeline")

    def test_forms_say_how_to_get_what_is_missing(self) -> None:
        for url in (
            "/migrations/jobs/new/",
            f"{self.url}options/",
            "/migrations/servers/new/",
        ):
            r = self.client.get(url)
            self.assertContains(r, NOT_INSTALLED)
            self.assertContains(r, 'href="https://imapsync.lamiral.info/"')
