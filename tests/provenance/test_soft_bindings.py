"""Soft bindings over HTTP: a stripped picture, a watermark or an ISCC finds its manifest again."""

import base64
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from provenance import canonical, soft_bindings
from provenance.models import LogEntry
from tests.provenance.attacks import cropped_screenshot
from tests.provenance.conftest import Marked
from tests.provenance.files import HTML, saved
from tests.provenance.pictures import photograph

BINDING, CONTENT = "/sbr/matches/byBinding", "/sbr/matches/byContent"


def encoded(value: str) -> str:
    return base64.b64encode(value.encode()).decode()


def manifest_id(marked: Marked) -> str:
    return str(soft_bindings.manifest_id_of(marked.id))


def upload(data: bytes) -> dict[str, Any]:
    file = BytesIO(data)
    file.name = "a.png"
    return {"file": file}


def test_binding_leads_to_its_manifest(client: Client, astronaut: Marked) -> None:
    assert astronaut.asset is not None
    values = {
        "app.proofsheet.tile.1": astronaut.asset.watermark_id,
        "io.iscc.v0": astronaut.asset.image_code,
    }
    for algorithm, value in values.items():
        query = {"alg": algorithm, "value": encoded(value)}
        for answer in (client.get(BINDING, query), client.post(BINDING, query)):
            assert answer.json() == {
                "matches": [{"manifestId": manifest_id(astronaut), "similarityScore": 100}]
            }
    manifest = client.get(f"/sbr/manifests/{manifest_id(astronaut)}?returnActiveManifest=true")
    assert manifest["Content-Type"] == "application/c2pa"
    assert manifest.content == astronaut.sealed.manifest


def test_screenshot_leads_to_its_manifest(client: Client, astronaut: Marked) -> None:
    shot = saved(cropped_screenshot(astronaut.pixels), "JPEG")
    (match,) = client.post(CONTENT, upload(shot)).json()["matches"]
    assert match["manifestId"] == manifest_id(astronaut)
    assert match["similarityScore"] >= 85


def test_id_that_stands_in_the_log_opens_no_manifest(client: Client, astronaut: Marked) -> None:
    """A manifest shows a thumbnail of a picture that may be private or withheld."""
    subject = canonical.decode(bytes(LogEntry.objects.get().body))["subject"]
    assert subject == str(astronaut.id) != manifest_id(astronaut)
    assert client.get(f"/sbr/manifests/{subject}").status_code == 404
    page = client.post("/verify/", upload(astronaut.sealed.data)).text
    assert subject in page
    assert manifest_id(astronaut) not in page


def test_other_picture_leads_nowhere(client: Client, astronaut: Marked) -> None:
    answer = client.post(CONTENT, upload(saved(photograph("coffee"), "PNG")))
    assert answer.json() == {"matches": []}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"alg": "com.example.other", "value": "YQ=="}, "soft_binding_unknown"),
        ({"alg": "io.iscc.v0", "value": "%%%"}, "soft_binding_unreadable"),
        ({"alg": "io.iscc.v0"}, "invalid"),
        ({"alg": "io.iscc.v0", "value": "YQ==", "maxResults": "0"}, "invalid"),
    ],
)
def test_bad_query_is_a_problem(client: Client, query: dict[str, str], code: str) -> None:
    answer = client.get(BINDING, query)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


@pytest.mark.django_db
def test_unknown_manifest_is_not_found(client: Client) -> None:
    answer = client.get(f"/sbr/manifests/{uuid4()}")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_manifest")


@pytest.mark.django_db
def test_what_is_no_picture_is_another_media_type(client: Client) -> None:
    assert client.post(CONTENT, upload(HTML)).status_code == 415


@pytest.mark.django_db
def test_known_algorithms_are_told(client: Client) -> None:
    assert client.get("/sbr/services/supportedAlgorithms").json() == {
        "watermarks": [{"alg": "app.proofsheet.tile.1"}],
        "fingerprints": [{"alg": "io.iscc.v0"}],
    }
