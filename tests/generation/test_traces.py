"""One trace from the answer through the row to the picture and what is told of it, without a word
of anybody's."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pytest
from django.contrib.auth.models import User
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, NoOpTracer, Span, SpanContext
from pytest_django.fixtures import Settings

from adapters.models import BaseModel
from config.core.watching import tracing
from config.runtime.log_lines import about
from config.watching import error_reports, trace_export
from generation.work import worker
from tests.factories import make_request
from tests.fakes import FakeImageClassifier, FrozenClock

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


class Recorder(NoOpTracer):
    """Keeps what spans say; each has a number for its id."""

    def __init__(self) -> None:
        self.spans: list[tuple[str, int, dict[str, Any]]] = []

    @contextmanager
    def start_as_current_span(self, name: str, *args: Any, **said: Any) -> Iterator[Span]:  # type: ignore[override] # as the SDK's, which is no class here
        above = trace.get_current_span().get_span_context()
        attributes = dict(said.get("attributes") or {})
        self.spans.append((name, above.trace_id, attributes))
        span = NonRecordingSpan(SpanContext(above.trace_id or 7, len(self.spans), False))
        with trace.use_span(span):
            yield span


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    made = Recorder()
    monkeypatch.setattr(tracing, "_tracer", made)
    return made


@pytest.mark.django_db(transaction=True)
def test_picture_is_made_in_the_trace_of_its_row_and_no_span_has_a_word_of_it(
    alice: User,
    tiny: BaseModel,
    clock: FrozenClock,
    image_classifier: FakeImageClassifier,
    recorder: Recorder,
) -> None:
    make_request(alice, tiny, prompt="a quagga under marzipan clouds", traceparent=PARENT)
    assert worker.work_one(now=clock)
    names = [name for name, _, _ in recorder.spans]
    assert names == [
        f"generate_content {tiny.slug}", "denoise", "mark", "screen", "sign", "store", "log",
    ]  # fmt: skip
    assert {told for _, told, _ in recorder.spans} == {int(TRACE, 16)}
    assert recorder.spans[0][2]["gen_ai.request.model"] == tiny.slug
    assert "quagga" not in str(recorder.spans)
    assert tracing.ids() == {}


def test_lines_have_a_trace_though_nobody_records_it() -> None:
    with tracing.apart():
        assert tracing.ids() == {}
        with tracing.apart(), tracing.step("GET"):
            assert about()["trace_id"] == tracing.traceparent().split("-")[1]
        assert tracing.ids() == {}


@pytest.mark.parametrize("given", ["", "no trace", "00-zz-zz-01", f"00-{'0' * 32}-{'0' * 16}-01"])
def test_what_is_no_trace_begins_a_new_one(given: str) -> None:
    with tracing.apart():
        tracing.follow(given)
        with tracing.step("GET"):
            assert len(tracing.traceparent()) == tracing.TRACEPARENT_CHARACTERS


def test_error_is_told_by_its_class_alone(recorder: Recorder) -> None:
    with tracing.apart(), pytest.raises(ValueError, match="marzipan"), tracing.step("mark"):
        raise ValueError("marzipan")
    assert "marzipan" not in str(recorder.spans)


def test_trace_of_one_thread_is_not_another_s() -> None:
    async def one(given: str) -> str:
        with tracing.apart():
            tracing.follow(given)
            await asyncio.sleep(0)
            return str(tracing.ids()["trace_id"])

    async def both() -> list[str]:
        return list(await asyncio.gather(one(PARENT), one(PARENT.replace("0af", "1bf"))))

    assert asyncio.run(both()) == [TRACE, TRACE.replace("0af", "1bf")]


def test_collector_without_its_packages_is_told_at_start(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.resources", None)
    trace_export.begin("web")  # none is named
    settings.PROOFSHEET_TRACES_TO = "http://127.0.0.1:4318"
    with pytest.raises(SystemExit, match="pip install opentelemetry-sdk"):
        trace_export.begin("web")


def test_sentry_without_its_package_is_told_at_start(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sentry_sdk", None)
    error_reports.begin("web")  # none is named
    settings.PROOFSHEET_SENTRY_DSN = "https://key@sentry.example/1"
    with pytest.raises(SystemExit, match="pip install sentry-sdk"):
        error_reports.begin("web")


def test_sentry_is_asked_for_no_locals_and_no_bodies(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}
    sentry = ModuleType("sentry_sdk")
    sentry.init = asked.update  # type: ignore[attr-defined] # a module that is made here
    sentry.set_tag = lambda *_: None  # type: ignore[attr-defined] # likewise
    monkeypatch.setitem(sys.modules, "sentry_sdk", sentry)
    settings.PROOFSHEET_SENTRY_DSN = "https://key@sentry.example/1"
    error_reports.begin("render")
    assert asked["include_local_variables"] is False
    assert asked["send_default_pii"] is False
    assert asked["max_request_body_size"] == "never"
    event = {
        "level": "error",
        "message": "a quagga",
        "logentry": {"message": "request %s failed", "params": ["quagga"], "formatted": "quagga"},
        "request": {"data": {"prompt": "quagga"}, "url": "/?q=quagga", "cookies": "quagga"},
        "breadcrumbs": {"values": [{"message": "quagga"}]},
        "extra": {"prompt": "quagga"},
        "contexts": {"celery-job": {"args": ["quagga"]}},
        "user": {"id": "quagga"},
        "exception": {
            "values": [
                {
                    "type": "IntegrityError",
                    "value": "DETAIL: Failing row (quagga)",
                    "stacktrace": {"frames": [{"lineno": 3, "vars": {"prompt": "quagga"}}]},
                }
            ]
        },
    }
    said = asked["before_send"](event, {})
    assert "quagga" not in str(said)
    assert said["exception"]["values"][0]["type"] == "IntegrityError"
    assert said["exception"]["values"][0]["stacktrace"]["frames"] == [{"lineno": 3}]
    assert said["logentry"] == {"message": "request %s failed"}
