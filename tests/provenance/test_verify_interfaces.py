"""The verify page, its API and its commands: every file gets an answer, and none is kept."""

import base64
import json
import re
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.test import Client
from pytest_django.fixtures import Settings

from config.core.gate import Gate
from provenance.verify import signed_reports, submitted_files
from provenance.verify.submitted_files import VerifyThrottle
from tests.provenance.big_pictures import plain_png
from tests.provenance.conftest import Marked
from tests.provenance.files import HTML, converted, refused, saved
from tests.provenance.pictures import photograph

REFUSED = refused()
API, PAGE = "/api/v1/verify/", "/verify/"


def upload(data: bytes, name: str = "a.png") -> dict[str, Any]:
    file = BytesIO(data)
    file.name = name
    return {"file": file}


def rows() -> dict[str, int]:
    """How many rows each table holds."""
    with connection.cursor() as cursor:
        counts = {}
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT count(*) FROM "{table}"')
            counts[table] = cursor.fetchone()[0]
    return counts


def test_api_tells_five_verdicts_to_anybody(client: Client, astronaut: Marked) -> None:
    answer = client.post(API, upload(astronaut.sealed.data))
    assert answer.status_code == 200
    for name in ("manifest", "signer", "log", "watermark", "fingerprint"):
        assert answer.json()[name]["verdict"] == "found_good"


@pytest.mark.django_db
@pytest.mark.parametrize("name", REFUSED)
def test_api_refuses_with_a_problem(client: Client, name: str) -> None:
    data, code, status = REFUSED[name]
    answer = client.post(API, upload(data, name))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.django_db
@pytest.mark.parametrize("name", REFUSED)
def test_page_refuses_in_words(client: Client, name: str) -> None:
    data, code, status = REFUSED[name]
    answer = client.post(PAGE, upload(data, name))
    assert (answer.status_code, code in answer.text) == (status, True)


@pytest.mark.django_db
def test_page_tells_what_was_converted(client: Client) -> None:
    answer = client.post(PAGE, upload(converted()["cmyk.jpg"][0], "a.jpg"))
    assert answer.status_code == 200
    assert "CMYK" in answer.text


@pytest.mark.parametrize(("kind", "missing"), [("PNG", 1), ("PNG", 12), ("JPEG", 1), ("JPEG", 2)])
def test_page_and_json_tell_that_the_end_of_a_file_is_missing(
    client: Client, db: None, kind: str, missing: int
) -> None:
    whole = saved(photograph("coffee"), kind)
    for data, is_told in ((whole, False), (whole[:-missing], True)):
        page = client.post("/verify/", {"file": SimpleUploadedFile("a", data)}).text
        told = client.post("/api/v1/verify/", {"file": SimpleUploadedFile("a", data)}).json()
        assert ("The end of the file is missing" in page) == is_told
        assert ("The end of the file is missing" in " ".join(told["file"]["notes"])) == is_told


def test_signed_file_without_its_last_byte_is_told_so(client: Client, astronaut: Marked) -> None:
    file = SimpleUploadedFile("a.png", astronaut.sealed.data[:-1])
    told = client.post("/api/v1/verify/", {"file": file}).json()
    assert "The end of the file is missing" in " ".join(told["file"]["notes"])


def test_page_tells_each_verdict_and_offers_the_report(client: Client, astronaut: Marked) -> None:
    page = client.post(PAGE, upload(astronaut.sealed.data)).text
    assert page.count("Found, good") == 5
    assert str(astronaut.id) in page
    encoded = re.search(r"base64,([^\"]+)", page)
    assert encoded is not None
    assert signed_reports.read(base64.b64decode(encoded[1]).decode())["is_ours"] is True


@pytest.mark.django_db
@pytest.mark.parametrize("path", [API, PAGE, "/sbr/matches/byContent"])
def test_whoever_would_wait_too_long_is_told_when_to_come_back(
    client: Client, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(1, most_waiting=1, patience_s=0)
    monkeypatch.setattr(submitted_files, "_gate", gate)
    data = saved(photograph("moon"), "PNG")
    with gate.passed():
        answer = client.post(path, upload(data))
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    if path == PAGE:
        assert "Too many pictures are being looked at just now." in answer.text
    else:
        assert answer.json()["code"] == "busy"
        assert answer["Content-Type"] == "application/problem+json"
    assert client.post(path, upload(data)).status_code == 200


@pytest.mark.django_db
def test_report_tells_the_size_of_the_picture_and_not_of_what_was_looked_at(client: Client) -> None:
    answer = client.post(API, upload(plain_png(3000, 2000))).json()["file"]
    assert (answer["width"], answer["height"]) == (3000, 2000)
    assert "3000 × 2000" in " ".join(answer["notes"])


@pytest.mark.django_db
def test_page_asks_without_account_script_or_cookie_check(client: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(PAGE, upload(saved(photograph("moon"), "PNG"))).status_code == 200
    page = client.get(PAGE).text
    assert '<form class="stack" method="post" enctype="multipart/form-data"' in page
    assert 'accept="image/*,video/mp4,video/quicktime,application/pdf"' in page


@pytest.mark.django_db
@pytest.mark.parametrize("url", [API, PAGE])
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "multipart/form-data; boundary=x"),
        (b"garbage", "multipart/form-data; boundary=x"),
        (b"garbage", "multipart/form-data"),
        (b"{}", "application/json"),
        (
            b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\ntext\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
        ),
    ],
)
def test_request_without_a_file_is_told_so(
    client: Client, url: str, body: bytes, kind: str
) -> None:
    answer = client.generic("POST", url, body, content_type=kind)
    assert answer.status_code == 400
    assert "file_missing" in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("url", [API, PAGE])
