"""One claimed request on its way to an image, on a real database with a tiny real model."""

from __future__ import annotations

import contextlib
import io
from threading import Thread

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from numpy.typing import NDArray
from PIL import Image

from adapters.models import BaseModel
from config.core.outbox import tasks as outbox_tasks
from config.core.outbox.models import OutboxRow
from generation.engine.jobs import NotFinite
from generation.engine.loop.denoiser import Denoiser
from generation.gallery import own_images
from generation.line import claims
from generation.models import GeneratedImage, GenerationRequest, private_storage
from generation.progress import previews
from generation.studio import own_requests
from generation.work import delivery, sweeper, worker
from moderation.models import Decision, ReviewCase, Statement
from provenance.keys import installed_keys
from provenance.marks import watermark
from provenance.models import Asset, LogEntry
from tests.factories import make_request
from tests.fakes import BrokenClassifier, FakeImageClassifier, FrozenClock

pytestmark = pytest.mark.django_db(transaction=True)


def pixels_of(png: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def files_of(request: GenerationRequest) -> list[str]:
    try:
        return private_storage().listdir(delivery.folder_of(request.id))[1]
    except FileNotFoundError:
        return []


def test_queued_request_becomes_one_released_marked_and_logged_image(
    alice: User, tiny: BaseModel, image_classifier: FakeImageClassifier, clock: FrozenClock
) -> None:
    request = make_request(alice, tiny)
    assert worker.work_one(now=clock)
    request.refresh_from_db()
    image = GeneratedImage.objects.get()
    assert (request.status, image.state, image.owner) == ("finished", "released", alice)
    assert (image.seed, image.model_slug, image.prompt) == (7, "tiny", "a red apple")
    data = image.file.read()
    assert image.size_bytes == len(data)
    asset = Asset.objects.get(id=image.id)
    assert (asset.sha256, asset.manifest_sha256) == (image.sha256, asset.manifest_sha256)
    assert LogEntry.objects.filter(kind="asset.marked", subject=image.id).count() == 1
    stages = ("denoise", "decode", "watermark", "screen_image", "sign", "store", "log")
    assert {f"{stage}_ms" for stage in stages} <= set(request.timings)
    assert previews.read(request.id) is None
    assert not worker.work_one(now=clock)


def test_classifier_sees_the_marked_pixels_that_the_user_gets(
    alice: User, tiny: BaseModel, image_classifier: FakeImageClassifier, clock: FrozenClock
) -> None:
    make_request(alice, tiny, width=512, height=512)
    worker.work_one(now=clock)
    image = GeneratedImage.objects.get()
    [seen] = image_classifier.seen
    delivered = image.file.read()
    assert np.array_equal(pixels_of(seen), pixels_of(delivered))
    found = watermark.detect(pixels_of(seen), key=installed_keys.keyring().watermark_key)
    assert found.identifier is not None
    assert f"{found.identifier:016x}" == Asset.objects.get(id=image.id).watermark_id


@pytest.mark.parametrize(("score", "state", "cases"), [(0.6, "held", 1), (0.99, "withheld", 0)])
def test_flagged_image_is_not_released(
    alice: User,
    tiny: BaseModel,
    image_classifier: FakeImageClassifier,
    clock: FrozenClock,
    score: float,
    state: str,
    cases: int,
) -> None:
    image_classifier.sexual = score
    make_request(alice, tiny)
    worker.work_one(now=clock)
    image = GeneratedImage.objects.get()
    assert (image.state, image.released_at) == (state, None)
    assert ReviewCase.objects.filter(subject_id=image.id).count() == cases
    refusals = Decision.objects.filter(subject_id=image.id, is_automated=True)
    assert refusals.count() == Statement.objects.count() == 1 - cases
    with pytest.raises(own_images.ImageNotFound):
        own_images.find_released_image(image.id, by=alice)


def test_nothing_is_released_or_stored_when_the_screening_breaks(
    alice: User, tiny: BaseModel, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from moderation.classifiers import image

    monkeypatch.setattr(image, "classifier", BrokenClassifier)
    request = make_request(alice, tiny)
    with pytest.raises(RuntimeError):
        worker.work_one(now=clock)
    request.refresh_from_db()
    assert (request.status, request.code) == ("failed", "render_failed")
    assert not GeneratedImage.objects.exists()
    assert files_of(request) == []


def test_picture_of_nan_fails_by_its_code(
    alice: User,
    tiny: BaseModel,
    image_classifier: FakeImageClassifier,
    clock: FrozenClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def burst(*_: object, **__: object) -> None:
        raise NotFinite

    monkeypatch.setattr(Denoiser, "_forward", burst)
    request = make_request(alice, tiny)
    worker.work_one(now=clock)
    request.refresh_from_db()
    assert (request.status, request.code) == ("failed", "not_finite")


def test_missing_model_folder_fails_by_its_code(
    alice: User, model: BaseModel, clock: FrozenClock
) -> None:
    request = make_request(alice, model)
    worker.work_one(now=clock)
    request.refresh_from_db()
    assert (request.status, request.code) == ("failed", "model_not_loadable")


def test_cancel_while_it_denoises_stops_it_without_an_image(
    alice: User, tiny: BaseModel, image_classifier: FakeImageClassifier, clock: FrozenClock
) -> None:
    request = make_request(alice, tiny, steps=100)

    def cancel() -> None:
        while (seen := previews.read(request.id)) is None or seen.step < 2:
            pass
        own_requests.cancel(request.id, by=alice, at=clock())
        connection.close()

    other = Thread(target=cancel)
    other.start()
    queue_beat = claims.HEARTBEAT_S
    claims.HEARTBEAT_S = 0.05
    try:
        worker.work_one(now=clock)
    finally:
        claims.HEARTBEAT_S = queue_beat
        other.join()
    request.refresh_from_db()
    assert request.status == "cancelled"
    assert not GeneratedImage.objects.exists()


def test_cancel_after_the_last_step_still_wins(
    alice: User,
    tiny: BaseModel,
    image_classifier: FakeImageClassifier,
    clock: FrozenClock,
) -> None:
    request = make_request(alice, tiny)

    def cancel_while_screening(data: bytes) -> dict[str, float]:
        own_requests.cancel(request.id, by=alice, at=clock())
        return {"sexual": 0.0}

    image_classifier.score = cancel_while_screening  # type: ignore[method-assign] # the late click
    worker.work_one(now=clock)
    request.refresh_from_db()
    assert request.status == "cancelled"
    assert not GeneratedImage.objects.exists()
    assert not Asset.objects.exists()
    assert files_of(request) == []


def test_worker_that_lost_its_lease_publishes_nothing(
    alice: User, tiny: BaseModel, image_classifier: FakeImageClassifier, clock: FrozenClock
) -> None:
    request = make_request(alice, tiny)

    def lose_the_lease(data: bytes) -> dict[str, float]:
        sweeper.sweep(at=clock.forward(claims.LEASE.total_seconds() + 1))
        return {"sexual": 0.0}

    image_classifier.score = lose_the_lease  # type: ignore[method-assign] # it hung that long
    worker.work_one(now=clock)
    request.refresh_from_db()
    assert (request.status, request.attempts) == ("queued", 1)
    assert not GeneratedImage.objects.exists()
    assert files_of(request) == []

    image_classifier.score = FakeImageClassifier().score  # type: ignore[method-assign] # well again
    worker.work_one(now=clock)
    request.refresh_from_db()
    assert (request.status, request.attempts) == ("finished", 2)
    assert GeneratedImage.objects.count() == 1
    assert len(files_of(request)) == 1


def test_second_attempt_deletes_what_a_killed_first_one_stored(
    alice: User, tiny: BaseModel, image_classifier: FakeImageClassifier, clock: FrozenClock
) -> None:
    from django.core.files.base import ContentFile

    request = make_request(alice, tiny)
    claim = claims.claim(worker="gone:1", at=clock())
    assert claim is not None
    stray = delivery.file_name(request.id, claim.token)
    private_storage().save(stray, ContentFile(b"stored, then killed"))
    sweeper.sweep(at=clock.forward(claims.LEASE.total_seconds() + 1))
    worker.work_one(now=clock)
    [kept] = files_of(request)
    assert str(GeneratedImage.objects.get().file.name).endswith(kept)


def test_outage_of_the_database_before_publishing_is_outlasted(
    alice: User,
    tiny: BaseModel,
    image_classifier: FakeImageClassifier,
    clock: FrozenClock,
) -> None:
    """The server drops every connection while the picture is screened."""
    request = make_request(alice, tiny)

    def cut(data: bytes) -> dict[str, float]:
        image_classifier.score = FakeImageClassifier().score  # type: ignore[method-assign] # well again # once
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            with pytest.raises(OperationalError):
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return {"sexual": 0.0}

    image_classifier.score = cut  # type: ignore[method-assign] # the outage
    worker.work_one(now=clock)
    request.refresh_from_db()
    assert request.status == "finished"
    assert GeneratedImage.objects.count() == 1


def test_broken_connection_right_after_the_commit_keeps_the_image_and_its_file(
    alice: User,
    tiny: BaseModel,
    image_classifier: FakeImageClassifier,
    clock: FrozenClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    publish, answers = delivery.publish, iter([True, False])

    def publish_then_break(*args: object, **kwargs: object) -> object:
        image = publish(*args, **kwargs)  # type: ignore[arg-type] # passed through
        if next(answers):
            raise OperationalError("the connection broke before the answer came")
        return image

    monkeypatch.setattr(delivery, "publish", publish_then_break)
    request = make_request(alice, tiny)
    worker.work_one(now=clock)
    request.refresh_from_db()
    image = GeneratedImage.objects.get()
    assert (request.status, image.state) == ("finished", "released")
    assert private_storage().exists(str(image.file.name))


def test_broker_that_is_away_while_an_image_is_refused_costs_no_file(
    alice: User,
    tiny: BaseModel,
    image_classifier: FakeImageClassifier,
    clock: FrozenClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A reversal will release this file, so it must not be lost with the mail."""

    def away(*_: object, **__: object) -> None:
        raise ConnectionError("the broker does not answer")

    monkeypatch.setattr(outbox_tasks.drain, "apply_async", away)
    image_classifier.sexual = 0.99
    request = make_request(alice, tiny)
    with contextlib.suppress(ConnectionError):
        worker.work_one(now=clock)
    request.refresh_from_db()
    image = GeneratedImage.objects.get()
    assert (request.status, image.state) == ("finished", "withheld")
    assert private_storage().exists(str(image.file.name))
    assert OutboxRow.objects.get().arguments == [str(Decision.objects.get().id)]


def test_long_prompt_is_rendered_and_says_what_was_cut(
    alice: User, tiny: BaseModel, image_classifier: FakeImageClassifier, clock: FrozenClock
) -> None:
    make_request(alice, tiny, prompt="word " * 200)
    worker.work_one(now=clock)
    [note] = GeneratedImage.objects.get().notes
    assert note["code"] == "prompt_truncated"


def test_what_of_both_prompts_had_no_effect_is_noted(
    alice: User, tiny: BaseModel, image_classifier: FakeImageClassifier, clock: FrozenClock
) -> None:
    make_request(alice, tiny, prompt="a (red:9) [big|small] apple", negative_prompt="word " * 200)
    worker.work_one(now=clock)
    notes = GeneratedImage.objects.get().notes
    assert [note["code"] for note in notes] == [
        "prompt_alternatives",
        "prompt_weight",
        "negative_prompt_truncated",
    ]


def test_two_equal_requests_give_the_same_pixels_under_different_marks(
    alice: User, tiny: BaseModel, image_classifier: FakeImageClassifier, clock: FrozenClock
) -> None:
    make_request(alice, tiny)
    make_request(alice, tiny)
    assert [worker.work_one(now=clock), worker.work_one(now=clock)] == [True, True]
    first, second = (pixels_of(i.file.read()).astype(int) for i in GeneratedImage.objects.all())
    assert np.abs(first - second).mean() < 4
    assert GeneratedImage.objects.values("sha256").distinct().count() == 2
