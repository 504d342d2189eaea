"""A project's endpoints, as its members see and set them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Q, QuerySet

from config.core.errors import ProofsheetError
from config.core.outbox.event_types import EVENT_TYPES
from config.core.projects import calling
from config.core.projects.models import Membership, Project
from config.webhooks import endpoint_addresses, signing_secrets
from config.webhooks.deliveries import writing
from config.webhooks.models import Delivery, Endpoint

ENDPOINTS_MAX = 20
TEST_TYPE = "webhook.test"
Role = Membership.MemberRole


class ProjectNotFound(ProofsheetError):
    """No project of that id that the caller belongs to, or may set up webhooks in."""

    default_code = "project_not_found"
    default_message = "There is no such project among yours."
    default_advice = "Check the address; owners and developers of a project set up its webhooks."
    default_status = 404


class EndpointNotFound(ProofsheetError):
    """No endpoint of that id in the project."""

    default_code = "webhook_not_found"
    default_message = "There is no such endpoint in this project."
    default_advice = "It may have been deleted: the project's page lists those that there are."
    default_status = 404


class DeliveryNotFound(ProofsheetError):
    """No delivery of that id to the endpoint."""

    default_code = "webhook_delivery_not_found"
    default_message = "There is no such delivery to this endpoint."
    default_advice = "Deliveries are kept for thirty days."
    default_status = 404


class TooManyEndpoints(ProofsheetError):
    """The project has as many endpoints as it may."""

    default_code = "too_many_webhooks"
    default_message = f"A project has {ENDPOINTS_MAX} endpoints at most."
    default_advice = "Delete one that nothing listens at any more."
    default_status = 409


class TypeUnknown(ProofsheetError):
    """An event's type that there is not."""

    default_code = "webhook_type_unknown"
    default_message = "There is no event of that type."
    default_advice = f"Choose among {', '.join(EVENT_TYPES)}."
    default_status = 400


class EndpointOff(ProofsheetError):
    """Nothing is sent to an endpoint that is off."""

    default_code = "webhook_off"
    default_message = "This endpoint is switched off, so that nothing is sent to it."
    default_advice = "Switch it on again first."
    default_status = 409


def project_of(project_id: UUID, *, by: AbstractBaseUser) -> Project:
    """A project whose webhooks `by` may set up: as its owner or developer, by a key of that project
    alone. Raises ProjectNotFound."""
    bound = calling.acting_in(by)
    if bound is not None and bound.pk != project_id:
        raise ProjectNotFound
    mine = Q(memberships__user=by.pk, memberships__role__in=(Role.OWNER, Role.DEVELOPER))
    found = Project.objects.filter(mine, pk=project_id).first()
    if found is None:
        raise ProjectNotFound
    return found


def of_project(project_id: UUID, *, by: AbstractBaseUser) -> QuerySet[Endpoint]:
    """The oldest first. Raises ProjectNotFound."""
    project = project_of(project_id, by=by)
    return _there(project).select_related("project").order_by("made_at")


def find(project_id: UUID, endpoint_id: UUID, *, by: AbstractBaseUser) -> Endpoint:
    """Raises ProjectNotFound, EndpointNotFound."""
    found = of_project(project_id, by=by).filter(pk=endpoint_id).first()
    if found is None:
        raise EndpointNotFound
    return found


@transaction.atomic
def make(
    project_id: UUID,
    *,
    by: AbstractBaseUser,
    url: str,
    at: datetime,
    types: Collection[str] = (),
    description: str = "",
    scheme: str = Endpoint.Scheme.HMAC,
) -> tuple[Endpoint, str]:
    """A new endpoint, and what its receiver verifies with: a secret is in no other place in clear.

    Raises ProjectNotFound, AddressRefused, TypeUnknown, TooManyEndpoints.
    """
    project = project_of(project_id, by=by)
    _check(url, types)
    Project.objects.select_for_update(no_key=True).get(
        pk=project.pk
    )  # two at once count each other
    if _there(project).count() >= ENDPOINTS_MAX:
        raise TooManyEndpoints
    endpoint = Endpoint.objects.create(
        project=project,
        url=url,
        types=sorted(set(types)),
        description=description,
        scheme=scheme,
        made_at=at,
    )
    return endpoint, signing_secrets.make(endpoint, at=at)


@transaction.atomic
def change(endpoint: Endpoint, *, at: datetime, **said: Any) -> Endpoint:
    """Another address, description, choice of types, or off and on (`is_on`).

    Raises EndpointNotFound, AddressRefused, TypeUnknown.
    """
    row = _locked(endpoint)
    _check(said.get("url", row.url), said.get("types", ()))
    row.url = said.get("url", row.url)
    row.description = said.get("description", row.description)
    row.types = sorted(set(said.get("types", row.types)))
    row.save()
    match said.get("is_on"):
        case True if not row.is_on:
            row.switch_on()
            writing.ask_to_deliver(row.id)
        case False if row.is_on:
            row.switch_off(Endpoint.OffBecause.CHOSEN, at=at)
    return row


@transaction.atomic
def rotate(endpoint: Endpoint, *, at: datetime) -> str:
    """A new secret; the one of before signs beside it for a day. Raises RotatedTooOften."""
    return signing_secrets.make(_locked(endpoint), at=at)


@transaction.atomic
def delete(endpoint: Endpoint, *, at: datetime) -> None:
    """For good, with its secrets and its log. Raises EndpointNotFound."""
    _locked(endpoint).switch_off(Endpoint.OffBecause.DELETED, at=at)


@transaction.atomic
def send_test(endpoint: Endpoint, *, at: datetime) -> Delivery:
    """An event that says nothing, whatever types the endpoint wants. Raises EndpointOff."""
    row = _locked(endpoint)
    if not row.is_on:
        raise EndpointOff
    made = Delivery.objects.create(
        endpoint=row,
        event_id=writing.new_id(),
        type=TEST_TYPE,
        body=writing.body_of(TEST_TYPE, {"endpoint_id": str(row.id)}, at=at),
        written_at=at,
        due_at=at,
    )
    writing.ask_to_deliver(row.id)
    return made


def log_of(endpoint: Endpoint) -> QuerySet[Delivery]:
    """What was and is sent there, the newest first, with each attempt."""
    return endpoint.deliveries.prefetch_related("tries").order_by("-written_at", "id")


@transaction.atomic
def replay(endpoint: Endpoint, delivery_id: UUID, *, at: datetime) -> Delivery:
    """Send an event once more, with its id. One that waits anyway is sent now.

    Raises EndpointOff, DeliveryNotFound.
    """
    row = _locked(endpoint)
    if not row.is_on:
        raise EndpointOff
    found = row.deliveries.select_for_update().filter(pk=delivery_id).first()
    if found is None:
        raise DeliveryNotFound
    if not found.is_under_way(at=at):
        found.send_again(at=at)
        writing.ask_to_deliver(row.id)
    return found


def _check(url: str, types: Collection[str]) -> None:
    endpoint_addresses.check(url)
    for type in types:
        if type not in EVENT_TYPES:
            raise TypeUnknown(message=f"There is no event “{type[:64]}”.")


def _there(project: Project) -> QuerySet[Endpoint]:
    found = Endpoint.objects.filter(project=project)
    return found.exclude(off_because=Endpoint.OffBecause.DELETED)


def _locked(endpoint: Endpoint) -> Endpoint:
    row = _there(endpoint.project).select_for_update(no_key=True).filter(pk=endpoint.pk).first()
    if row is None:
        raise EndpointNotFound
    return row
