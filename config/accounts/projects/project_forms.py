"""What the pages of a project ask for."""

from __future__ import annotations

from typing import Any

from django import forms
from django.forms.fields import InvalidJSONInput

from adapters.models import Adapter, BaseModel
from config.accounts.api_keys import key_issuing
from config.accounts.projects import administering
from config.core.api import json_bodies
from config.core.errors import ProofsheetError
from config.core.projects.models import Membership, Organisation, Project
from generation.request_rules import priority_classes
from moderation.account_status import audiences
from moderation.policy import overlays

CONTACT_HELP = (
    "Of the organisation. Whoever opens a notice that one of its projects issues itself reads it "
    "there, unless the project names an address."
)


class NewProjectForm(forms.Form):
    """What it is called, and who answers for it."""

    name = forms.CharField(max_length=120)
    organisation = forms.CharField(
        max_length=120,
        required=False,
        help_text="Who answers for it, as for another project of yours, or new; empty: you.",
    )
    contact = forms.EmailField(required=False, label="Contact", help_text=CONTACT_HELP)


class OrganisationForm(forms.ModelForm):  # type: ignore[type-arg] # at run time it is no generic
    """How whoever answers for the project is reached."""

    class Meta:
        model = Organisation
        fields = ("contact",)
        help_texts = {"contact": CONTACT_HELP}


class Slugs(forms.CharField):
    """A list of slugs, one a line; empty is no list: all."""

    def __init__(self, *, of: Any, **kwargs: Any) -> None:
        super().__init__(required=False, widget=forms.Textarea(attrs={"rows": 3}), **kwargs)
        self._known = of

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str] | None:
        said = sorted(set((super().clean(value) or "").replace(",", " ").split()))
        known = set(self._known.objects.filter(slug__in=said).values_list("slug", flat=True))
        if unknown := [slug for slug in said if slug not in known]:
            raise forms.ValidationError(f"There is none called {unknown[0][:80]}.")
        return said or None


class SettingsForm(forms.ModelForm):  # type: ignore[type-arg] # at run time it is no generic
    """What owners set."""

    policy_profile = forms.ChoiceField(required=False, label="Policy profile")
    priority_ceiling = forms.ChoiceField(
        required=False,
        label="Best tier",
        choices=[("", "any"), *((name, name) for name in priority_classes.NAMES)],
    )
    allowed_models = Slugs(of=BaseModel, help_text="One a line; empty: all.")
    allowed_adapters = Slugs(of=Adapter, help_text="One a line; empty: all.")

    class Meta:
        model = Project
        fields = administering.SETTINGS
        labels = {
            "allows_adult": "The profile for adults may be chosen",
            "end_user_images_a_day": "Images a day for each end user",
            "end_user_in_flight": "Requests at once for each end user",
            "retention_days": "Days that images are kept",
            "notice_name": "Name on notices",
            "notice_address": "Address on notices",
            "statement_issuer": "Who issues statements",
            "refusal_as": "A refusal is",
        }
        help_texts = {
            "refusal_as": "For keys that say nothing of it themselves. Keys made before there was "
            "this setting say “error”, and so do those that follow them.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["policy_profile"]
        assert isinstance(field, forms.ChoiceField)
        offered = [(found.profile, found.title) for found in audiences.offered()]
        field.choices = [("", "as the person chose"), *offered]

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if said.get("policy_profile") in audiences.NEED_AGE and not said.get("allows_adult"):
            self.add_error("policy_profile", "This profile is for projects with adult content.")
        return said


class GrantForm(forms.ModelForm):  # type: ignore[type-arg] # at run time it is no generic
    """The limits that the house grants; empty ones are those of the members' accounts."""

    class Meta:
        model = Project
        fields = administering.GRANTS
        labels = {
            "images_a_day": "Images a day",
            "device_seconds_a_day": "Device seconds a day",
            "device_seconds_a_month": "Device seconds in 30 days",
            "in_flight": "Requests at once",
        }


class MemberForm(forms.Form):
    """Who, and as what; no role lets them go."""

    username = forms.CharField(max_length=150, label="Account")
    role = forms.ChoiceField(
        required=False,
        choices=[*Membership.MemberRole.choices, ("", "no longer a member")],
        initial=Membership.MemberRole.VIEWER,
    )


class ProjectKeyForm(forms.Form):
    """A key of the project."""

    name = forms.CharField(max_length=80)
    scopes = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple, label="What it may do")
    days = forms.TypedChoiceField(
        label="Ends after",
        coerce=int,
        choices=[(days, f"{days} days") for days in key_issuing.LIFETIMES_DAYS],
        initial=90,
    )
    refusal_as = forms.ChoiceField(
        label="A refusal is",
        choices=[("", "as the project says"), *Project.RefusalAs.choices],
        required=False,
    )
    networks = forms.CharField(
        required=False, max_length=1000, help_text="Networks that it is good from, such as "
        "192.0.2.0/24; empty: anywhere.",
    )  # fmt: skip

    def __init__(self, *args: Any, by: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["scopes"]
        assert isinstance(field, forms.MultipleChoiceField)
        offered = key_issuing.scopes_for(by, project)
        field.choices = [(scope.value, scope.label) for scope in offered]
        field.initial = [key_issuing.Scope.READ, key_issuing.Scope.GENERATE]

    def clean_networks(self) -> list[str]:
        return str(self.cleaned_data["networks"]).replace(",", " ").split()


class _JSONText(forms.JSONField):
    """JSON as the API reads it, with the API's sentences."""

    def to_python(self, value: Any) -> Any:
        if not isinstance(value, str) or not value.strip():
            return super().to_python(value)
        try:
            return json_bodies.read(value)
        except ProofsheetError as error:
            raise forms.ValidationError(error.message, code=error.code) from error
        except ValueError as error:
            raise forms.ValidationError("Enter a valid JSON.", code="invalid") from error

    def bound_data(self, data: Any, initial: Any) -> Any:
        """What was typed comes back as it was, also where no JSON writer could write it."""
        return data if data is None else InvalidJSONInput(data)


class OverlayForm(forms.Form):
    """The document as JSON, and why."""

    document = _JSONText(
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
        label="Overlay",
        initial=dict,
        help_text="JSON with thresholds, hold, block and allow; it only tightens.",
    )
    rationale = forms.CharField(max_length=overlays.WORDS_MAX, label="Why")

    def clean_document(self) -> Any:
        said = self.cleaned_data["document"]
        if not isinstance(said, dict):
            raise forms.ValidationError("An overlay is an object.")
        return said
