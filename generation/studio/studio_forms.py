"""The form of the studio, and what a picture or a request says filled into it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser

from adapters.access import visibility
from adapters.models import Adapter, BaseModel
from config.core.errors import ProofsheetError
from generation.models import GeneratedImage, GenerationRequest
from generation.request_rules.parameters import (
    COUNT_RANGE,
    GUIDANCE_RANGE,
    PROMPT_MAX_CHARACTERS,
    SEED_MAX,
    STEPS_RANGE,
    STRENGTH_RANGE,
    USUAL_STRENGTH,
    WEIGHT_RANGE,
    RequestParameters,
)
from provenance.assets import label_choices
from provenance.marks import visible_label
from provenance.marks.visible_label import Position
from provenance.pictures import decoder

FIELD_OF_CODE = {
    "prompt_empty": "prompt",
    "prompt_too_long": "prompt",
    "model_not_registered": "model",
    "size_not_offered": "size",
    "label_not_offered": "label",
    "steps_out_of_range": "steps",
    "guidance_out_of_range": "guidance",
    "seed_out_of_range": "seed",
    "strength_out_of_range": "strength",
    "strength_too_low": "strength",
    "strength_without_source": "strength",
    "two_sources": "picture",
    "source_too_large": "picture",
    "source_not_found": "picture",
    "picture_unreadable": "picture",
    "picture_empty": "picture",
    "picture_animated": "picture",
    "picture_too_small": "picture",
    "not_a_picture": "picture",
    "too_many_pixels": "picture",
    "picture_too_costly": "picture",
}


LABEL_CHOICES = [(label_choices.NONE, "None")] + [
    (position.value, position.replace("-", " ").capitalize()) for position in Position
]


class SpeedChoice:
    """How many steps: the model's own number, its few-step mode, or the person's number."""

    FULL = "full"
    QUICK = "quick"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class StyleField:
    """An adapter as the form shows it, beside its bound weight field."""

    adapter: Adapter
    field: forms.BoundField


class StudioForm(forms.Form):
    """Everything that a request takes. Its choices depend on who asks and on the chosen model."""

    prompt = forms.CharField(
        label="What should the picture show?",
        strip=True,
        # Longer ones pass to the domain, which has the one sentence for them.
        max_length=PROMPT_MAX_CHARACTERS * 10,
        widget=forms.Textarea(
            attrs={"rows": 3, "placeholder": "a red apple", "autocomplete": "off"}
        ),
        error_messages={"required": "The prompt is empty. Write a few words of what to show."},
    )
    negative_prompt = forms.CharField(
        label="What should it not show?", required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    model = forms.ChoiceField(label="Model")
    pace = forms.ChoiceField(label="Steps", required=False, widget=forms.RadioSelect)
    steps = forms.IntegerField(
        label="Own number of steps",
        required=False,
        widget=forms.NumberInput(attrs={"min": STEPS_RANGE[0], "max": STEPS_RANGE[1]}),
    )
    guidance = forms.FloatField(
        label="Guidance",
        required=False,
        help_text="How closely it follows the prompt.",
        widget=forms.NumberInput(
            attrs={"min": GUIDANCE_RANGE[0], "max": GUIDANCE_RANGE[1], "step": "0.5"}
        ),
    )
    seed = forms.IntegerField(
        label="Seed",
        required=False,
        help_text="The same seed gives the same picture again.",
        widget=forms.NumberInput(attrs={"min": 0, "max": SEED_MAX, "placeholder": "random"}),
    )
    size = forms.ChoiceField(label="Size", required=False)
    count = forms.ChoiceField(
        label="Images",
        required=False,
        choices=[(n, str(n)) for n in range(COUNT_RANGE[0], COUNT_RANGE[1] + 1)],
        widget=forms.RadioSelect,
    )
    picture = forms.FileField(
        label="Picture to upload",
        required=False,
        allow_empty_file=True,  # the domain has the sentence for it
        help_text="PNG, JPEG, WebP, AVIF or HEIC. It is screened first, and only you can see it. "
        "Credentials that it carries, with their small preview, stay inside what is made.",
        widget=forms.FileInput(attrs={"accept": decoder.ACCEPT}),
    )
    strength = forms.FloatField(
        label="Strength",
        required=False,
        help_text="How far it may depart from the picture: 0.05 hardly, 1 altogether.",
        widget=forms.NumberInput(
            attrs={
                "min": STRENGTH_RANGE[0],
                "max": STRENGTH_RANGE[1],
                "step": "0.05",
                "placeholder": f"{USUAL_STRENGTH:g}",
            }
        ),
    )
    source_image = forms.UUIDField(widget=forms.HiddenInput, required=False)
    label = forms.ChoiceField(
        label="Visible label",
        required=False,
        choices=LABEL_CHOICES,
        help_text="Drawn on the picture, for people. Its invisible marks are there in any case.",
    )
    label_text = forms.ChoiceField(label="What it says", required=False)
    key = forms.UUIDField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, user: AbstractBaseUser, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.models = list(visibility.active_models())
        self.base_model = self._chosen_model()
        self.styles: list[StyleField] = []
        self._choice("model").choices = [(model.slug, model.name) for model in self.models]
        if self.base_model is not None:
            self._offer(self.base_model, user)

    def _chosen_model(self) -> BaseModel | None:
        wanted = self.data.get("model") if self.is_bound else self.initial.get("model")
        chosen = [model for model in self.models if model.slug == wanted]
        return next(iter(chosen or self.models), None)

    def _choice(self, name: str) -> forms.ChoiceField:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        return field

    def _offer(self, model: BaseModel, user: AbstractBaseUser) -> None:
        self._choice("pace").choices = [
            (SpeedChoice.FULL, f"Full ({model.default_steps})"),
            (SpeedChoice.QUICK, f"Quick ({model.few_steps})"),
            (SpeedChoice.OWN, "Own"),
        ]
        self._choice("size").choices = [(f"{w}x{h}", f"{w} × {h}") for w, h in model.sizes]
        self.fields["guidance"].widget.attrs["placeholder"] = f"{model.default_guidance:g}"
        for name, value in (("model", model.slug), ("pace", SpeedChoice.FULL), ("count", 1)):
            self.initial.setdefault(name, value)
        self.initial.setdefault("key", uuid4())
        self.initial.setdefault("label", label_choices.usual_position())
        self._choice("label_text").choices = [(text, text) for text in label_choices.texts()]
        self._offer_styles(model, user)

    def _offer_styles(self, model: BaseModel, user: AbstractBaseUser) -> None:
        for adapter in visibility.usable_by(user, model):
            name = f"weight_{adapter.slug}"
            self.fields[name] = forms.FloatField(
                label=f"Weight of {adapter.name}",
                required=False,
                widget=forms.NumberInput(
                    attrs={
                        "min": WEIGHT_RANGE[0],
                        "max": WEIGHT_RANGE[1],
                        "step": "0.1",
                        "placeholder": "0",
                    }
                ),
            )
            self.styles.append(StyleField(adapter, self[name]))

    @property
    def has_open_details(self) -> bool:
        """Whether the folded part holds something that the person should see."""
        filled = ("negative_prompt", "guidance", "seed")
        is_wrong = any(self[name].errors for name in ("model", "size", "label", *filled))
        return is_wrong or any(self[name].value() for name in filled)

    @property
    def starts_from(self) -> UUID | None:
        """Id of the own image that is started from, if any."""
        try:
            return UUID(str(self["source_image"].value()))
        except ValueError:
            return None

    @property
    def has_source(self) -> bool:
        """Whether the part about a picture to start from should be seen."""
        is_wrong = any(self[name].errors for name in ("picture", "strength", "source_image"))
        return is_wrong or bool(self.starts_from) or bool(self["strength"].value())

    def sheet_key(self) -> str | None:
        """Names this filled-in form, so that sending it twice submits it once."""
        key: UUID | None = self.cleaned_data["key"]
        return str(key) if key else None

    def settings(self) -> dict[str, Any]:
        """Initial values of a fresh form that says the same."""
        left_out = {"key", "picture"}  # a browser takes no file back
        return {name: value for name, value in self.cleaned_data.items() if name not in left_out}

    def parameters(self, *, tier: str = "standard") -> RequestParameters:
        data = self.cleaned_data
        width, _, height = (data["size"] or "").partition("x")
        has_no_label = (data["label"] or label_choices.usual_position()) == label_choices.NONE
        return RequestParameters(
            prompt=data["prompt"],
            negative_prompt=data["negative_prompt"],
            model=data["model"],
            steps=self._steps(),
            guidance=data["guidance"],
            seed=data["seed"],
            width=int(width) if width else None,
            height=int(height) if height else None,
            adapters=tuple(
                (style.adapter.slug, weight)
                for style in self.styles
                if (weight := data[style.field.name])
            ),
            tier=tier,
            count=int(data["count"] or 1),
            source_image=str(data["source_image"]) if data["source_image"] else None,
            picture=self._picture(),
            strength=data["strength"],
            visible_label=data["label"] or None,
            # The list of texts is always sent, and means nothing without a corner.
            visible_label_text=None if has_no_label else data["label_text"] or None,
        )

    def _picture(self) -> bytes | None:
        """The upload's bytes; of one that is too large no more than shows that it is."""
        file = self.cleaned_data["picture"]
        return file.read(settings.PROOFSHEET_SOURCE_MAX_BYTES + 1) if file is not None else None

    def _steps(self) -> int | None:
        if self.base_model and self.cleaned_data["pace"] == SpeedChoice.QUICK:
            return self.base_model.few_steps
        if self.cleaned_data["pace"] == SpeedChoice.OWN:
            steps: int | None = self.cleaned_data["steps"]
            return steps
        return None

    def blame(self, error: ProofsheetError) -> None:
        """Show a domain error beside the field that it is about."""
        field = FIELD_OF_CODE.get(error.code)
        self.add_error(field, forms.ValidationError(str(error), code=error.code))


