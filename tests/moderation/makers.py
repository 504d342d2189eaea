"""Cases, decisions and pictures for the tests of the room, made through the domain functions."""

import hashlib
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from PIL import Image

from config.core.projects.models import EndUser
from moderation.cases import review_cases
from moderation.decisions import enforcing
from moderation.models import Decision, ReviewCase
from moderation.policy.rulebook import policy_document
from moderation.screening.classify import PromptVerdict
from moderation.subjects.evidence import Evidence, read
from moderation.subjects.subject import Subject

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
VERSION = policy_document.ACTIVE["general"]
PROMPT = "a naked flame of a statue, unclear"


def evidence(*, kind: str = "prompt", **more: Any) -> Evidence:
    said = {
        "prompt": PROMPT,
        "negative_prompt": "",
        "model": {"slug": "starter", "name": "Starter", "digest": "ab" * 32},
        "adapters": [{"slug": "soft", "name": "Soft", "weight": 0.5, "sha256": "cd" * 32}],
        "seed": 7,
        "steps": 20,
        "guidance": 5.0,
        "width": 512,
        "height": 512,
        "categories": {"nudity": 0.6, "sexual": 0.1},
        "policy_version": VERSION,
        "code": "prompt_held",
        "screening": str(uuid4()),
        "matched": [[2, 7, "nudity.bare"]],
        **more,
    }
    return read(kind, said)


def prompt_case(owner: User | None, *, at: datetime = NOON, **more: Any) -> ReviewCase:
    subject = Subject("prompt", uuid4(), owner.pk if owner else None)
    return review_cases.open_case(subject=subject, evidence=evidence(**more), at=at)


def severe_case(owner: User, *, at: datetime = NOON) -> ReviewCase:
    return prompt_case(owner, at=at, categories={"minors": 0.6}, matched=[])


def image_case(owner: User, *, at: datetime = NOON) -> tuple[ReviewCase, bytes]:
    """A held picture, red on the left and blue on the right, stored where pictures are kept."""
    data = picture()
    image_id = uuid4()
    name = storages["private"].save(f"images/{image_id}.png", ContentFile(data))
    shown = {"id": str(image_id), "file": name, "sha256": hashlib.sha256(data).hexdigest()}
    subject = Subject("image", image_id, owner.pk)
    facts = evidence(image=shown, code="image_held", matched=[])
    return review_cases.open_case(subject=subject, evidence=facts, at=at), data


def picture() -> bytes:
    image = Image.new("RGB", (512, 512), "red")
    image.paste("blue", (256, 0, 512, 512))
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def claimed(case: ReviewCase, by: User, *, at: datetime = NOON) -> tuple[ReviewCase, UUID]:
    row = review_cases.claim(case, by=by, at=at)
    assert row.lease_token is not None
    return row, row.lease_token


def refused_by(reviewer: User, owner: User, *, at: datetime = NOON, **more: Any) -> Decision:
    case, token = claimed(prompt_case(owner, at=at, **more), reviewer, at=at)
    return enforcing.decide(case, by=reviewer, action="refuse", reason="nudity", token=token, at=at)


def refused_by_machine(
    owner: User, *, at: datetime = NOON, end_user: EndUser | None = None, **more: Any
) -> Decision:
    scores = {"nudity": 0.97}
    verdict = PromptVerdict(
        verdict="refuse",
        categories=scores,
        matched=((2, 7, "nudity.bare"),),
        policy_version=VERSION,
        code="prompt_refused",
        screening_id=uuid4(),
    )
    return enforcing.refuse_automatically(
        subject=Subject(
            "prompt",
            uuid4(),
            owner.pk,
            end_user.project_id if end_user else None,
            end_user.id if end_user else None,
        ),
        verdict=verdict,
        evidence=evidence(categories=scores, **more),
        at=at,
    )
