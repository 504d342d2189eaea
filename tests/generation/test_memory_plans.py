"""A model that does not fit its device is refused before it is loaded, with the figures."""

from __future__ import annotations

import io
import sys

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from pytest_django import Settings

from adapters.models import BaseModel
from generation.engine.loading import memory_need, quantization
from generation.engine.loop.engine import Engine
from generation.hardware import devices, memory_plans
from generation.request_rules import failures
from generation.work import worker
from tests.factories import make_request
from tests.fakes import FrozenClock

pytestmark = pytest.mark.django_db(transaction=True)


def plan_memory(*said: str) -> str:
    out = io.StringIO()
    call_command("plan_memory", *said, stdout=out)
    return out.getvalue()


def test_worker_refuses_what_does_not_fit_and_loads_nothing(
    alice: User, tiny: BaseModel, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    def load(*_: object, **__: object) -> None:
        raise AssertionError("it was loaded")

    monkeypatch.setattr(Engine, "load", load)
    monkeypatch.setattr(memory_need, "budget_bytes", lambda device: 1000)
    request = make_request(alice, tiny)
    worker.work_one(now=clock)
    request.refresh_from_db()
    assert (request.status, request.code) == ("failed", "model_too_large")
    assert failures.explain("model_too_large") != failures.UNKNOWN
    assert "Tiny needs" in caplog.text
    assert "No smaller variant fits" in caplog.text


def test_advice_names_the_settings_that_make_it_fit(tiny: BaseModel, settings: Settings) -> None:
    whole = memory_plans.judge(tiny, on_gpu=False, budget_bytes=1)
    needed = whole.plan.total
    offloaded = memory_plans.judge(tiny, on_gpu=False, budget_bytes=needed - 1)
    assert offloaded.advice.startswith("With TEXT_ENCODERS_OFFLOADED=1 it fits")
    assert offloaded.smaller is not None
    fp8 = memory_plans.judge(tiny, on_gpu=False, budget_bytes=offloaded.smaller.total - 1)
    assert fp8.advice.startswith("With ENGINE_WEIGHTS=fp8 it fits")
    assert fp8.smaller is not None
    both = memory_plans.judge(tiny, on_gpu=False, budget_bytes=fp8.smaller.total - 1)
    assert both.advice.startswith("With TEXT_ENCODERS_OFFLOADED=1 and ENGINE_WEIGHTS=fp8 it fits")
    assert both.smaller is not None
    settings.PROOFSHEET_TEXT_OFFLOADED = True
    settings.PROOFSHEET_WEIGHTS = "fp8"
    assert memory_plans.judge(tiny, on_gpu=False, budget_bytes=both.smaller.total).fits
    fewer = memory_plans.judge(tiny, on_gpu=False, budget_bytes=both.smaller.total - 1)
    assert fewer.smaller is not None
    assert f"With BATCH_ROWS={fewer.smaller.rows} it fits" in fewer.advice
    settings.PROOFSHEET_BATCH_ROWS = fewer.smaller.rows
    assert memory_plans.judge(tiny, on_gpu=False, budget_bytes=fewer.smaller.total).fits
    engine = devices.engine_for(tiny)
    assert engine.model.settings.batch_sizes[-1] == fewer.smaller.rows
    assert quantization.is_quantised(engine.model.network)


def test_advice_gives_up_graphs_before_anything_that_changes_pictures(tiny: BaseModel) -> None:
    whole = memory_plans.judge(tiny, on_gpu=True, budget_bytes=1)
    plainer = memory_plans.judge(tiny, on_gpu=True, budget_bytes=whole.plan.total - 1)
    assert plainer.advice.startswith("With ENGINE_CUDA_GRAPHS=0 it fits")


def test_worker_tells_that_its_device_does_not_multiply_in_fp8(
    alice: User, tiny: BaseModel, clock: FrozenClock, settings: Settings,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    settings.PROOFSHEET_WEIGHTS = "fp8_dynamic"
    request = make_request(alice, tiny)
    worker.work_one(now=clock)
    request.refresh_from_db()
    assert (request.status, request.code) == ("failed", "fp8_not_possible")
    assert "does not multiply in FP8" in caplog.text


def test_worker_tells_that_fp8_needs_torchao(
    alice: User, tiny: BaseModel, clock: FrozenClock, settings: Settings,
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchao"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torchao", None)
    settings.PROOFSHEET_WEIGHTS = "fp8"
    request = make_request(alice, tiny)
    worker.work_one(now=clock)
    request.refresh_from_db()
    assert (request.status, request.code) == ("failed", "fp8_not_possible")
    assert failures.explain("fp8_not_possible") != failures.UNKNOWN
    assert "Tiny: FP8 weights need torchao, which is not installed." in caplog.text


def test_command_tells_the_figures_of_a_tier(tiny: BaseModel) -> None:
    said = plan_memory("tiny", "--tier", "gpu-8g")
    assert "Tiny needs" in said
    assert "a forward of 16 rows" in said
    assert "7.6 GiB to give" in said
    assert "It fits." in said


def test_command_ends_with_an_error_where_it_does_not_fit(
    tiny: BaseModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_need, "budget_bytes", lambda device: 1000)
    with pytest.raises(CommandError, match="It does not fit"):
        plan_memory("tiny")
    with pytest.raises(CommandError, match="model_not_registered"):
        plan_memory("no-such-model")
