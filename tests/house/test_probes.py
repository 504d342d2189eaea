"""What balancers and starters are told: alive always, ready only when everything is there."""

from pathlib import Path
from uuid import uuid4

import pytest
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.db import OperationalError
from django.test import Client
from pytest_django.fixtures import Settings

from config.runtime import applied_migrations, start_check
from config.web import probes
from provenance.keys import key_folder
from provenance.log import own_keys, transparency_log
from tests.factories import NOON

pytestmark = pytest.mark.django_db


def test_probes_answer_plain_http_by_any_name(settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    client = Client(headers={"host": "10.0.0.7:8000"})
    for path, said in (("/livez", {"alive": True}), ("/readyz", {"ready": True})):
        response = client.get(path)
        assert (response.status_code, response.json()) == (200, said)
        assert response["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in response


def test_missing_database_is_alive_but_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> list[str]:
        raise OperationalError("away")

    monkeypatch.setattr(applied_migrations, "lacking", away)
    response = Client().get("/readyz")
    assert (response.status_code, response.json()) == (
        503, {"ready": False, "lacks": ["database"]},
    )  # fmt: skip
    assert Client().get("/livez").status_code == 200


def test_migrations_that_wait_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applied_migrations, "lacking", lambda: ["house.0001"])
    assert Client().get("/readyz").json()["lacks"] == ["migrations"]


def test_missing_and_foreign_keys_are_named(settings: Settings, tmp_path: Path) -> None:
    settings.PROOFSHEET_KEYS_DIR = tmp_path / "empty"
    assert Client().get("/readyz").json()["lacks"] == ["keys"]
    key_folder.load_or_make(tmp_path / "empty")
    assert Client().get("/readyz").json() == {"ready": True}


def test_answer_is_a_second_old_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[probes.Readiness] = []
    now = [100.0]

    def look(readiness: probes.Readiness) -> list[str]:
        asked.append(readiness)
        return ["database"]

    monkeypatch.setattr(probes, "monotonic", lambda: now[0])
    monkeypatch.setattr(probes.Readiness, "_look", look)
    readiness = probes.Readiness()
    assert [readiness.lacking() for _ in range(5)] == [["database"]] * 5
    assert len(asked) == 1
    now[0] += probes.READY_FOR_S
    readiness.lacking()
    assert len(asked) == 2


def test_web_process_in_production_does_not_start_without_static_files(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.IS_LOCAL, settings.STATIC_ROOT = False, tmp_path
    storage = ManifestStaticFilesStorage(location=str(tmp_path))
    monkeypatch.setattr(start_check, "staticfiles_storage", storage)
    with pytest.raises(SystemExit, match="collectstatic"):
        start_check.require_for_web()
    assert Client().get("/readyz").json()["lacks"] == ["static files"]


def test_web_process_in_production_does_not_start_with_keys_that_did_not_sign_the_log(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_keys.make()
    transparency_log.append(kind="test.noted", subject=uuid4(), body={}, at=NOON)
    transparency_log.sequence(at=NOON)
    monkeypatch.setattr(start_check, "has_static_files", lambda: True)
    settings.PROOFSHEET_KEYS_DIR = tmp_path / "foreign"
    key_folder.load_or_make(tmp_path / "foreign")
    start_check.require_for_web()  # on one host, the house was prepared a moment ago
    settings.IS_LOCAL = False
    with pytest.raises(SystemExit, match="None of the keys in the keys folder signed"):
        start_check.require_for_web()
    settings.PROOFSHEET_KEYS_DIR = tmp_path / "empty"
    with pytest.raises(SystemExit, match="keys"):
        start_check.require_for_web()
    assert not (tmp_path / "empty").exists()
