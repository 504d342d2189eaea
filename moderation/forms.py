"""Forms of the review desk and of appeals. What is wrong with words, the domain says."""

from typing import Any
from uuid import UUID

from django import forms

from moderation import decisions
from moderation.appeals import GROUNDS_MAX
from moderation.models import ReviewCase
from moderation.subjects import Action

KINDS = (("", "All kinds"), ("prompt", "Prompts"), ("image", "Images"), ("adapter", "Adapters"))


class DecisionForm(forms.Form):
    """A decision as a reviewer makes it; `action` comes from the button that was pressed."""

    token = forms.UUIDField(widget=forms.HiddenInput, required=False)
    refuse_reason = forms.ChoiceField(
        widget=forms.RadioSelect, required=False, label="To refuse, name the rule it breaks"
    )
    allow_reason = forms.ChoiceField(
        widget=forms.RadioSelect, required=False, label="To allow, say on what ground"
    )
    explanation = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}),
        required=False,
        max_length=GROUNDS_MAX,
        label="Explanation",
        help_text="The owner reads it in the statement of reasons.",
    )

    def __init__(self, *args: Any, case: ReviewCase, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        version = decisions.policy_version_of(case)
        for action in ("allow", "refuse"):
            field = self.fields[f"{action}_reason"]
            assert isinstance(field, forms.ChoiceField)
            field.choices = list(decisions.reasons_for(action, policy_version=version).items())
        self.initial.setdefault("token", case.lease_token)
        self.initial.setdefault("allow_reason", "within_policy")
        self.initial.setdefault("refuse_reason", case.category or None)

    def chosen(self, action: Action) -> tuple[str, str, UUID]:
        """Reason, explanation and token; the reason is empty where none was chosen."""
        data = self.cleaned_data
        token = data.get("token") or UUID(int=0)
        return data.get(f"{action}_reason") or "", data.get("explanation") or "", token


class AppealForm(forms.Form):
    """What the appellant says."""

    grounds = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 5}),
        max_length=GROUNDS_MAX,
        label="Why is the decision wrong?",
        help_text="Say what you meant and anything that whoever hears it should know.",
    )


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


class QueueFilter(forms.Form):
    """Which cases of the queue are shown."""

    kind = forms.ChoiceField(choices=KINDS, required=False, label="Kind")
    category = forms.CharField(max_length=32, required=False)
