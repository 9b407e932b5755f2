"""Tasks that were queued before SECRET_KEY was exchanged."""

from __future__ import annotations

from django.conf import settings
from django.core import signing
from django_q.conf import Conf
from django_q.signing import BadSignature, PickleSerializer, SignedPackage


def signed_anew(payload: str) -> str:
    """Return a task as the present key signs it, if a former one has signed it.

    django-q knows one key alone, and throws away what that has not signed.
    """
    if not settings.SECRET_KEY_FALLBACKS:
        return payload
    try:
        SignedPackage.loads(payload)
    except BadSignature:
        try:
            task = signing.loads(
                payload,
                key=Conf.SECRET_KEY,
                salt=Conf.PREFIX,
                serializer=PickleSerializer,
                fallback_keys=[*settings.SECRET_KEY_FALLBACKS],
            )
        except signing.BadSignature:
            return payload
        return str(SignedPackage.dumps(task))
    return payload
