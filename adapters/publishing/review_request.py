"""Going public: the owner asks, the words are screened, a person decides, we enforce it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from adapters.access import sharing
from adapters.models import STOPPED, Adapter, AdapterExample
from adapters.publishing import examples
from config.core import events
from config.core.errors import ProofsheetError
from moderation.account_status import restrictions
from moderation.cases import review_cases
from moderation.models import Decision, ReviewCase
from moderation.policy.rulebook import policy_document
from moderation.screening import classify
from moderation.signals import decision_enforced
from moderation.subjects import withdrawable_adapters
from moderation.subjects.evidence import AdapterEvidence, UsedModel
from moderation.subjects.subject import Subject


class ConsentMissing(ProofsheetError):
    """It shows a real person, and nobody attested that person's consent."""

    default_code = "consent_missing"
    default_status = 422
    default_message = "The adapter shows a real person, so it needs that person's consent."
    default_advice = "Confirm that you have the consent, or keep the adapter to yourself."


class LicenceMissing(ProofsheetError):
    """Nobody could know what they may do with it."""

    default_code = "licence_missing"
    default_status = 422
    default_message = "A public adapter needs a licence, so that others know what they may do."
    default_advice = "Name one, for example CC-BY-4.0 or Apache-2.0."


class AlreadyAsked(ProofsheetError):
    """Its review is asked for and not decided."""

    default_code = "already_asked"
    default_status = 409
    default_message = "This adapter already waits for a moderator."
    default_advice = "You are told when it is decided."


@transaction.atomic
def ask(
    slug: str, *, by: AbstractBaseUser, licence: str, has_consent: bool, at: datetime
) -> Adapter:
    """Ask for an adapter to become public. Raises AdapterNotFound, AdapterWrongState, AlreadyAsked,
    LicenceMissing, ConsentMissing, moderation.account_status.restrictions.AccountSuspended."""
    restrictions.check(by.pk, at=at)
    adapter = sharing.owned(slug, by=by)
    if adapter.review_asked_at:
        raise AlreadyAsked
    adapter.licence = (licence.strip() or adapter.licence)[:200]
    if not adapter.licence:
        raise LicenceMissing
    if adapter.shows_a_person and has_consent and not adapter.consent_attested_at:
        adapter.consent_attested_at = at
    if adapter.shows_a_person and not adapter.consent_attested_at:
        raise ConsentMissing
    adapter.ask_for_review(at=at)
    examples.order(adapter, at=at)
    events.send("adapters.tasks.open_review", str(adapter.id))
    return adapter


@transaction.atomic
def unpublish(slug: str, *, by: AbstractBaseUser) -> Adapter:
    """Take a public adapter back for oneself. Raises AdapterNotFound, AdapterWrongState."""
    adapter = sharing.owned(slug, by=by)
    adapter.unpublish()
    return adapter


def open_review(adapter_id: UUID, *, at: datetime) -> None:
    """Screen the adapter's words and open its case, once its example pictures are there.

    Does nothing for one that waits no more, or whose case is open.
    """
    adapter = Adapter.objects.filter(id=adapter_id, review_asked_at__isnull=False).first()
    if adapter is None or examples.waiting_of(adapter).exists() or _has_case(adapter):
        return
    verdict = classify.screen_prompt(words_of(adapter), at=at)
    evidence = evidence_of(adapter, verdict)
    with transaction.atomic():
        row = Adapter.objects.select_for_update().get(id=adapter_id)
        if row.review_asked_at is None or _has_case(row):
            return
        subject = _subject_of(row)
        named = _worst(adapter, verdict)
        review_cases.open_case(subject=subject, evidence=evidence, named=named, at=at)


def _worst(adapter: Adapter, verdict: classify.PromptVerdict) -> str:
    """The severest category that the screening saw in the adapter's words, or that one of its
    example pictures was held, refused or withheld for; "" where all of it passed.
    """
    judged = policy_document.load(verdict.policy_version)
    stopped = (AdapterExample.State.HELD, AdapterExample.State.WITHHELD)
    made = adapter.examples.filter(state__in=stopped)
    ids = [example.image_id for example in made if example.image_id]
    held = ReviewCase.objects.filter(
        subject_kind="image", subject_id__in=ids, is_sampled=False
    ).values_list("category", flat=True)
    refused = Decision.objects.filter(subject_kind="image", subject_id__in=ids).values_list(
        "reason", flat=True
    )
    found = [judged.categories[name] for name in (*held, *refused) if name in judged.categories]
    if of_words := judged.worst(verdict.categories, stage="prompt"):
        found.append(of_words)
    return max(found, key=lambda each: each.severity).name if found else ""


