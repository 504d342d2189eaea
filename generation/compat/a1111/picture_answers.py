"""Pictures as A1111's clients read them: bare base64, and what made them as a JSON text."""

from __future__ import annotations

import base64
import json
from functools import partial
from typing import Any

from django.utils import timezone

from generation.compat import refusal_cards
from generation.compat.a1111 import png_texts
from generation.compat.a1111.picture_bodies import WHAT_IS_SENT
from generation.compat.jobs import Job
from generation.gallery.file_views import picture
from generation.models import GeneratedImage
from provenance.assets import transcode

_NOT_HERE: dict[str, Any] = {
    "subseed_strength": 0,
    "restore_faces": False,
    "face_restoration_model": None,
    "sd_vae_name": None,
    "sd_vae_hash": None,
    "seed_resize_from_w": -1,
    "seed_resize_from_h": -1,
    "extra_generation_params": {},
    "index_of_first_image": 0,
    "styles": [],
    "clip_skip": 1,
    "is_using_inpainting_conditioning": False,
}


def answer_of(pictures: list[GeneratedImage], job: Job, said: dict[str, Any]) -> dict[str, Any]:
    """Nothing is repeated of what may hold a password or a picture."""
    data = [base64.b64encode(_file(image, said)).decode() for image in pictures]
    told = {name: value for name, value in said.items() if name not in WHAT_IS_SENT}
    return {
        "images": data if said["send_images"] else [],
        "parameters": told,
        "info": json.dumps(_info(pictures, job, said)),
    }


def _file(image: GeneratedImage, said: dict[str, Any]) -> bytes:
    """What made it stands in the file for who asks for that, as A1111's option is called: whoever
    gets the file reads the prompt."""
    data = bytes(picture(image).content)
    if said["override_settings"].get("enable_pnginfo") is not True or image.is_blurred:
        return data
    text = infotext(image, said["sampler_name"] or "Automatic")
    put = partial(png_texts.with_parameters, text=text)
    return transcode.with_more(data, put, asset_id=image.id, at=timezone.now())


def card(error: refusal_cards.Stopped, job: Job, said: dict[str, Any]) -> dict[str, Any]:
    """A refusal as if it were the picture, for keys whose clients show no text."""
    png = refusal_cards.drawn(refusal_cards.token_of(error, job))
    request = job.requests[0]
    info = _NOT_HERE | {
        "prompt": said["prompt"],
        "seed": request.seed,
        "all_seeds": [request.seed],
        "width": request.width,
        "height": request.height,
        "infotexts": [error.message],
        "is_refusal_card": True,
    }
    told = {name: value for name, value in said.items() if name not in WHAT_IS_SENT}
    images = [base64.b64encode(png).decode()]
    return {"images": images, "parameters": told, "info": json.dumps(info)}


def _info(pictures: list[GeneratedImage], job: Job, said: dict[str, Any]) -> dict[str, Any]:
    first, request = pictures[0], job.requests[0]
    seeds = [image.seed for image in pictures]
    return _NOT_HERE | {
        "prompt": first.prompt,
        "all_prompts": [image.prompt for image in pictures],
        "negative_prompt": first.negative_prompt,
        "all_negative_prompts": [image.negative_prompt for image in pictures],
        "seed": seeds[0],
        "all_seeds": seeds,
        "subseed": seeds[0],
        "all_subseeds": seeds,
        "width": first.width,
        "height": first.height,
        "sampler_name": said["sampler_name"] or "Automatic",
        "cfg_scale": first.guidance,
        "steps": first.steps,
        "batch_size": len(pictures),
        "sd_model_name": first.model_slug,
        "sd_model_hash": first.model_digest[:10],
        "denoising_strength": said["denoising_strength"] if request.starts_from else None,
        "infotexts": [infotext(image, said["sampler_name"] or "Automatic") for image in pictures],
        "job_timestamp": f"{request.created_at:%Y%m%d%H%M%S}",
    }


def infotext(image: GeneratedImage, sampler: str) -> str:
    """As A1111 writes it into a picture; here it goes to whoever asked alone."""
    lines = [image.prompt]
    if image.negative_prompt:
        lines.append(f"Negative prompt: {image.negative_prompt}")
    facts = {
        "Steps": image.steps,
        "Sampler": sampler,
        "CFG scale": f"{image.guidance:g}",
        "Seed": image.seed,
        "Size": f"{image.width}x{image.height}",
        "Model hash": image.model_digest[:10],
        "Model": image.model_slug,
    }
    if image.adapters:
        hashes = ", ".join(f"{use['slug']}: {use['sha256'][:12]}" for use in image.adapters)
        facts["Lora hashes"] = json.dumps(hashes)
    lines.append(", ".join(f"{name}: {value}" for name, value in facts.items()))
    return "\n".join(lines)
