"""Parameters that make an earlier image again, or something close to it."""

from __future__ import annotations

from dataclasses import replace

from generation.conditions import init_images
from generation.models import GeneratedImage
from generation.request_rules.parameters import RequestParameters, SourceGone
from provenance.assets import label_choices
from provenance.marks import visible_label


def parameters_of(image: GeneratedImage, *, keeps_seed: bool) -> RequestParameters:
    """The parameters that make `image` again, or a variant of it under a new random seed; from the
    same picture, where it was made from one. Raises SourceGone."""
    parameters = _settings_of(image, seed=image.seed if keeps_seed else None)
    if not image.source:
        return parameters
    parameters = replace(parameters, strength=image.source["strength"])
    source = init_images.of_request(image.request)
    if image.source.get("mask") and source is not None:
        parameters = replace(parameters, mask=init_images.mask_of(source))
    if image.source["image"]:
        return replace(parameters, source_image=image.source["image"])
    if source is None:
        raise SourceGone
    return replace(parameters, picture=init_images.read(source))


def variation_of(image: GeneratedImage, *, strength: float) -> RequestParameters:
    """The parameters that start from `image` itself, under a new random seed."""
    parameters = _settings_of(image, seed=None)
    return replace(parameters, source_image=str(image.id), strength=strength)


def _settings_of(image: GeneratedImage, *, seed: int | None) -> RequestParameters:
    label = visible_label.parse(image.request.label)
    return RequestParameters(
        prompt=image.prompt,
        negative_prompt=image.negative_prompt,
        model=image.model_slug,
        steps=image.steps,
        guidance=image.guidance,
        guidance_rescale=image.guidance_rescale,
        seed=seed,
        width=image.width,
        height=image.height,
        adapters=tuple((adapter["slug"], adapter["weight"]) for adapter in image.adapters),
        visible_label=label.position.value if label else label_choices.NONE,
        visible_label_text=label.text if label else None,
    )
