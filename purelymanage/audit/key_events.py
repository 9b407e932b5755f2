from __future__ import annotations

from purelymanage.audit.naming import AnyEvent


class KeyEvent(AnyEvent):
    """What happens to the keys of the panel itself."""

    AUDIT_KEY_REPLACED = (
        "panel.audit_key_replaced",
        "went on with {target} by a new key",
    )
    SECRETS_RESEALED = (
        "panel.secrets_resealed",
        "sealed {count} of {target} anew with the encryption key {id}",
    )