def settings_of(image: GeneratedImage) -> dict[str, Any]:
    """Initial values of the studio form that make `image` again."""
    return {
        "prompt": image.prompt,
        "negative_prompt": image.negative_prompt,
        "model": image.model_slug,
        "pace": SpeedChoice.OWN,
        "steps": image.steps,
        "guidance": image.guidance,
        "seed": image.seed,
        "count": 1,
        "size": f"{image.width}x{image.height}",
        "source_image": image.source.get("image") or None,
        "strength": image.source.get("strength"),
        **_label_of(image.request),
        **{f"weight_{adapter['slug']}": adapter["weight"] for adapter in image.adapters},
    }


def settings_of_request(request: GenerationRequest) -> dict[str, Any]:
    """Initial values that say what `request` said, but for its seed: it was chosen or random."""
    model = request.model
    pace = {model.default_steps: SpeedChoice.FULL, model.few_steps: SpeedChoice.QUICK}
    source = request.starts_from
    return {
        "prompt": request.prompt,
        "negative_prompt": request.negative_prompt,
        "model": model.slug,
        "pace": pace.get(request.steps, SpeedChoice.OWN),
        "steps": None if request.steps in pace else request.steps,
        "guidance": None if request.guidance == model.default_guidance else request.guidance,
        "count": request.count,
        "size": f"{request.width}x{request.height}",
        "source_image": source and source.image_id,
        "strength": source and source.strength,
        **_label_of(request),
        **{f"weight_{used.adapter.slug}": used.weight for used in request.used_adapters},
    }


def _label_of(request: GenerationRequest) -> dict[str, str]:
    label = visible_label.parse(request.label)
    if label is None:
        return {"label": label_choices.NONE}
    return {"label": label.position.value, "label_text": label.text}
