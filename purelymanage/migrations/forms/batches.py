from __future__ import annotations

from django import forms

from purelymanage.migrations.models import Batch
from purelymanage.migrations.operations.batch_rules import PRIORITIES

USUAL = [1, 2, 3, 4, 6, 8, 12, 16]


class BatchRulesForm(forms.Form):
    """How many copies of a batch run at once, and when its turn is."""

    parallel_runs = forms.TypedChoiceField(
        label="At the same time", coerce=int, required=False, empty_value=None
    )
    priority = forms.TypedChoiceField(label="Its turn", coerce=int)

    def __init__(self, data: object = None, *, batch: Batch) -> None:
        present = {"parallel_runs": batch.parallel_runs, "priority": batch.priority}
        super().__init__(data, initial=present)  # type: ignore[arg-type]  # POST or None
        numbers = sorted({*USUAL, *filter(None, [batch.parallel_runs])})
        limits: list[tuple[object, str]] = [("", "no limit")]
        limits += [(it, str(it)) for it in numbers]
        turns = PRIORITIES | {
            batch.priority: PRIORITIES.get(batch.priority, str(batch.priority))
        }
        for name, choices in (
            ("parallel_runs", limits),
            ("priority", sorted(turns.items(), reverse=True)),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = choices
