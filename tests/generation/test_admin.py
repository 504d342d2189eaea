"""Operators look at requests and images in the admin, and change nothing there."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from adapters.models import BaseModel
from generation.hardware import worker_processes
from tests.factories import NOON, make_image, make_request

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(olga: User, as_user: Any) -> Any:
    olga.is_superuser = True
    olga.save()
    return as_user(olga)


def test_operator_finds_a_request_without_reading_its_prompt(
    admin: Any, alice: User, model: BaseModel
) -> None:
    request = make_request(alice, model, status="failed", prompt="a private thing")
    base = "/admin/generation/generationrequest/"
    for path in (
        f"{base}?q={request.id}",
        f"{base}?status__exact=failed",
        f"{base}{request.id}/change/",
    ):
        answer = admin.get(path, follow=True)
        assert answer.status_code == 200
        assert b"render_failed" in answer.content
        assert b"a private thing" not in answer.content


def test_operator_sees_images_and_workers_and_cannot_change_them(
    admin: Any, alice: User, model: BaseModel
) -> None:
    image = make_image(alice, model)
    worker_processes.announce("render@here", queues=["gpu"], slots=1, at=NOON)
    base = f"/admin/generation/generatedimage/{image.id}/"
    page = admin.get(f"{base}change/")
    assert str(image.id).encode() in page.content
    assert str(image.file.name).encode() not in page.content
    assert admin.post(f"{base}change/", {"state": "withheld"}).status_code == 403
    assert admin.post(f"{base}delete/", {"post": "yes"}).status_code == 403
    assert b"render@here" in admin.get("/admin/generation/worker/").content


def test_users_have_no_admin(alice: User, as_user: Any) -> None:
    assert as_user(alice).get("/admin/generation/generationrequest/").status_code == 302
