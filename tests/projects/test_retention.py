"""A project that keeps pictures for some days keeps none longer."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from generation.models import GeneratedImage, ImageState, RequestStatus
from generation.studio import project_retention
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


def test_less_than_a_day_keeps_everything(alice: User, settings: Settings) -> None:
    settings.PROOFSHEET_IMAGES_KEPT_DAYS = -1
    make_request(alice, make_model(), status=RequestStatus.CANCELLED)
    assert project_retention.due(at=NOON + timedelta(days=1)) == 0