def _has_case(adapter: Adapter) -> bool:
    """Of this asking, decided or not: a decision acts a little after it is made."""
    return ReviewCase.objects.filter(
        subject_kind="adapter", subject_id=adapter.id, opened_at__gte=adapter.review_asked_at
    ).exists()


def reviews_to_open(*, before: datetime) -> list[UUID]:
    """Adapters that asked earlier than that, have their pictures, and still have no case."""
    asked = Adapter.objects.filter(review_asked_at__lt=before)
    return [
        adapter.id
        for adapter in asked
        if not examples.waiting_of(adapter).exists() and not _has_case(adapter)
    ]


def words_of(adapter: Adapter) -> str:
    """All that the owner wrote, as one text."""
    said = (adapter.name, adapter.trigger, adapter.description, ", ".join(adapter.tags))
    return ". ".join(part for part in said if part)


def evidence_of(adapter: Adapter, verdict: classify.PromptVerdict) -> AdapterEvidence:
    """What a moderator sees, frozen: the words with what the rules found, the example pictures in
    one sheet, and the plain facts."""
    model = adapter.base_model
    made = list(adapter.examples.order_by("position"))
    return AdapterEvidence(
        image=examples.sheet_of(made, adapter.id),
        prompt=words_of(adapter),
        matched=verdict.matched,
        policy_version=verdict.policy_version,
        screening=str(verdict.screening_id),
        model=UsedModel(model.slug, model.name, model.digest) if model else None,
        adapter={
            "name": adapter.name,
            "trigger": adapter.trigger,
            "licence": adapter.licence,
            "rank": adapter.rank,
            "size_bytes": adapter.size_bytes,
            "sha256": adapter.sha256,
            "words_were_screened": verdict.verdict,
            "shows_a_real_person": _consent(adapter),
        }
        | {f"picture_{row.position + 1}": examples.said_of(row) for row in made},
    )


def _consent(adapter: Adapter) -> str:
    if not adapter.shows_a_person:
        return "no"
    return f"yes; the owner attested that person's consent at {adapter.consent_attested_at:%F %T}"


def connect() -> None:
    """Follow decisions, and offer adapters to be withdrawn by one."""
    decision_enforced.connect(enforce, dispatch_uid="adapters.enforce")
    withdrawable_adapters.register(withdrawable_of)


def withdrawable_of(slug: str) -> Subject | None:
    """An adapter that new requests could use, as something to be decided about."""
    adapter = Adapter.objects.usable().filter(slug=slug).first()
    return _subject_of(adapter) if adapter else None


def _subject_of(adapter: Adapter) -> Subject:
    return Subject("adapter", adapter.id, adapter.owner_id, adapter.project_id)


def enforce(
    *, subject_kind: str, subject_id: UUID, outcome: str, decision: Decision, **_: Any
) -> None:
    """Publish, refuse or stop it, in the decision's transaction. Its owner's withdrawal stays."""
    if subject_kind == "image":
        examples.follow_decision(subject_id, outcome, code=decision.code)
    if subject_kind != "adapter":
        return
    adapter = Adapter.objects.select_for_update().filter(id=subject_id).first()
    if adapter is None:
        return
    state = Adapter.State
    match outcome, adapter.state:
        case "allow", state.ACCEPTED if adapter.review_asked_at:
            adapter.publish()
        case "allow", state.REJECTED if adapter.is_refused:
            adapter.publish()
        case "withdraw", state.ACCEPTED | state.PUBLISHED:
            adapter.stop()
        case "restore", state.REJECTED if adapter.code == STOPPED:
            adapter.restore()
        case "refuse", state.ACCEPTED | state.PUBLISHED:
            adapter.refuse()