def test_too_large_file_is_refused(client: Client, url: str, settings: Settings) -> None:
    settings.PROOFSHEET_VERIFY_MAX_BYTES = 100_000
    answer = client.post(url, upload(bytes(300_000)))
    assert answer.status_code == 413
    assert "file_too_large" in answer.content.decode()


@pytest.mark.django_db
def test_second_file_of_a_form_is_refused_rather_than_left_out(client: Client) -> None:
    files = [
        SimpleUploadedFile("a.png", saved(photograph("moon"), "PNG")),
        SimpleUploadedFile("b.png", HTML),
    ]
    answer = client.post(API, {"file": files})
    assert (answer.status_code, answer.json()["code"]) == (400, "two_subjects")


@pytest.mark.parametrize("url", [API, PAGE])
def test_nothing_submitted_is_kept(
    client: Client,
    astronaut: Marked,
    url: str,
    tmp_path: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    settings.MEDIA_ROOT = tmp_path / "media"
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    before = rows()
    photo = photograph("coffee", 1024)
    noise = saved(photo, "PNG", compress_level=0)
    assert len(noise) > settings.FILE_UPLOAD_MAX_MEMORY_SIZE
    for data in (noise, astronaut.sealed.data):
        assert client.post(url, upload(data)).status_code == 200
    assert rows() == before
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.django_db
@pytest.mark.parametrize("url", [API, PAGE])
def test_too_many_checks_are_put_off_whatever_address_the_client_claims(
    client: Client, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.clear()
    monkeypatch.setattr(VerifyThrottle, "THROTTLE_RATES", {"verify": "2/min"})
    answers = [
        client.post(url, upload(b"no picture"), headers={"X-Forwarded-For": f"192.0.2.{number}"})
        for number in range(3)
    ]
    assert [answer.status_code for answer in answers] == [415, 415, 429]
    cache.clear()


def command(*arguments: str) -> tuple[int, str, str]:
    out, err = StringIO(), StringIO()
    try:
        call_command(*arguments, stdout=out, stderr=err)
    except SystemExit as stop:
        return int(stop.code or 0), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def test_command_exits_by_what_it_found(astronaut: Marked, tmp_path: Path) -> None:
    files = {
        "ours.png": (astronaut.sealed.data, 0),
        "screenshot.jpg": (saved(astronaut.pixels[40:440, 30:470], "JPEG"), 0),
        "theirs.png": (saved(photograph("coins"), "PNG"), 1),
        "broken.png": (HTML, 2),
    }
    for name, (data, code) in files.items():
        (tmp_path / name).write_bytes(data)
        assert command("verify_image", str(tmp_path / name))[0] == code, name
    missing = tmp_path / "missing.png"
    code, _, said = command("verify_image", str(missing))
    assert (code, said) == (2, f"{missing} cannot be read: No such file or directory.\n")


def test_command_prints_the_report_as_json(astronaut: Marked, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(astronaut.sealed.data)
    code, out, _ = command("verify_image", str(tmp_path / "a.png"), "--json")
    assert (code, json.loads(out)["log"]["index"]) == (0, 0)


def test_verify_log_says_that_the_log_holds(astronaut: Marked) -> None:
    code, out, _ = command("verify_log")
    assert (code, "The log holds: 1 entries" in out) == (0, True)


def test_admin_shows_assets_and_log_but_changes_nothing(
    astronaut: Marked, olga: User, as_user: Any
) -> None:
    olga.is_superuser = True
    olga.save()
    client = as_user(olga)
    for model in ("asset", "logentry", "checkpoint", "cosignature", "timestamp"):
        assert client.get(f"/admin/provenance/{model}/").status_code == 200
        assert client.get(f"/admin/provenance/{model}/add/").status_code == 403
    page = client.get(f"/admin/provenance/asset/{astronaut.id}/change/")
    assert page.status_code == 200
    assert client.post(f"/admin/provenance/asset/{astronaut.id}/delete/").status_code == 403


@pytest.mark.django_db
@pytest.mark.parametrize("url", [API, PAGE])
@pytest.mark.parametrize("address", ["http://127.0.0.1/a.png", "file:///etc/passwd", "nonsense"])
def test_address_that_is_not_public_is_refused(client: Client, url: str, address: str) -> None:
    answer = client.post(url, {"url": address})
    assert answer.status_code == 422
    assert "url_refused" in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("body", [{"url": "http://10.0.0.1/"}, {"url": 3}, [], {}])
def test_api_takes_an_address_as_json(client: Client, body: object) -> None:
    answer = client.post(API, json.dumps(body), content_type="application/json")
    expected = 422 if body == {"url": "http://10.0.0.1/"} else 400
    assert answer.status_code == expected
