from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.migrations.engines.base import FolderState, Phase, Verdict
from purelymanage.migrations.models.batches import Batch
from purelymanage.migrations.models.jobs import Job

OPEN = ["queued", "running"]
# How long a worker may be silent while it copies, and while it waits for the API. A
# server may still be busy with what a killed worker had sent: who resumes too soon
# does not see it and copies it twice.
LEASE = timedelta(seconds=30)
LONG_LEASE = timedelta(seconds=120)
# A worker that copies is heard of every second; this long, and something is wrong.
SILENCE = timedelta(seconds=8)

# The domains somebody is limited to, as something to file answers under.
Scope = tuple[str, ...] | None


def scope_of(user: User) -> Scope:
    scope = user.domain_scope
    return None if scope is None else tuple(sorted(scope))


# So many samples, a second apart at least, tell how fast a copy has been lately.
LATELY = 32
# What lists show of a run, and what tells that there is something new to show.
SHOWN = [
    *("state", "dry_run", "is_newest", "attempt", "phase", "detail", "engine"),
    *("queued_at", "not_before", "handed_at", "started_at", "lease_until"),
    *("stop_requested_at", "moved_at", "finished_at", "folder_count", "folders_done"),
    *("messages", "bytes", "already_there", "to_copy", "bytes_to_copy", "copied"),
    *("bytes_copied", "copied_earlier", "failed", "verdict", "trouble", "failure"),
    *("job__destination", "job__source_user", "job__batch", "job__server__name"),
]


class RunQuerySet(models.QuerySet["Run"]):
    def visible_to(self, user: User) -> Self:
        """Every run, or for a limited person those into mailboxes of their domains."""
        return self.within(user.domain_scope)

    def within(self, scope: Iterable[str] | None) -> Self:
        if scope is None:
            return self
        return self.filter(job__destination_domain__in=list(scope))

    def open(self) -> Self:
        return self.filter(state__in=OPEN)

    def settled(self) -> Self:
        return self.filter(finished_at__isnull=False)

    def search(self, words: str) -> Self:
        """Runs from or to an address that contains each of the words."""
        found = self
        for word in words.split():
            found = found.filter(
                Q(job__destination__icontains=word)
                | Q(job__source_user__icontains=word)
                | Q(job__server__name__icontains=word)
            )
        return found

    def running(self) -> Self:
        return self.filter(state=Run.State.RUNNING)

    def queued(self) -> Self:
        return self.filter(state=Run.State.QUEUED)

    def busy(self) -> Self:
        """Runs that hold a slot: running, or handed to a worker that will claim it."""
        return self.filter(
            Q(state=Run.State.RUNNING)
            | Q(state=Run.State.QUEUED, handed_at__isnull=False)
        )

    def startable(self, at: datetime) -> Self:
        """Runs whose time has come, and whose batch is neither a draft nor paused."""
        return (
            self.queued()
            .filter(handed_at=None, job__removed_at=None)
            .filter(Q(not_before=None) | Q(not_before__lte=at))
            .filter(Q(job__starts_at=None) | Q(job__starts_at__lte=at))
            .exclude(job__batch__in=Batch.objects.held(at))
            .order_by("queued_at", "pk")
        )

    def abandoned(self, at: datetime) -> Self:
        """Runs whose worker has let the lease expire."""
        return self.running().filter(lease_until__lt=at)

    def held_by(self, run: Run) -> Self:
        """`run` as long as this attempt of it still has the lease, otherwise nothing."""
        return self.running().filter(pk=run.pk, attempt=run.attempt)

    def newest_of_jobs(self) -> Self:
        return self.filter(is_newest=True)

    def newest_of_present_jobs(self) -> Self:
        return self.newest_of_jobs().filter(job__removed_at=None)

    def with_all_of_job(self) -> Self:
        return self.select_related(
            "job__server", "job__destination_server", "job__batch"
        ).defer("job__batch__sheet")

    def in_a_list(self) -> Self:
        """With what lists show of each and its job: `lately` instead of all samples."""
        lately = Func(
            F("samples"),
            Value(f"$[last - {LATELY} to last]"),
            function="jsonb_path_query_array",
            template="%(function)s(%(expressions)s::jsonpath)",
            output_field=models.JSONField(),
        )
        return self.select_related("job__server").only(*SHOWN).annotate(lately=lately)


