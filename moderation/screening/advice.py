"""What the policy would make of texts and pictures, for a program that asks: nothing is stored and
nothing follows. The classifiers live in workers, so what is to be judged waits in the cache.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from secrets import token_hex
from uuid import UUID

from django.core.cache import cache

from config.core import events, notify
from config.core.projects.models import Project
from moderation.account_status import audiences
from moderation.policy import overlays
from moderation.policy.rulebook import policy_document
from moderation.policy.rulebook.overlay import Overlay
from moderation.screening import classify
from provenance.pictures import decoder
from provenance.pictures.refusals import PictureUnreadable

LIFETIME_S = 60


@dataclass(frozen=True, slots=True)
class Asked:
    """Texts and encoded pictures, and the project under whose policy they are judged."""

    texts: tuple[str, ...]
    pictures: tuple[bytes, ...]
    project: Project


@dataclass(frozen=True, slots=True)
class Advice:
    """Of one text or picture; of a picture that nobody can read there are no scores."""

    scores: dict[str, float]
    flagged: list[str]
    is_readable: bool = True


def ask(asked: Asked) -> str:
    """Send it to a worker; the name under which one sleeps until the answer is there.

    Raises kombu's OperationalError while the broker is away.
    """
    name = f"advice:{token_hex(16)}"
    for place, picture in enumerate(asked.pictures):
        cache.set(_key(name, f"picture:{place}"), picture, LIFETIME_S)
    said = {
        "texts": asked.texts,
        "pictures": len(asked.pictures),
        "profile": audiences.profile_for(asked.project),
        "project": str(asked.project.pk),
    }
    cache.set(_key(name, "asked"), said, LIFETIME_S)
    events.send_now("moderation.tasks.advise", name)
    return name


def answer(name: str) -> None:
    """In a worker. What is asked twice or came too late finds nothing to do."""
    asked = cache.get(_key(name, "asked"))
    if asked is None:
        return
    keys = [_key(name, f"picture:{place}") for place in range(asked["pictures"])]
    pictures = [cache.get(key) or b"" for key in keys]
    cache.delete_many([_key(name, "asked"), *keys])
    over = overlays.in_force(UUID(asked["project"]))
    said = [_of_text(text, asked["profile"], over) for text in asked["texts"]]
    said += [_of_picture(data, asked["profile"], over) for data in pictures]
    cache.set(_key(name, "said"), [asdict(each) for each in said], LIFETIME_S)
    notify.wake(name)


def read(name: str) -> list[Advice] | None:
    """The texts' first, then the pictures'; None while there is no answer."""
    said = cache.get(_key(name, "said"))
    return None if said is None else [Advice(**each) for each in said]


def _of_text(text: str, profile: str, over: Overlay | None) -> Advice:
    return _advice(classify.judge_prompt(text, profile=profile, overlay=over), "prompt")


def _of_picture(data: bytes, profile: str, over: Overlay | None) -> Advice:
    try:
        decoder.read(data)  # whatever the classifier makes of other bytes
        return _advice(classify.judge_known_image(data, profile=profile, overlay=over), "image")
    except PictureUnreadable:
        return Advice({}, [], is_readable=False)


def _advice(judged: classify.Judgement, stage: policy_document.Stage) -> Advice:
    flagged = [
        name
        for name, score in judged.categories.items()
        if judged.applied.categories[name].thresholds[stage].verdict(score) != "allow"
    ]
    return Advice(dict(judged.categories), flagged)


def _key(name: str, part: str) -> str:
    return f"{name}:{part}"
