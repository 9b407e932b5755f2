from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.accounts.security import devices
from purelymanage.accounts.sessions import end_all_sessions
from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.audit.log import Actor, remote_address
from purelymanage.audit.mail import queue_mail
from purelymanage.errors import Refused


@transaction.atomic
def replace_password(
    *, user: User, password: str, actor: Actor, except_key: str | None
) -> None:
    """Set a password and throw the person out of every browser but one."""
    user.set_password(password)
    user.save(update_fields=["password"])
    end_all_sessions(user=user, actor=actor, except_key=except_key)
    log.record(Event.PASSWORD_CHANGED, actor=actor, target=user.email)


@transaction.atomic(durable=True)
def remove_second_factors(*, user: User, actor: User) -> None:
    """Let somebody in again who lost their device and codes: the password is enough.

    Their sessions end, as whoever has the device may be in one of them.
    """
    if user == actor:
        raise Refused("Your own second factor is removed on its own page.")
    # Sessions first: whoever ends one holds its row while waiting for the audit log.
    end_all_sessions(user=user, actor=actor)
    # Each removal is recorded by a signal, as those on the person's own page are.
    deleted, _ = Authenticator.objects.filter(user=user).delete()
    if not deleted:
        raise Refused(f"{user.email} has no second factor.")
    text = render_to_string(
        "security/second_factors_removed.txt", {"user": user, "actor": actor}
    )
    queue_mail(to=user.email, subject="Your second factor was taken away", text=text)


@transaction.atomic(durable=True)
def report_new_device(*, user: User, user_agent: str) -> None:
    """Tell a person that somebody signed in with a browser that was not known."""
    device = devices.describe(user_agent)
    log.record(Event.NEW_DEVICE, actor=user, target=user.email, device=device)
    text = render_to_string(
        "security/new_device.txt",
        {
            "user": user,
            "device": device,
            "address": remote_address.get(),
            "time": timezone.now(),
            "base_url": settings.BASE_URL,
        },
    )
    queue_mail(to=user.email, subject="A new sign-in to PurelyManage", text=text)
