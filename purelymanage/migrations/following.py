"""What copies have to do when the mailbox they go into gets another name."""

from __future__ import annotations

from collections.abc import Iterable

from purelymanage.accounts.models import User
from purelymanage.deletions.impact import Line, count
from purelymanage.mailboxes.followers import Rename
from purelymanage.migrations.models import Job, Run


class JobFollower:
    def lines(self, rename: Rename, user: User) -> Iterable[Line]:
        jobs = Job.objects.into(rename.old)
        if sources := list(jobs.values_list("source_user", flat=True).order_by("pk")):
            copies = count(len(sources), "copy", "copies")
            note = "What was copied is recognised there, and nothing is copied twice."
            goes = "goes" if len(sources) == 1 else "go"
            yield Line(
                "move",
                f"{copies} into it",
                f"{goes} into {rename.new} from then on",
                note,
                tuple((source, rename.old_domain) for source in sources),
            )

    def objections(self, rename: Rename) -> Iterable[str]:
        if Run.objects.busy().filter(job__in=Job.objects.into(rename.old)).exists():
            yield (
                f"A copy into {rename.old} is running. Stop it first, or wait until it "
                "has ended."
            )

    def move(self, rename: Rename) -> None:
        Job.objects.into(rename.old).update(
            destination=rename.new, destination_domain=rename.new_domain
        )
        moved = Run.objects.open().filter(job__in=Job.objects.into(rename.new))
        for run in moved.select_related("job__server"):
            Run.objects.filter(pk=run.pk).update(pair=run.job.pair)


FOLLOWER = JobFollower()
