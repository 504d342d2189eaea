"""Policy versions that are made here: drafted and proposed by compliance staff or a senior
moderator, and put in force by a senior moderator who did neither.

The versions that ship are files; a version made here is a row with its full document. Neither ever
changes under its name. Whoever drafts says only what differs from the version it is based on.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Q, QuerySet

from config.core.errors import ProofsheetError
from moderation.models import Policy
from moderation.policy.rulebook import characters, policy_document, profiles
from provenance.log import transparency_log

WORDS_MAX = 4000
_NAMING = 0x706F6C696379  # "policy": held while a draft gets its name
Status = Policy.Status


class VersionNotFound(ProofsheetError):
    """There is no such version among those made here, or this person may not see it."""

    default_code = "policy_version_not_found"
    default_message = "There is no such policy version."
    default_advice = "Go back to the list of versions."
    default_status = 404


class ChangesInvalid(ProofsheetError):
    """The changes break the schema, lower a floor, or change nothing; the message says which."""

    default_code = "policy_changes_invalid"
    default_message = "These changes make no valid policy."
    default_advice = "Thresholds lie above 0 and up to 1, hold below refuse; 2 is never."
    default_status = 422


class RationaleMissing(ProofsheetError):
    """A draft says why it is made."""

    default_code = "rationale_missing"
    default_message = f"Say why in 1 to {WORDS_MAX} characters."
    default_advice = "The person who puts it in force reads it."
    default_status = 422


class SameAuthor(ProofsheetError):
    """Who drafted or proposed a version may not put it in force."""

    default_code = "same_author"
    default_message = "You drafted or proposed this version, so a different person activates it."
    default_advice = "Leave it to another senior moderator."
    default_status = 403


class BaseOutdated(ProofsheetError):
    """Another version came into force after this one was drafted."""

    default_code = "policy_base_outdated"
    default_message = "The version that this one is based on is no longer in force."
    default_advice = "Draft it again on the version in force."
    default_status = 409


class NotAnAuthor(ProofsheetError):
    """Policies are drafted by compliance staff and senior moderators."""

    default_code = "not_a_policy_maker"
    default_message = "Policy versions are made by compliance staff and senior moderators."
    default_advice = "Every version can be read on its public page."
    default_status = 403


class NotAGovernor(ProofsheetError):
    """Who proposes is not yet who decides: senior moderators put policies in force."""

    default_code = "not_a_policy_governor"
    default_message = "A version is put in force by a senior moderator."
    default_advice = "Leave it to one who did not propose it."
    default_status = 403


class PolicyRepository:
    """Where the pure ``policy`` module finds the versions that are made here, and those that an
    earlier release shipped and that judged something."""

    def active_version(self, profile: str) -> str | None:
        made_here = Policy.objects.filter(profile=profile, status=Status.ACTIVE, is_shipped=False)
        return made_here.values_list("version", flat=True).first()

    def document(self, version: str) -> dict[str, Any] | None:
        rows = Policy.objects.filter(version=version)
        rows = rows.filter(Q(is_shipped=True) | Q(activated_at__isnull=False))
        document: dict[str, Any] | None = rows.values_list("document", flat=True).first()
        return document


@transaction.atomic
def propose_draft(
    *,
    based_on: str,
    changes: Mapping[str, Any],
    rationale: str,
    by: User,
    at: datetime,
    attachment: Mapping[str, Any] | None = None,
) -> Policy:
    """Draft a version and propose it at once. See `draft`, `propose`."""
    made = draft(
        based_on=based_on, changes=changes, rationale=rationale, by=by, at=at, attachment=attachment
    )
    return propose(made, by=by, at=at)


@transaction.atomic
def draft(
    *,
    based_on: str,
    changes: Mapping[str, Any],
    rationale: str,
    by: User,
    at: datetime,
    attachment: Mapping[str, Any] | None = None,
) -> Policy:
    """Write a version that differs from `based_on` in `changes`:
    ``{"categories": {name: {"thresholds": {stage: {"hold": …, "refuse": …}}, "rule": …,
    "explanation": …, "law": {"ground": …, "explanation": …}}}, "rules": {id: {"score": …}}}``,
    parts that are left out stay as they are.
    `attachment` is JSON that argues for it (such as a replay of earlier scores).

    Raises NotAnAuthor, RationaleMissing, ChangesInvalid, policy_document.PolicyUnknown.
    """
    _check_author(by)
    words = characters.typed(rationale)
    if not 1 <= len(words) <= WORDS_MAX or "\0" in words:
        raise RationaleMissing
    base = policy_document.find(based_on)
    version = _free_name(base.profile, at=at)
    made = _changed(base, changes, version=version)
    return Policy.objects.create(
        version=version,
        profile=base.profile,
        sha256=made.sha256,
        document=dict(made.document),
        status=Status.DRAFT,
        is_shipped=False,
        based_on=base.version,
        changes=dict(changes),
        rationale=words,
        attachment=dict(attachment) if attachment else None,
        drafted_by=by,
        drafted_at=at,
    )


@transaction.atomic
def propose(version: Policy, *, by: User, at: datetime) -> Policy:
    """Ask for the second person. Raises NotAnAuthor; WrongState unless it is a draft."""
    _check_author(by)
    row = _locked(version)
    row.propose(by_id=by.pk, at=at)
    return row


@transaction.atomic
def activate(version: Policy, *, by: User, at: datetime) -> Policy:
    """Put a proposed version in force for its profile; the one before is retired.

    Raises NotAGovernor, SameAuthor, BaseOutdated; WrongState unless it is proposed.
    """
    _check_governor(by)
    row = _locked(version)
    if row.status == Status.PROPOSED:
        if by.pk in {row.drafted_by_id, row.proposed_by_id}:
            raise SameAuthor
        if policy_document.active(row.profile).version != row.based_on:
            raise BaseOutdated
    _retire_active(row.profile, at=at)
    row.activate(by_id=by.pk, at=at)
    body = {"outcome": "activated", "version": row.version, "digest": row.sha256}
    transparency_log.append(
        kind="moderation.policy", subject=subject_of(row.version), body=body, at=at
    )
    return row


@transaction.atomic
def discard(version: Policy, *, by: User, at: datetime) -> Policy:
    """Give a draft or a proposal up: one's own, or as a senior moderator anybody's.

    Raises NotAnAuthor, NotAGovernor, WrongState.
    """
    _check_author(by)
    row = _locked(version)
    if by.pk not in {row.drafted_by_id, row.proposed_by_id}:
        _check_governor(by)
    row.retire(at=at)
    return row


def keep(active: policy_document.Rulebook, *, at: datetime) -> Policy:
    """The row of a version that judges something now."""
    row = Policy.objects.filter(version=active.version).first()
    if row is None:
        row = _kept_shipped(active, at=at)
    if row.first_used_at is None:
        Policy.objects.filter(pk=row.pk, first_used_at=None).update(first_used_at=at)
    return row


def made_here(*, by: User) -> QuerySet[Policy]:
    """Versions that were drafted here, newest first. Raises NotAnAuthor."""
    _check_author(by)
    rows = Policy.objects.filter(is_shipped=False)
    return rows.select_related("drafted_by", "proposed_by", "activated_by").order_by("-drafted_at")


def find(version: str, *, by: User) -> Policy:
    """One of them. Raises NotAnAuthor, VersionNotFound."""
    found = made_here(by=by).filter(version=version).first()
    if found is None:
        raise VersionNotFound
    return found


def may_govern(user: User) -> bool:
    """Whether the account may put policy versions in force."""
    return user.has_perm("moderation.govern_policies")


def may_propose(user: User) -> bool:
    """Whether the account may draft and propose policy versions."""
    return user.has_perm("moderation.propose_policies")


def subject_of(version: str) -> UUID:
    """The identifier under which the log names a version: a version-5 UUID of its name."""
    return uuid5(NAMESPACE_URL, f"policy:{version}")


def _check_author(by: User) -> None:
    if not may_propose(by):
        raise NotAnAuthor


def _check_governor(by: User) -> None:
    if not may_govern(by):
        raise NotAGovernor


def _locked(version: Policy) -> Policy:
    """Activations of one profile follow each other: the profile's rows are locked in one order."""
    rows = Policy.objects.select_for_update().filter(profile=version.profile).order_by("id")
    return next(row for row in rows if row.pk == version.pk)


