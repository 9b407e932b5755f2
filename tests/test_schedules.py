from __future__ import annotations

from django.test import TestCase
from django.utils.module_loading import import_string
from django_q.models import Schedule

from purelymanage.schedules import SCHEDULES, write_schedules


class SchedulesTests(TestCase):
    def test_migrating_has_written_them(self) -> None:
        self.assertEqual(
            set(Schedule.objects.values_list("name", flat=True)), set(SCHEDULES)
        )

    def test_each_names_a_task_that_exists(self) -> None:
        for func, _ in SCHEDULES.values():
            self.assertTrue(callable(import_string(func)), func)

    def test_writing_again_keeps_the_next_run(self) -> None:
        before = dict(Schedule.objects.values_list("name", "next_run"))
        write_schedules()
        self.assertEqual(dict(Schedule.objects.values_list("name", "next_run")), before)

    def test_what_is_no_longer_wanted_goes(self) -> None:
        Schedule.objects.create(name="of an older version", func="nowhere.at_all")
        write_schedules()
        self.assertFalse(Schedule.objects.filter(func="nowhere.at_all").exists())
