"""Whether adult content exists for a project at all: its owners say so, whoever asks for it."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import signing
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from config.core.errors import ProofsheetError
from config.core.projects import personal
from config.core.projects.calling import Caller
from config.core.projects.models import Project
from config.models import ApiKey
from generation.compat import results, signed_pictures
from generation.compat.jobs import Job
from generation.gallery import image_cards, own_images
from generation.models import GeneratedImage, RequestStatus, Restriction
from moderation.account_status import audiences
from tests.factories import NOON, make_image, make_model, make_request
from tests.projects.makers import make_project, project_key

pytestmark = pytest.mark.django_db
EXISTS = pytest.mark.parametrize("exists", [True, False])


@pytest.fixture(autouse=True)
def offered(settings: Settings) -> None:
    settings.PROOFSHEET_PROFILES = ("adult",)


def for_adults(owner: User, project: Project) -> GeneratedImage:
    model = make_model()
    request = make_request(owner, model, status=RequestStatus.FINISHED, project=project)
    return make_image(owner, model, request=request, restriction=Restriction.AGE_RESTRICTED)


def status_of(image: GeneratedImage, client: Client) -> int:
    return int(client.get(f"/api/v1/images/{image.pk}/file/").status_code)


def by_key(project: Project, owner: User) -> Client:
    return Client(headers={"Authorization": f"Bearer {project_key(project, owner)}"})


@EXISTS
@pytest.mark.parametrize("is_of_age", [True, False])
def test_a_key_gets_what_is_for_adults_where_such_content_exists(
    alice: User, exists: bool, is_of_age: bool
) -> None:
    """The age of whoever made the key is not that of those whom the product serves."""
    if is_of_age:
        audiences.choose("adult", by=alice, is_of_age=True, at=NOON)
    image = for_adults(alice, make_project(alice, allows_adult=exists))
    assert status_of(image, by_key(image.project, alice)) == (200 if exists else 403)


@EXISTS
@pytest.mark.parametrize("is_of_age", [True, False])
def test_a_member_is_of_age_as_well(
    alice: User, exists: bool, is_of_age: bool, as_user: Any
) -> None:
    if is_of_age:
        audiences.choose("adult", by=alice, is_of_age=True, at=NOON)
    image = for_adults(alice, make_project(alice, allows_adult=exists))
    shown = exists and is_of_age
    assert status_of(image, as_user(alice)) == (200 if shown else 403)
    [card] = image_cards.image_cards([image], by=alice)
    assert (bool(card.file_url), card.is_for_adults) == (shown, not shown)
    assert own_images.released_images([image.id], by=alice) == ([image] if shown else [])


@EXISTS
def test_a_client_of_openais_gets_it_where_it_exists(alice: User, exists: bool) -> None:
    audiences.choose("adult", by=alice, is_of_age=True, at=NOON)
    image = for_adults(alice, make_project(alice, allows_adult=exists))
    by_key(image.project, alice)
    caller = Caller(alice, image.project, None, ApiKey.objects.get())
    job = Job((image.request,), caller)
    if exists:
        assert results.pictures_of(job) == [image]
        return
    with pytest.raises(ProofsheetError):
        results.pictures_of(job)


def test_ones_own_project_goes_by_what_one_said(alice: User, as_user: Any) -> None:
    model = make_model()
    image = make_image(alice, model, restriction=Restriction.AGE_RESTRICTED)
    assert status_of(image, as_user(alice)) == 403
    audiences.choose("adult", by=alice, is_of_age=True, at=NOON)
    assert status_of(image, as_user(alice)) == 200
    assert status_of(image, by_key(image.project, alice)) == 200


@EXISTS
def test_an_address_given_to_a_client_opens_it_where_it_exists(
    alice: User, client: Client, exists: bool
) -> None:
    image = for_adults(alice, make_project(alice, allows_adult=exists))
    answer = client.get(signed_pictures.path_of(image, "png"))
    assert answer.status_code == (200 if exists else 404)


def test_an_address_of_ones_own_goes_by_what_one_said(alice: User, client: Client) -> None:
    path = signed_pictures.path_of(for_adults(alice, personal.project_of(alice)), "png")
    assert client.get(path).status_code == 404
    audiences.choose("adult", by=alice, is_of_age=True, at=NOON)
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("how", Restriction)
def test_an_address_of_before_a_restriction_opens_nothing(
    alice: User, client: Client, how: Restriction
) -> None:
    """Whoever was handed it was given a picture for everybody."""
    image = for_adults(alice, make_project(alice, allows_adult=True))
    GeneratedImage.objects.update(restriction="")
    image.refresh_from_db()
    path = signed_pictures.path_of(image, "png")
    assert client.get(path).status_code == 200
    GeneratedImage.objects.update(restriction=how)
    assert client.get(path).status_code == 404
    GeneratedImage.objects.update(restriction="")
    assert client.get(path).status_code == 200


def test_an_address_of_the_release_before_opens_what_is_for_everybody(
    alice: User, client: Client
) -> None:
    image = for_adults(alice, make_project(alice, allows_adult=True))
    token = signing.dumps([image.id.hex, "png"], salt=signed_pictures._SALT)
    path = reverse("openai:picture", args=[token])
    assert client.get(path).status_code == 404
    GeneratedImage.objects.update(restriction="")
    assert client.get(path).status_code == 200
