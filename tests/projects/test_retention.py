"""A project that keeps pictures for some days keeps none longer."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from config.core import retention
from config.core.holds import asking
from config.core.holds.models import HeldKind
from generation.models import GeneratedImage, GenerationRequest, ImageState, RequestStatus
from generation.studio import own_requests, project_retention
from moderation.account_status import legal_holds
from provenance.log import own_keys
from tests.factories import NOON, make_image, make_model, make_request
from tests.projects.makers import make_project


def test_what_is_over_is_deleted_and_nothing_else(alice: User) -> None:
    team, model = make_project(alice, retention_days=7), make_model()
    kept = make_project(alice, "Kept")
    images = {}
    for name, project, days, state in (
        ("old", team, 8, ImageState.RELEASED),
        ("held", team, 8, ImageState.HELD),
        ("new", team, 6, ImageState.RELEASED),
        ("elsewhere", kept, 800, ImageState.RELEASED),
    ):
        at = NOON - timedelta(days=days)
        request = make_request(
            alice, model, status=RequestStatus.FINISHED, project=project, created_at=at
        )
        images[name] = make_image(alice, model, request=request, state=state, created_at=at).pk
    assert project_retention.expire(at=NOON) == 1
    gone = GeneratedImage.objects.exclude(deleted_at=None)
    assert [row.pk for row in gone] == [images["old"]]
    assert project_retention.expire(at=NOON) == 0


@pytest.mark.parametrize("why", ["held by law", "under review"])
def test_what_stays_is_in_nobodys_way_and_is_not_due(
    alice: User, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    own_keys.make()
    monkeypatch.setattr(retention, "BATCH", 2)
    team, model, old = make_project(alice, retention_days=7), make_model(), NOON - timedelta(days=9)
    state = ImageState.HELD if why == "under review" else ImageState.RELEASED
    said: dict[str, Any] = {"status": RequestStatus.FINISHED, "project": team}
    for hour in range(3):
        at = old + timedelta(hours=hour)
        request = make_request(alice, model, created_at=at, **said)
        image = make_image(alice, model, request=request, state=state, created_at=at)
        if why == "held by law":
            legal_holds.place(
                HeldKind.THING, image.pk, reason="order 12", until=None, by="olga", at=NOON
            )
    for _ in range(5):  # ended at the same moment
        make_request(alice, model, created_at=old + timedelta(days=1), **said)
    assert project_retention.due(at=NOON) == 5
    assert project_retention.expire(at=NOON) == 5
    assert project_retention.due(at=NOON) == 0


def test_one_that_cannot_go_keeps_no_other(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    team, model, old = make_project(alice, retention_days=7), make_model(), NOON - timedelta(days=9)
    for _ in range(5):
        make_request(alice, model, status=RequestStatus.FINISHED, project=team, created_at=old)
    erase, asked = own_requests.erase, []

    def late(request: GenerationRequest, *, at: datetime) -> None:
        asked.append(request.pk)
        if len(asked) <= 3:  # a hold that came after the query
            raise asking.UnderHold
        erase(request, at=at)

    monkeypatch.setattr(own_requests, "erase", late)
    assert project_retention.expire(at=NOON) == 2


def test_less_than_a_day_keeps_everything(alice: User, settings: Settings) -> None:
    settings.PROOFSHEET_IMAGES_KEPT_DAYS = -1
    make_request(alice, make_model(), status=RequestStatus.CANCELLED)
    assert project_retention.due(at=NOON + timedelta(days=1)) == 0
