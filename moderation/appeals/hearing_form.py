"""The form of whoever hears an appeal."""

from typing import Any, cast

from django import forms

from moderation.decisions import allowed_actions
from moderation.models import Appeal
from moderation.models.appeals import GROUNDS_MAX

OUTCOMES_FOR_NOTIFIERS = [
    ("reversed", "Reverse: the decision was wrong, withhold the picture"),
    ("upheld", "Uphold: the decision stands, the picture stays"),
]


class HearingForm(forms.Form):
    """How an appeal ends."""

    outcome = forms.ChoiceField(
        widget=forms.RadioSelect,
        choices=[
            ("reversed", "Reverse: the decision was wrong, allow it"),
            ("upheld", "Uphold: the decision stands"),
        ],
        label="Outcome",
    )
    reasons = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 5}),
        max_length=GROUNDS_MAX,
        label="Reasons",
        help_text="The appellant reads them.",
    )
    category = forms.ChoiceField(
        required=False,
        label="If you reverse: the rule that the picture breaks",
        help_text="Its owner gets a statement of reasons under this rule.",
    )

    def __init__(self, *args: Any, appeal: Appeal, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if appeal.report is None:
            del self.fields["category"]
            return
        cast(forms.ChoiceField, self.fields["outcome"]).choices = OUTCOMES_FOR_NOTIFIERS
        version = appeal.decision.policy_version
        reasons = allowed_actions.reasons_for("refuse", policy_version=version)
        cast(forms.ChoiceField, self.fields["category"]).choices = [("", "—"), *reasons.items()]
        self.initial.setdefault("category", appeal.report.category)
