"""Cancelling and deleting, by the one whose request it is."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from adapters.models import BaseModel
from generation.gallery import own_images
from generation.models import (
    GeneratedImage,
    ImageState,
    RequestStatus,
    WrongState,
    private_storage,
)
from generation.studio import own_requests
from tests.factories import NOON, make_image, make_request

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("status", [RequestStatus.SUBMITTED, RequestStatus.QUEUED])
def test_cancel_while_waiting_ends_it_at_once(alice: User, model: BaseModel, status: str) -> None:
    request = make_request(alice, model, status=status)
    assert own_requests.cancel(request.id, by=alice, at=NOON).status == "cancelled"


def test_cancel_while_running_asks_the_worker(alice: User, model: BaseModel) -> None:
    request = make_request(alice, model, status=RequestStatus.RUNNING)
    found = own_requests.cancel(request.id, by=alice, at=NOON)
    assert (found.status, found.cancel_requested_at) == ("running", NOON)


@pytest.mark.parametrize("status", ["finished", "refused", "cancelled", "failed"])
def test_cancel_refuses_what_has_ended(alice: User, model: BaseModel, status: str) -> None:
    request = make_request(alice, model, status=status)
    with pytest.raises(WrongState):
        own_requests.cancel(request.id, by=alice, at=NOON)


def test_stranger_is_told_that_nothing_is_there(
    alice: User, mallory: User, model: BaseModel
) -> None:
    image = make_image(alice, model)
    for call in (own_requests.cancel, own_requests.delete_request):
        with pytest.raises(own_requests.RequestNotFound):
            call(image.request_id, by=mallory, at=NOON)
    with pytest.raises(own_requests.RequestNotFound):
        own_requests.find_request(image.request_id, by=mallory)
    with pytest.raises(own_images.ImageNotFound):
        own_images.find_released_image(image.id, by=mallory)
    with pytest.raises(own_images.ImageNotFound):
        own_images.delete_image(image.id, by=mallory, at=NOON)


@pytest.mark.django_db(transaction=True)
def test_deleting_a_request_deletes_its_files(alice: User, model: BaseModel) -> None:
    image = make_image(alice, model)
    name = str(image.file.name)
    own_requests.delete_request(image.request_id, by=alice, at=NOON)
    assert not private_storage().exists(name)
    assert not own_images.images_of(alice).exists()
    assert not own_requests.requests_of(alice).exists()
    assert GeneratedImage.objects.get().deleted_at == NOON


def test_running_request_and_held_image_cannot_be_deleted(alice: User, model: BaseModel) -> None:
    running = make_request(alice, model, status=RequestStatus.RUNNING)
    with pytest.raises(own_requests.StillRunning):
        own_requests.delete_request(running.id, by=alice, at=NOON)
    held = make_image(alice, model, state=ImageState.HELD)
    for call, subject in (
        (own_requests.delete_request, held.request_id),
        (own_images.delete_image, held.id),
    ):
        with pytest.raises(own_images.UnderReview):
            call(subject, by=alice, at=NOON)
