from __future__ import annotations

from typing import Any

from purelymanage.mailboxes.forms.imports import ColumnChoice, TableForm


class PasswordTableForm(TableForm):
    """A table of old mailboxes and their new passwords."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields[
            "file"
        ].help_text = "Choose one or drop it here. It is never written to a disk."
        self.fields["table"].help_text = (
            "One mailbox a line: the old address and its new password, with a comma "
            "or a tab between."
        )


class PasswordColumnsForm(ColumnChoice):
    """Which column is the old mailbox, and which its password."""
