from __future__ import annotations

from itertools import product

from django.db.models import Count

from purelymanage.migrations.batch_figures import figures_of
from purelymanage.migrations.job_states import BY_CODE, STATES, in_order, with_state
from purelymanage.migrations.models import Batch, Job, Run
from tests.account import add_server
from tests.cast import CastTestCase
from tests.migrations.batch_cases import add_batch, add_jobs, add_runs


class JobStateTests(CastTestCase):
    batch: Batch

    @classmethod
    def setUpTestData(cls) -> None:
        """Add a job for each login and each newest run, with an older one or without."""
        super().setUpTestData()
        cls.batch = add_batch(cls.olga, add_server(cls.olga))
        newest = [
            None,
            *(
                {"state": state, "dry_run": dry_run}
                for state in Run.State
                for dry_run in (True, False)
            ),
            {"state": Run.State.DONE, "verdict": Run.Verdict.SKIPPED},
            {"state": Run.State.FAILED, "trouble": Run.Trouble.PASSWORD},
        ]
        for login, columns, has_older in product(["", *Job.Login], newest, (0, 1)):
            if has_older and columns is None:
                continue  # one of them is always the newest
            jobs = add_jobs(cls.batch, 1, login=login)
            if has_older:
                add_runs(jobs, Run.State.STOPPED, is_newest=False, messages=7)
            if columns is not None:
                add_runs(jobs, **columns)

    def test_a_batch_counts_each_job_as_lists_name_it(self) -> None:
        jobs = with_state(Job.objects.filter(batch=self.batch)).order_by()
        expected = dict(jobs.values_list("state").annotate(Count("pk")))
        self.assertEqual(set(expected), {it.code for it in STATES})
        self.assertEqual(figures_of(self.olga, self.batch.pk).counts, expected)

    def test_lists_go_by_the_rank_of_the_states(self) -> None:
        jobs = in_order(with_state(Job.objects.filter(batch=self.batch)))
        ranks = [BY_CODE[job.state].rank for job in jobs]
        self.assertEqual(ranks, sorted(ranks))