def _retire_active(profile: str, *, at: datetime) -> None:
    before = policy_document.active(profile)
    row = Policy.objects.filter(version=before.version).first() or _kept_shipped(before, at=at)
    row.retire(at=at)


def _kept_shipped(active: policy_document.Rulebook, *, at: datetime) -> Policy:
    """The row of a shipped version; one that an earlier release shipped is retired by it."""
    with transaction.atomic():
        outdated = Policy.objects.filter(
            profile=active.profile, status=Status.ACTIVE, is_shipped=True
        )
        outdated.exclude(version=active.version).update(status=Status.RETIRED, retired_at=at)
        row, _ = Policy.objects.get_or_create(
            version=active.version,
            defaults={
                "profile": active.profile,
                "sha256": active.sha256,
                "document": dict(active.document),
                "status": Status.ACTIVE,
                "first_used_at": at,
            },
        )
    return row


def _free_name(profile: str, *, at: datetime) -> str:
    """``2026-11-general-2``: month, profile, and the next number of that month. Drafts of the same
    moment follow each other, so that no two get one name.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_NAMING])
    start = f"{at:%Y-%m}-{profile}-"
    taken = Policy.objects.filter(version__startswith=start).values_list("version", flat=True)
    numbers = [int(name.removeprefix(start)) for name in taken if name[len(start) :].isdigit()]
    return f"{start}{max(numbers, default=1) + 1}"


def _changed(
    base: policy_document.Rulebook, changes: Mapping[str, Any], *, version: str
) -> policy_document.Rulebook:
    try:
        merged = {
            "version": version,
            "profile": base.profile,
            "title": base.title,
            **_whole(base.document, changes),
        }
        made = policy_document.parse(profiles.layered(base.document, merged))
    except (profiles.ProfileInvalid, policy_document.PolicyInvalid) as error:
        raise ChangesInvalid(message=f"These changes make no valid policy: {error}.") from error
    if (made.categories, made.rules) == (base.categories, base.rules):
        raise ChangesInvalid(message="These changes change nothing.")
    return made


def _whole(document: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changes as a profile states them: thresholds of both stages wherever one is changed."""
    if not isinstance(changes, Mapping) or set(changes) - {"categories", "rules"}:
        raise profiles.ProfileInvalid("$: only categories and rules can be changed")
    categories, rules = changes.get("categories", {}), changes.get("rules", {})
    if not (_are_maps(categories, rules) and _are_maps(*categories.values(), *rules.values())):
        raise profiles.ProfileInvalid("$: every change is an object")
    if not _are_maps(*(change.get("thresholds", {}) for change in categories.values())):
        raise profiles.ProfileInvalid("$: every change is an object")
    try:
        json.dumps(changes, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise profiles.ProfileInvalid("$: the changes are no JSON") from error
    whole = {}
    for name, change in categories.items():
        before = document["categories"].get(name, {}).get("thresholds", {})
        whole[name] = dict(change)
        if "thresholds" in change:
            whole[name]["thresholds"] = {**before, **change["thresholds"]}
    return {"categories": whole, "rules": dict(rules)}


def _are_maps(*values: Any) -> bool:
    return all(isinstance(value, Mapping) for value in values)
