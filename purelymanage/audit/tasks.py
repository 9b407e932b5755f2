from __future__ import annotations

from purelymanage.audit import mail, operations


def send_due_mail() -> str:
    return f"{mail.send_due()} mails sent"


def sweep_mail() -> str:
    """Try again what was put off, and what a dead worker held."""
    returned = mail.tidy()
    return f"{returned} mails taken back, {mail.send_due()} sent"


def check_chain() -> str:
    return str(operations.check_chain())
