"""The fixed set of pictures that is made with an adapter before it becomes public.

They pass the whole way of an image, so each one is screened, marked and signed. A copy is kept: the
moderator sees all of them in one sheet, the catalogue those that were released.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import QuerySet

from adapters.access import visibility
from adapters.models import Adapter, AdapterExample
from adapters.publishing import contact_sheet
from adapters.signals import examples_wanted
from config.core import events
from config.core.errors import ProofsheetError
from config.core.ownership import Person
from config.core.storage import private_storage
from moderation.account_status import audiences
from moderation.subjects.evidence import PictureEvidence, ScreenedFile
from moderation.subjects.reportable_pictures import Reportable
from moderation.subjects.subject import Subject

State = AdapterExample.State
PROMPTS = (
    "a portrait of a woman",
    "a man standing in a street",
    "a bowl of fruit on a table",
    "a house in a landscape",
)
SEED = 1
SHOWN_AS = {
    State.WAITING: "not made yet",
    State.SHOWN: "passed the screening",
    State.HELD: "held by the screening",
    State.WITHHELD: "withheld",
    State.FAILED: "could not be made",
}


class ExampleNotFound(ProofsheetError):
    """None at that place, or not one for this person."""

    default_code = "example_not_found"
    default_status = 404
    default_message = "There is no such example picture."
    default_advice = "The adapter's page shows those that there are."


@dataclass(frozen=True, slots=True)
class ExamplePicture:
    """A finished image: the room above knows it as `image_id`; `png` are its delivered bytes."""

    image_id: UUID
    png: bytes
    state: AdapterExample.State
    code: str = ""


@dataclass(frozen=True, slots=True)
class ExampleMissing:
    """The request ended without an image; `code` says why."""

    code: str


def order(adapter: Adapter, *, at: datetime) -> None:
    """Ask for the pictures of the set that the adapter does not have yet; those it has stay."""
    for position, prompt in enumerate(PROMPTS):
        words = f"{adapter.trigger}, {prompt}" if adapter.trigger else prompt
        example, _ = AdapterExample.objects.get_or_create(
            adapter=adapter, position=position, defaults={"prompt": words, "seed": SEED + position}
        )
        if example.state == State.FAILED:
            example.wait_again()
    if waiting := list(waiting_of(adapter)):
        examples_wanted.send(sender=Adapter, adapter=adapter, examples=waiting, at=at)


def waiting_of(adapter: Adapter) -> QuerySet[AdapterExample]:
    """Those that are not made yet, in their order."""
    return adapter.examples.filter(state=State.WAITING).order_by("position")


@transaction.atomic
def hand_in(example_id: int, result: ExamplePicture | ExampleMissing) -> None:
    """Keep one result; a doubled one is dropped. The last one sends the adapter to its review."""
    example = AdapterExample.objects.select_for_update().filter(id=example_id).first()
    if example is None or example.state != State.WAITING:
        return
    match result:
        case ExampleMissing():
            example.fail(code=result.code)
        case ExamplePicture():
            sha256 = hashlib.sha256(result.png).hexdigest()
            example.keep(
                image_id=result.image_id,
                file=_stored(result.png, sha256),
                sha256=sha256,
                state=result.state,
                code=result.code,
            )
    adapter_id = example.adapter_id
    if not AdapterExample.objects.filter(adapter=adapter_id, state=State.WAITING).exists():
        events.send("adapters.tasks.open_review", str(adapter_id))


def follow_decision(image_id: UUID, outcome: str, *, code: str) -> None:
    """What was decided about an image holds for its copy, in the decision's transaction."""
    for example in AdapterExample.objects.select_for_update().filter(image_id=image_id):
        match outcome, example.state:
            case "allow", State.HELD | State.WITHHELD | State.SHOWN:
                example.show()
            case "blur" | "age_restrict", State.HELD | State.WITHHELD | State.SHOWN:
                is_blurred = outcome == "blur"
                example.show(is_blurred=is_blurred, is_for_adults=not is_blurred)
            case "refuse", State.HELD | State.SHOWN:
                example.withhold(code=code)


def find_shown(slug: str, position: int, *, by: Person) -> AdapterExample:
    """Raises AdapterNotFound, ExampleNotFound."""
    adapter = visibility.find_visible(slug, by=by)
    example = adapter.examples.filter(position=position, state=State.SHOWN).first()
    if example is None or not may_see(example, by=by):
        raise ExampleNotFound
    return example


def may_see(example: AdapterExample, *, by: Person) -> bool:
    """Whether `by` is old enough for it."""
    return not example.is_for_adults or audiences.is_of_age(by.pk)


def reportable_of(image_id: UUID) -> Reportable | None:
    """A shown example as anybody may report it, also when the image that it copies is deleted."""
    shown = AdapterExample.objects.filter(image_id=image_id, state=State.SHOWN)
    example = shown.select_related("adapter").first()
    if example is None:
        return None
    owner_id = example.adapter.owner_id
    evidence = PictureEvidence(
        prompt=example.prompt,
        seed=example.seed,
        adapters=(),
        policy_version=audiences.policy_of(owner_id).version,
        image=ScreenedFile(str(image_id), example.file.name or "", example.sha256),
    )
    return Reportable(Subject("image", image_id, owner_id, example.adapter.project_id), evidence)


def sheet_of(examples: Iterable[AdapterExample], adapter_id: UUID) -> ScreenedFile | None:
    """All the pictures in one, stored for the moderator; None without any."""
    pictures = [example.file.read() for example in examples if example.file]
    if not pictures:
        return None
    sheet = contact_sheet.of(pictures)
    sha256 = hashlib.sha256(sheet).hexdigest()
    return ScreenedFile(str(adapter_id), _stored(sheet, sha256), sha256)


def said_of(example: AdapterExample) -> str:
    """One line for the moderator."""
    why = f" ({example.code})" if example.code else ""
    return f"“{example.prompt}”, seed {example.seed}: {SHOWN_AS[State(example.state)]}{why}"


def _stored(png: bytes, sha256: str) -> str:
    """Content-addressed, beside the adapters' files."""
    storage, name = private_storage(), f"adapters/examples/{sha256}.png"
    if not storage.exists(name):
        storage.save(name, ContentFile(png))
    return name
