"""Several requests in one batch of the worker: what each of them gets, and who goes first."""

from __future__ import annotations

from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.db import connection
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from adapters.models import Adapter, BaseModel
from generation import tasks
from generation.engine.jobs import Rendered
from generation.hardware import devices
from generation.line import claims
from generation.models import GenerationRequest
from generation.progress import previews
from generation.request_rules import failures
from generation.starter.layout import MODEL
from generation.work import completion, worker
from tests import tiny_pipeline
from tests.factories import make_adapter, make_request
from tests.fakes import FakeImageClassifier, FrozenClock

pytestmark = pytest.mark.django_db(transaction=True)

Pixels = dict[int, NDArray[np.uint8]]


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> Pixels:
    """What reached the watermark, by the seed of its request: before the mark, which differs."""
    seen: Pixels = {}
    complete = completion.complete

    def note(
        claim: claims.Claim,
        request: GenerationRequest,
        index: int,
        made: Rendered,
        *rest: Any,
        **said: Any,
    ) -> None:
        seen[request.seed_of(index)] = made.pixels
        complete(claim, request, index, made, *rest, **said)

    monkeypatch.setattr(completion, "complete", note)
    return seen


def store_adapter(model: BaseModel, path: Path, *, rank: int) -> Adapter:
    adapter = make_adapter(model, slug=path.stem, rank=rank)
    adapter.file.save(f"{path.stem}.safetensors", ContentFile(path.read_bytes()))
    return adapter


def ask(
    owner: User, model: BaseModel, adapter: Adapter, weight: float = 1.0, **said: object
) -> None:
    side = {"width": model.sizes[0][0], "height": model.sizes[0][1]}
    request = make_request(owner, model, **side | said)
    request.request_adapters.create(
        adapter=adapter, weight=weight, sha256=adapter.sha256, position=0
    )


