"""`manage.py generate` goes the way of the web, and says by its exit status how it went."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from adapters.models import BaseModel
from generation.hardware import worker_processes
from generation.models import GeneratedImage, GenerationRequest, RequestStatus
from generation.requests import prompt_screening
from generation.studio import own_requests, results
from generation.work import worker
from provenance.models import Asset
from tests.fakes import FakeImageClassifier

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("prompt_classifier", "image_classifier"),
]


@contextmanager
def working_house() -> Iterator[None]:
    """Does what the two Celery workers do, in a thread."""
    done = Event()

    def work() -> None:
        waiting = GenerationRequest.objects.filter(status=RequestStatus.SUBMITTED, is_held=False)
        try:
            while not done.wait(0.05):
                for request_id in waiting.values_list("id", flat=True):
                    prompt_screening.screen(request_id, at=timezone.now())
                worker.work_one(now=timezone.now)
        finally:
            connection.close()

    thread = Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def generate(*args: str) -> tuple[int, str]:
    """Exit status and output."""
    out = io.StringIO()
    try:
        with redirect_stderr(io.StringIO()):
            call_command("generate", *args, stdout=out, stderr=io.StringIO())
    except CommandError as error:
        return error.returncode, str(error)
    except SystemExit as stop:
        return int(str(stop.code)), out.getvalue()
    return 0, out.getvalue()


def test_released_image_is_written_and_told_as_json(
    alice: User, tiny: BaseModel, tmp_path: Path
) -> None:
    out = tmp_path / "apple.png"
    with working_house():
        status, said = generate("a red apple", "--seed", "7", "--out", str(out), "--json")
    body = json.loads(said)
    image = GeneratedImage.objects.get()
    assert (status, body["image_status"], body["code"]) == (0, "released", "")
    assert (body["image"], body["seed"], body["file"]) == (str(image.id), 7, str(out))
    assert out.read_bytes() == image.file.open("rb").read()
    assert Asset.objects.filter(id=image.id).exists()
    assert image.owner == alice


@pytest.mark.parametrize(
    ("prompt", "code"), [("an awful thing", "prompt_refused"), ("a doubtful one", "prompt_held")]
)
def test_prompt_that_policy_stops_exits_3_with_its_code(
    alice: User, tiny: BaseModel, prompt: str, code: str
) -> None:
    with working_house():
        status, said = generate(prompt)
        json_status, json_said = generate(prompt, "--json")
    assert (status, json_status) == (3, 3)
    assert said.startswith(f"{code}: ")
    body = json.loads(json_said)
    assert body["code"] == code
    assert ("statement_url" in body) == (code == "prompt_refused")


@pytest.mark.parametrize(("score", "code"), [(0.6, "image_held"), (0.99, "image_refused")])
def test_image_that_policy_stops_exits_3_and_writes_no_file(
    alice: User,
    tiny: BaseModel,
    image_classifier: FakeImageClassifier,
    tmp_path: Path,
    score: float,
    code: str,
) -> None:
    image_classifier.sexual = score
    out = tmp_path / "a.png"
    with working_house():
        status, said = generate("a red apple", "--out", str(out))
    assert (status, said.split(":")[0]) == (3, code)
    assert not out.exists()


@pytest.mark.parametrize(
    ("args", "code"),
    [
        ([""], "prompt_empty"),
        (["a" * 3000], "prompt_too_long"),
        (["a", "--model", "no-such"], "model_not_registered"),
        (["a", "--steps", "10000"], "steps_out_of_range"),
        (["a", "--seed", "-1"], "seed_out_of_range"),
        (["a", "--adapter", "flat:heavy"], "adapter_unreadable"),
        (["a", "--adapter", "flat:nan"], "adapter_unreadable"),
        (["a", "--adapter", "flat"], "adapter_not_usable"),
        (["a", "--user", "nobody"], "user_unknown"),
        (["a", "--out", "/no/such/folder/a.png"], "out_not_writable"),
        (["a", "--out", "/"], "out_not_writable"),
    ],
)
def test_bad_input_exits_1_with_one_line(
    alice: User, model: BaseModel, args: list[str], code: str
) -> None:
    status, said = generate(*args)
    assert status == 1
    assert said.startswith(f"{code}: ")
    assert "\n" not in said
    assert not GenerationRequest.objects.exists()


def test_failed_request_exits_5_with_its_code(alice: User, model: BaseModel) -> None:
    with working_house():
        status, said = generate("a red apple")
    assert (status, said.split(":")[0]) == (5, "model_not_loadable")


def test_missing_workers_are_told_in_one_sentence(
    alice: User, model: BaseModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "WORKER_PATIENCE", timedelta(0))
    status, said = generate("a red apple")
    assert (status, said.split(":")[0]) == (4, "no_worker")
    assert "make run" in said
    assert GenerationRequest.objects.get().status == "submitted"


def test_long_wait_ends_at_the_timeout(alice: User, model: BaseModel) -> None:
    worker_processes.announce("cpu@here", queues=["cpu"], slots=1, at=timezone.now())
    status, said = generate("a red apple", "--timeout", "0.2")
    assert (status, said.split(":")[0]) == (4, "took_too_long")


def test_interrupt_cancels_the_request(
    alice: User, model: BaseModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(results, "_has_worker", interrupt)
    monkeypatch.setattr(results, "WORKER_PATIENCE", timedelta(0))
    status, said = generate("a red apple")
    assert (status, said.split(":")[0]) == (6, "cancelled")
    assert GenerationRequest.objects.get().status == "cancelled"


def test_cancelled_elsewhere_exits_6(
    alice: User, model: BaseModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cancel(request: GenerationRequest, *, at: Any) -> bool:
        own_requests.cancel(request.id, by=alice, at=at)
        return True

    monkeypatch.setattr(results, "_has_worker", cancel)
    monkeypatch.setattr(results, "WORKER_PATIENCE", timedelta(0))
    status, said = generate("a red apple", "--json")
    assert (status, json.loads(said)["code"]) == (6, "cancelled")


def test_help_documents_every_exit_status(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command("generate", "--help")
    told = capsys.readouterr().out
    assert all(f"\n  {status}  " in told for status in range(7))


def test_address_is_where_the_house_answers(
    alice: User, tiny: BaseModel, settings: Settings
) -> None:
    settings.PUBLIC_URL = "https://pictures.example"
    with working_house():
        status, said = generate("a red apple", "--json")
    image = GeneratedImage.objects.get()
    assert (status, json.loads(said)["url"]) == (0, f"https://pictures.example/images/{image.id}/")
