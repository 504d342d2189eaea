"""Going public: the owner asks, the words are screened, a person decides, we enforce it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from adapters import tasks, uploads
from adapters.models import Adapter
from moderation import cases, screening
from moderation.models import Decision
from moderation.signals import decision_enforced
from moderation.subjects import Subject
from provenance.errors import ProofsheetError


class ConsentMissing(ProofsheetError):
    default_code = "consent_missing"
    default_status = 422
    default_message = "The adapter shows a real person, so it needs that person's consent."
    default_advice = "Confirm that you have the consent, or keep the adapter to yourself."


class LicenceMissing(ProofsheetError):
    default_code = "licence_missing"
    default_status = 422
    default_message = "A public adapter needs a licence, so that others know what they may do."
    default_advice = "Name one, for example CC-BY-4.0 or Apache-2.0."


class AlreadyAsked(ProofsheetError):
    default_code = "already_asked"
    default_status = 409
    default_message = "This adapter already waits for a moderator."
    default_advice = "You are told when it is decided."


@transaction.atomic
def ask(
    slug: str, *, by: AbstractBaseUser, licence: str, has_consent: bool, at: datetime
) -> Adapter:
    """Ask for an adapter to become public. Raises AdapterNotFound, WrongState, AlreadyAsked,
    LicenceMissing, ConsentMissing."""
    adapter = uploads.owned(slug, by=by)
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
    transaction.on_commit(lambda: tasks.open_review.delay(str(adapter.id)), robust=True)
    return adapter


@transaction.atomic
def unpublish(slug: str, *, by: AbstractBaseUser) -> Adapter:
    """Take a public adapter back for oneself. Raises AdapterNotFound, WrongState."""
    adapter = uploads.owned(slug, by=by)
    adapter.unpublish()
    return adapter


def open_review(adapter_id: UUID, *, at: datetime) -> None:
    """Screen the adapter's words and open its case. Does nothing once it waits no more."""
    adapter = Adapter.objects.filter(id=adapter_id, review_asked_at__isnull=False).first()
    if adapter is None:
        return
    verdict = screening.screen_prompt(words_of(adapter), at=at)
    with transaction.atomic():
        row = Adapter.objects.select_for_update().get(id=adapter_id)
        if row.review_asked_at is None:
            return
        subject = Subject("adapter", row.id, row.owner_id)
        cases.open_case(subject=subject, evidence=evidence_of(row, verdict), at=at)


def words_of(adapter: Adapter) -> str:
    """All that the owner wrote, as one text."""
    said = (adapter.name, adapter.trigger, adapter.description, ", ".join(adapter.tags))
    return ". ".join(part for part in said if part)


def evidence_of(adapter: Adapter, verdict: screening.PromptVerdict) -> dict[str, Any]:
    """What a moderator sees, frozen: the words with what the rules found, and the plain facts."""
    model = adapter.base_model
    return {
        "prompt": words_of(adapter),
        "matched": list(verdict.matched),
        "policy_version": verdict.policy_version,
        "screening": str(verdict.screening_id),
        "model": {"slug": model.slug, "name": model.name, "digest": model.digest} if model else {},
        "adapter": {
            "name": adapter.name,
            "trigger": adapter.trigger,
            "licence": adapter.licence,
            "rank": adapter.rank,
            "size_bytes": adapter.size_bytes,
            "sha256": adapter.sha256,
            "words_were_screened": verdict.verdict,
            "shows_a_real_person": "yes, consent attested" if adapter.shows_a_person else "no",
        },
    }


def connect() -> None:
    decision_enforced.connect(enforce, dispatch_uid="adapters.enforce")


def enforce(
    *, subject_kind: str, subject_id: UUID, outcome: str, decision: Decision, **_: Any
) -> None:
    """Publish or refuse, in the decision's transaction. A withdrawn adapter stays withdrawn."""
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
        case "refuse", state.ACCEPTED | state.PUBLISHED:
            adapter.refuse()