def work(*, threads: int, clock: FrozenClock) -> None:
    """Each thread carries out one request, all at the same time."""

    def one() -> None:
        try:
            worker.work_one(now=clock)
        finally:
            connection.close()

    hands = [Thread(target=one) for _ in range(threads)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()


def test_adapters_of_ranks_4_16_and_64_give_the_same_pictures_in_one_batch_and_alone(
    alice: User,
    starter: BaseModel,
    image_classifier: FakeImageClassifier,
    clock: FrozenClock,
    rendered: Pixels,
    tmp_path: Path,
) -> None:
    ranks = (4, 16, 64)
    worn = [
        store_adapter(
            starter,
            tiny_pipeline.build_adapter(tmp_path / f"r{rank}.safetensors", MODEL, rank=rank),
            rank=rank,
        )
        for rank in ranks
    ]
    denoiser = devices.engine_for(starter).denoiser

    def ask_all() -> None:
        for seed, adapter in enumerate(worn):
            ask(alice, starter, adapter, 0.05, steps=4, guidance=2.0, seed=seed)

    ask_all()
    work(threads=3, clock=clock)
    together, forwards = dict(rendered), denoiser.forwards
    assert forwards < 3 * 4
    ask_all()
    for _ in ranks:
        work(threads=1, clock=clock)
    for seed in range(3):
        difference = np.abs(together[seed].astype(int) - rendered[seed])
        assert difference.max() <= 1
    make_request(alice, starter, steps=4, guidance=2.0, seed=0, width=128, height=128)
    work(threads=1, clock=clock)
    assert np.abs(together[0].astype(int) - rendered[0]).max() > 1  # the bare model's picture
    assert GenerationRequest.objects.filter(status="finished").count() == 7


def test_weight_0_is_the_picture_without_the_adapter_byte_for_byte(
    alice: User,
    starter: BaseModel,
    image_classifier: FakeImageClassifier,
    clock: FrozenClock,
    rendered: Pixels,
    tmp_path: Path,
) -> None:
    path = tiny_pipeline.build_adapter(tmp_path / "style.safetensors", MODEL, rank=16)
    style = store_adapter(starter, path, rank=16)
    pictures = []
    for weight in (0.0, 0.5):
        ask(alice, starter, style, weight, steps=3)
        work(threads=1, clock=clock)
        pictures.append(rendered[7])
    make_request(alice, starter, steps=3, width=128, height=128)
    work(threads=1, clock=clock)
    assert np.array_equal(rendered[7], pictures[0])
    assert not np.array_equal(rendered[7], pictures[1])


def test_adapter_of_nan_fails_its_own_request_and_the_others_go_on(
    alice: User,
    tiny: BaseModel,
    tiny_folder: Path,
    image_classifier: FakeImageClassifier,
    clock: FrozenClock,
    tmp_path: Path,
) -> None:
    path = tiny_pipeline.build_adapter(tmp_path / "sound.safetensors", tiny_folder)
    broken = tmp_path / "broken.safetensors"
    save_file({key: t * float("nan") for key, t in load_file(path).items()}, broken)
    for name in (path, broken, path, broken):
        if not Adapter.objects.filter(slug=name.stem).exists():
            store_adapter(tiny, name, rank=4)
        ask(alice, tiny, Adapter.objects.get(slug=name.stem), steps=20)
    work(threads=4, clock=clock)
    ends = GenerationRequest.objects.order_by("status").values_list("status", "code")
    assert list(ends) == [("failed", "not_finite")] * 2 + [("finished", "")] * 2


def test_rank_above_the_ceiling_fails_by_its_code(
    alice: User,
    tiny: BaseModel,
    tiny_folder: Path,
    image_classifier: FakeImageClassifier,
    clock: FrozenClock,
    tmp_path: Path,
) -> None:
    path = tiny_pipeline.build_adapter(tmp_path / "high.safetensors", tiny_folder, rank=17)
    ask(alice, tiny, store_adapter(tiny, path, rank=17))
    work(threads=1, clock=clock)
    assert GenerationRequest.objects.get().code == "rank_too_high"
    assert failures.explain("rank_too_high") != failures.UNKNOWN


def test_request_over_its_time_fails_by_its_code(
    alice: User,
    tiny: BaseModel,
    image_classifier: FakeImageClassifier,
    clock: FrozenClock,
    settings: object,
) -> None:
    settings.PROOFSHEET_RENDER_TIMEOUT_S = 0  # type: ignore[attr-defined] # pytest-django's
    make_request(alice, tiny)
    work(threads=1, clock=clock)
    assert GenerationRequest.objects.get().code == "deadline_passed"
    assert failures.explain("deadline_passed") != failures.UNKNOWN


def test_long_requests_leave_a_seat_to_an_interactive_one(
    alice: User,
    tiny: BaseModel,
    image_classifier: FakeImageClassifier,
    clock: FrozenClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[None] = []
    monkeypatch.setattr(tasks.render, "apply_async", lambda *_, **__: sent.append(None))
    monkeypatch.setattr(devices, "permits", devices.DevicePermits(2, 1))
    long = make_request(alice, tiny, steps=100)
    waiting = make_request(alice, tiny, steps=100, created_at=clock())
    begun = Event()
    monkeypatch.setattr(previews, "publish", lambda *_: begun.set())
    busy = Thread(target=work, kwargs={"threads": 1, "clock": clock})
    busy.start()
    assert begun.wait(60)
    assert not worker.work_one(now=clock)  # the reserved permit is not for a standard request
    quick = make_request(alice, tiny, steps=1, priority=1)
    assert worker.work_one(now=clock)
    quick.refresh_from_db()
    assert quick.status == "finished"
    busy.join()
    waiting.refresh_from_db()
    assert (waiting.status, len(sent)) == ("queued", 1)  # and was called when the permit was free
    long.refresh_from_db()
    assert long.status == "finished"


def test_adapters_of_what_waits_are_fetched_while_another_image_is_denoised(
    alice: User,
    tiny: BaseModel,
    tiny_folder: Path,
    image_classifier: FakeImageClassifier,
    clock: FrozenClock,
    tmp_path: Path,
) -> None:
    path = tiny_pipeline.build_adapter(tmp_path / "soon.safetensors", tiny_folder)
    soon = store_adapter(tiny, path, rank=4)
    make_request(alice, tiny)
    ask(alice, tiny, soon, created_at=clock())
    work(threads=1, clock=clock)
    Path(soon.file.path).unlink()
    work(threads=1, clock=clock)
    ends = GenerationRequest.objects.values_list("status", flat=True)
    assert list(ends) == ["finished", "finished"]


def test_claim_prefers_what_is_in_a_slot(
    alice: User,
    tiny: BaseModel,
    tiny_folder: Path,
    image_classifier: FakeImageClassifier,
    clock: FrozenClock,
    tmp_path: Path,
) -> None:
    path = tiny_pipeline.build_adapter(tmp_path / "here.safetensors", tiny_folder)
    here = store_adapter(tiny, path, rank=4)
    ask(alice, tiny, here)
    work(threads=1, clock=clock)
    assert devices.resident_adapters() == {here.sha256}
