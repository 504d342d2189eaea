"""Workers that are killed or stopped in the middle: each request ends once, with one image."""

from __future__ import annotations

import os
import signal

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from adapters.models import BaseModel
from generation import tasks
from generation.hardware import worker_processes
from generation.line import claims
from generation.models import GeneratedImage, GenerationRequest, private_storage
from generation.progress import previews
from generation.work import delivery, sweeper
from provenance.models import Asset, LogEntry
from tests.factories import make_request
from tests.generation.processes import celery_worker, kill, log_tail, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def is_denoising(request: GenerationRequest) -> bool:
    now = previews.read(request.id)
    return now is not None and now.stage == "denoise" and now.step >= 3


def has_ended(request: GenerationRequest) -> bool:
    request.refresh_from_db()
    return not request.is_active


@pytest.mark.slow
def test_worker_killed_in_mid_denoise_leaves_one_image_of_one_more_run(
    alice: User, tiny: BaseModel
) -> None:
    request = make_request(alice, tiny, steps=100)
    with celery_worker() as first:
        tasks.render.delay()
        wait_until(lambda: is_denoising(request), pause=0.002)
        kill(first)
    request.refresh_from_db()
    assert (request.status, request.attempts) == ("running", 1)
    assert not GeneratedImage.objects.exists()

    sweeper.sweep(at=timezone.now() + 2 * claims.LEASE)
    request.refresh_from_db()
    assert request.status == "queued"
    with celery_worker():
        wait_until(lambda: has_ended(request))
    assert (request.status, request.attempts) == ("finished", 2)
    image = GeneratedImage.objects.get()
    assert Asset.objects.count() == 1
    assert LogEntry.objects.filter(kind="asset.marked").count() == 1
    assert private_storage().listdir(delivery.folder_of(request.id))[1] == [f"{image.id}.png"]


@pytest.mark.slow
def test_worker_that_is_told_to_stop_finishes_what_it_holds(alice: User, tiny: BaseModel) -> None:
    request = make_request(alice, tiny, steps=100)
    with celery_worker() as process:
        wait_until(lambda: worker_processes.alive("gpu", at=timezone.now()).exists())
        tasks.render.delay()
        wait_until(lambda: is_denoising(request), pause=0.002)
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(timeout=60) == 0
    assert has_ended(request)
    assert (request.status, request.code, request.attempts) == ("finished", "", 1), log_tail()
    assert not worker_processes.alive("gpu", at=timezone.now()).exists()


@pytest.mark.slow
def test_worker_that_has_no_time_to_finish_hands_back_and_ends_in_order(
    alice: User, tiny: BaseModel
) -> None:
    request = make_request(alice, tiny, steps=100)
    with celery_worker(DRAIN_SECONDS="0") as process:
        wait_until(lambda: worker_processes.alive("gpu", at=timezone.now()).exists())
        tasks.render.delay()
        wait_until(lambda: is_denoising(request), pause=0.002)
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(timeout=60) == 0
    request.refresh_from_db()
    assert (request.status, request.attempts) == ("queued", 0), log_tail()
    with celery_worker():
        wait_until(lambda: has_ended(request))
    assert (request.status, request.code, request.attempts) == ("finished", "", 1), log_tail()
    assert GeneratedImage.objects.count() == 1
