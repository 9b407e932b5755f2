"""What of a mailbox itself hangs on its name."""

from __future__ import annotations

from collections.abc import Iterable

from purelymanage.accounts.models import User
from purelymanage.deletions.impact import Line, count
from purelymanage.domains.models import Domain
from purelymanage.mailboxes.followers import Rename
from purelymanage.mailboxes.models import AppPassword, Creation, Mailbox


class OwnFollower:
    def lines(self, rename: Rename, user: User) -> Iterable[Line]:
        yield Line(
            "mailbox",
            "every mail program",
            f"signs in as {rename.new} from then on",
            "The password stays. Each phone and computer has to be told the new name.",
        )
        made = AppPassword.objects.of_people().filter(address=rename.old)
        if names := list(made.order_by("name").values_list("name", flat=True)):
            yield Line(
                "key",
                count(len(names), "app password"),
                "may stop working",
                "PurelyMail does not say whether they follow. Here they are kept with "
                "the new name, so that they can be revoked.",
                tuple((name, rename.old_domain) for name in names),
            )
        old = Domain.objects.present().filter(name=rename.old_domain).first()
        if old is not None and old.symbolic_subaddressing:
            local = rename.old.rpartition("@")[0]
            yield Line(
                "mailbox",
                f"mail to {local}+anything@{old.name}",
                "reached it too",
                "Whether it still does with a rule for the old name, PurelyMail does "
                "not say.",
            )
        if User.objects.filter(email__iexact=rename.old, is_active=True).exists():
            yield Line(
                "person",
                "1 person",
                "signs in to this panel with the old name",
                "That stays so, and links to set a new password go there.",
            )
        relying = Mailbox.objects.present().filter(
            recovery_methods__contains=[{"type": "email", "target": rename.old}]
        )
        relying = relying.exclude(address=rename.old)
        if boxes := tuple(relying.values_list("address", "domain")):
            verb = "recovers its password" if len(boxes) == 1 else "recover passwords"
            yield Line(
                "key",
                count(len(boxes), "mailbox", "mailboxes"),
                f"{verb} through the old name",
                "That stays so. Change their recovery methods, or keep the old name "
                "by a rule.",
                boxes,
            )

    def objections(self, rename: Rename) -> Iterable[str]:
        return ()

    def move(self, rename: Rename) -> None:
        AppPassword.objects.filter(address=rename.old).update(address=rename.new)
        # Or it would look as if somebody had made the mailbox elsewhere.
        ours = Creation.objects.filter(state=Creation.State.DONE)
        ours.filter(address=rename.old).update(address=rename.new)


FOLLOWER = OwnFollower()