class Run(models.Model):
    """One execution of a job, dry or real.

    A run that lost its worker goes back to the queue and is claimed again: `attempt`
    counts the claims, and only who made the last one may write. The figures are those
    of the present attempt, apart from the two that say what earlier attempts copied:
    that is whatever has come to be there since the run began, as the last report of a
    killed worker does not know all it did.
    """

    class State(models.TextChoices):
        QUEUED = "queued", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        STOPPED = "stopped", "Stopped"

    class Phase(models.TextChoices):
        CONNECTING = Phase.CONNECTING.value, "Signing in"
        LISTING = Phase.LISTING.value, "Counting"
        READING = Phase.READING.value, "Reading headers"
        COPYING = Phase.COPYING.value, "Copying"
        COMPARING = Phase.COMPARING.value, "Comparing both sides"
        DONE = Phase.DONE.value, "Done"

    class Verdict(models.TextChoices):
        COMPLETE = Verdict.COMPLETE.value, "Complete"
        SKIPPED = Verdict.SKIPPED.value, "Complete, with messages left out"
        INCOMPLETE = Verdict.INCOMPLETE.value, "Incomplete"
        STOPPED = Verdict.STOPPED.value, "Stopped"

    class Trouble(models.TextChoices):
        """What kind of failure it was, as far as the next step depends on it."""

        PASSWORD = "password", "Needs a password"
        CONNECTION = "connection", "Could not connect"
        CERTIFICATE = "certificate", "Certificate not trusted"
        DESTINATION = "destination", "Destination not open"
        THROTTLED = "throttled", "Slowed down by the server"
        BUDGET = "budget", "Limit of the day reached"
        QUOTA = "quota", "Destination is full"
        OVERSIZE = "oversize", "Messages too large"
        STALLED = "stalled", "Nothing moved any more"
        PROTOCOL = "protocol", "Server not understood"
        OTHER = "other", "Failed"

    job = models.ForeignKey(Job, on_delete=models.PROTECT, related_name="runs")
    # See Job.pair: copied here for the constraint.
    pair = models.CharField(max_length=800)
    dry_run = models.BooleanField()
    engine = models.CharField(max_length=20, blank=True)
    # Of the program beside the panel, where the engine is one.
    engine_version = models.CharField(max_length=40, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    is_newest = models.BooleanField(default=True)
    attempt = models.PositiveIntegerField(default=0)
    host = models.CharField(max_length=253, blank=True)
    # Failures in a row after which the run went back to the queue.
    retries = models.PositiveIntegerField(default=0)

    queued_at = models.DateTimeField(default=timezone.now)
    not_before = models.DateTimeField(null=True, blank=True)
    handed_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    # Moved on with each sign of life of the worker.
    lease_until = models.DateTimeField(null=True, blank=True)
    stop_requested_at = models.DateTimeField(null=True, blank=True)
    # When a figure or the phase last changed, for the watchdog.
    moved_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    phase = models.CharField(max_length=12, choices=Phase, default=Phase.CONNECTING)
    detail = models.CharField(max_length=300, blank=True)
    folder_count = models.PositiveIntegerField(default=0)
    folders_done = models.PositiveIntegerField(default=0)
    messages = models.PositiveBigIntegerField(default=0)
    bytes = models.PositiveBigIntegerField(default=0)
    largest = models.PositiveBigIntegerField(default=0)
    already_there = models.PositiveBigIntegerField(default=0)
    to_copy = models.PositiveBigIntegerField(default=0)
    bytes_to_copy = models.PositiveBigIntegerField(default=0)
    copied = models.PositiveBigIntegerField(default=0)
    bytes_copied = models.PositiveBigIntegerField(default=0)
    # What the first look at both sides found to be there.
    there_at_first = models.PositiveBigIntegerField(null=True, blank=True)
    bytes_there_at_first = models.PositiveBigIntegerField(null=True, blank=True)
    copied_earlier = models.PositiveBigIntegerField(default=0)
    bytes_copied_earlier = models.PositiveBigIntegerField(default=0)
    failed = models.PositiveBigIntegerField(default=0)
    # [seconds since the start, messages, bytes], thinned out so that it stays short.
    samples = models.JSONField(default=list)
    log = models.TextField(blank=True)

    verdict = models.CharField(max_length=20, choices=Verdict, blank=True)
    trouble = models.CharField(max_length=12, choices=Trouble, blank=True)
    failure = models.CharField(max_length=500, blank=True)
    technical = models.CharField(max_length=2000, blank=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["job"],
                condition=Q(state__in=OPEN),
                name="one_open_run_per_job",
            ),
            models.UniqueConstraint(
                fields=["job"],
                condition=Q(is_newest=True),
                name="one_newest_run_per_job",
            ),
            models.UniqueConstraint(
                fields=["pair"],
                condition=Q(state="running")
                | Q(state="queued", handed_at__isnull=False),
                name="one_copy_at_a_time_per_pair",
            ),
            models.CheckConstraint(
                condition=Q(state__in=OPEN) ^ Q(finished_at__isnull=False),
                name="settled_runs_have_an_end",
            ),
            models.CheckConstraint(
                condition=~Q(state="running") | Q(lease_until__isnull=False),
                name="running_runs_have_a_lease",
            ),
        ]
        indexes = [
            models.Index(
                fields=["queued_at", "id"],
                condition=Q(state__in=OPEN),
                name="run_open",
            ),
            models.Index(
                fields=["-finished_at", "-id"],
                condition=Q(is_newest=True, finished_at__isnull=False),
                name="run_newest_finished",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.job} ({self.state})"

    @property
    def kind(self) -> str:
        return "a dry run" if self.dry_run else "the copy"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def copied_in_all(self) -> int:
        """Messages copied by all attempts of this run together."""
        return self.copied + self.copied_earlier

    @property
    def bytes_copied_in_all(self) -> int:
        return self.bytes_copied + self.bytes_copied_earlier

    @property
    def to_copy_in_all(self) -> int:
        return self.to_copy + self.copied_earlier

    @property
    def bytes_to_copy_in_all(self) -> int:
        return self.bytes_to_copy + self.bytes_copied_earlier

    @property
    def there_before(self) -> int:
        """Messages that were there already when the run began."""
        return max(0, self.already_there - self.copied_earlier)

    @property
    def last_samples(self) -> list[list[float]]:
        """Enough of them to tell how fast it is; lists read no more, see `in_a_list`."""
        read: list[list[float]] | None = vars(self).get("lately")
        return self.samples if read is None else read

    @property
    def silent_since(self) -> datetime | None:
        """When the worker was last heard of, if it should have been since then."""
        if self.state != self.State.RUNNING or self.lease_until is None:
            return None
        # Nothing is expected of it before its first report, which brings a sample.
        if not self.last_samples:
            return None
        heard_at = self.lease_until - LEASE
        return heard_at if timezone.now() - heard_at > SILENCE else None

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to do: a real copy, counted on both sides."""
        complete = {self.Verdict.COMPLETE, self.Verdict.SKIPPED}
        return not self.dry_run and self.verdict in complete


class RunFolder(models.Model):
    """One folder of the source in a run; see `FolderProgress` for the figures."""

    class State(models.TextChoices):
        WAITING = FolderState.WAITING.value, "Waiting"
        READING = FolderState.READING.value, "Reading"
        COPYING = FolderState.COPYING.value, "Copying"
        DONE = FolderState.DONE.value, "Done"
        FAILED = FolderState.FAILED.value, "Failed"

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="folders")
    position = models.PositiveIntegerField()
    source = models.TextField()
    destination = models.TextField(blank=True)
    messages = models.PositiveBigIntegerField(default=0)
    bytes = models.PositiveBigIntegerField(default=0)
    largest = models.PositiveBigIntegerField(default=0)
    already_there = models.PositiveBigIntegerField(default=0)
    to_copy = models.PositiveBigIntegerField(default=0)
    bytes_to_copy = models.PositiveBigIntegerField(default=0)
    copied = models.PositiveBigIntegerField(default=0)
    bytes_copied = models.PositiveBigIntegerField(default=0)
    failed = models.PositiveBigIntegerField(default=0)
    exists = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    # By the worker, so that a page asks for what is newer than what it shows.
    written_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "position"], name="one_row_per_folder_of_a_run"
            )
        ]
        ordering = ["position"]

    def __str__(self) -> str:
        return self.source


class RunError(models.Model):
    """A message, or with uid 0 a folder, that could not be copied. No subjects."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="errors")
    folder = models.TextField()
    uid = models.PositiveBigIntegerField()
    size = models.PositiveBigIntegerField()
    reason = models.CharField(max_length=500)
    arrived_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.folder} {self.uid}: {self.reason}"
