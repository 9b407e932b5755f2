from __future__ import annotations

from purelymanage.audit import mail, notices, operations


def send_due_mail() -> str:
    return f"{mail.send_due()} mails sent"


def sweep_mail() -> str:
    """Try again what was put off, and what a dead worker held."""
    returned = mail.tidy()
    return f"{returned} mails taken back, {mail.send_due()} sent"


def check_chain() -> str:
    return str(operations.check_chain())


def tell_people() -> str:
    """Make notices of what happened and mail them to whoever wants that."""
    made = notices.make_notices()
    mailed = notices.mail_notices()
    notices.forget_old()
    return f"{made} notices, {mailed} mails"
