"""Forms of the review desk. What is wrong with words, the domain says."""

from typing import Any, cast
from uuid import UUID

from django import forms

from moderation.cases import review_cases
from moderation.decisions import allowed_actions
from moderation.desk.bulk import BULK_ACTIONS
from moderation.models import Perceived, ReviewCase, SubjectKind
from moderation.models.appeals import GROUNDS_MAX
from moderation.policy.rulebook import policy_document
from moderation.subjects.actions import ACTIONS, DAYS, Terms
from moderation.subjects.subject import Action

KINDS = (("", "All kinds"), ("prompt", "Prompts"), ("image", "Images"), ("adapter", "Adapters"))


class DecisionForm(forms.Form):
    """A decision as a reviewer makes it; `action` comes from the button that was pressed."""

    token = forms.UUIDField(widget=forms.HiddenInput, required=False)
    refuse_reason = forms.ChoiceField(
        widget=forms.RadioSelect, required=False, label="To restrict it, name the rule it breaks"
    )
    allow_reason = forms.ChoiceField(
        widget=forms.RadioSelect, required=False, label="To allow, say on what ground"
    )
    perceived = forms.ChoiceField(
        choices=Perceived.choices,
        widget=forms.RadioSelect,
        required=False,
        label="How is the person presented, as you see it?",
        help_text="Kept apart from this case, for the audits. Leave it out if you would rather.",
    )
    days = forms.TypedChoiceField(
        choices=[(days, f"{days} day{'' if days == 1 else 's'}") for days in DAYS],
        coerce=int,
        empty_value=None,
        required=False,
        label="To suspend: for how long",
    )
    adapter = forms.ChoiceField(required=False, label="To withdraw: which adapter")
    explanation = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}),
        required=False,
        max_length=GROUNDS_MAX,
        label="Explanation",
        help_text="The owner reads it in the statement of reasons.",
    )

    def __init__(self, *args: Any, case: ReviewCase, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        actions: tuple[Action, ...] = ("allow", "refuse")
        for action in actions:
            field = self.fields[f"{action}_reason"]
            assert isinstance(field, forms.ChoiceField)
            field.choices = list(allowed_actions.reasons_of(case, action).items())
        offered = allowed_actions.actions_of(case)
        self.offered = [(action, ACTIONS[action]) for action in offered]
        used = cast(forms.ChoiceField, self.fields["adapter"])
        used.choices = list(allowed_actions.adapters_of(case).items())
        if not used.choices:
            del self.fields["adapter"]
        if "suspend" not in offered:
            del self.fields["days"]
        self.initial.setdefault("days", DAYS[1])
        self.initial.setdefault("token", case.lease_token)
        self.initial.setdefault("allow_reason", "within_policy")
        if not case.is_masked:
            self.initial.setdefault("refuse_reason", case.category or None)
        if not case.is_masked or case.subject_kind != SubjectKind.IMAGE:
            del self.fields["perceived"]

    def chosen(self, action: Action) -> tuple[str, str, UUID]:
        """Reason, explanation and token; the reason is empty where none was chosen."""
        data = self.cleaned_data
        token = data.get("token") or UUID(int=0)
        ground = "allow_reason" if action == "allow" else "refuse_reason"
        return data.get(ground) or "", data.get("explanation") or "", token

    def terms(self, action: Action) -> Terms:
        """What the measure needs beyond its reason."""
        days = self.cleaned_data.get("days") if action == "suspend" else None
        adapter = self.cleaned_data.get("adapter") if action == "withdraw_adapter" else ""
        return Terms(days or None, adapter or "")


class QueueFilter(forms.Form):
    """Which cases of the queue are shown; what it does not know narrows nothing."""

    kind = forms.ChoiceField(choices=KINDS, required=False, label="Kind")
    category = forms.ChoiceField(required=False, label="Held for")
    whose = forms.ChoiceField(
        choices=(("", "Anybody's"), ("mine", "Mine"), ("unassigned", "Nobody's")),
        required=False,
        label="Assigned",
    )
    due = forms.ChoiceField(
        choices=(("", "Any time"), ("overdue", "Overdue"), ("today", "Today or before")),
        required=False,
        label="Due",
    )
    project = forms.UUIDField(required=False, label="Project")
    is_severe = forms.BooleanField(required=False, label="Severe")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        categories = policy_document.active("general").categories.values()
        named = [(category.name, category.title) for category in categories]
        cast(forms.ChoiceField, self.fields["category"]).choices = [("", "Anything"), *named]

    def wanted(self) -> dict[str, Any]:
        """The fields that are set, as a query and a saved view keep them."""
        self.is_valid()
        said = {name: value for name, value in self.cleaned_data.items() if value}
        return {name: "on" if value is True else str(value) for name, value in said.items()}

    def narrowing(self) -> review_cases.Narrowing:
        self.is_valid()
        known = {name: value for name, value in self.cleaned_data.items() if value}
        return review_cases.Narrowing(**known)


class BulkForm(forms.Form):
    """One decision for several cases: the measure and its reason in one choice."""

    measure = forms.ChoiceField(label="Decision")
    explanation = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}),
        required=False,
        max_length=GROUNDS_MAX,
        label="Explanation",
        help_text="Every owner reads it in the statement of reasons.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        version = policy_document.active("general").version
        cast(forms.ChoiceField, self.fields["measure"]).choices = [
            (
                ACTIONS[action].label,
                [
                    (f"{action}:{reason}", f"{ACTIONS[action].label}: {title.lower()}")
                    for reason, title in allowed_actions.reasons_for(
                        action, policy_version=version
                    ).items()
                ],
            )
            for action in BULK_ACTIONS
        ]

    def chosen(self) -> tuple[Action, str]:
        """The measure and its reason."""
        action, _, reason = self.cleaned_data["measure"].partition(":")
        return cast(Action, action), reason
