"""Soft bindings over HTTP: a stripped picture, a watermark or an ISCC finds its manifest again."""

import base64
import json
from io import BytesIO
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import c2pa
import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from provenance.log.formats import canonical_json
from provenance.manifests import manifest_stores
from provenance.models import LogEntry, ManifestName
from tests.provenance.attacks import cropped_screenshot
from tests.provenance.conftest import Marked
from tests.provenance.files import HTML, saved
from tests.provenance.pictures import photograph

NOBODYS = "00000000-0000-4000-8000-000000000000"
BINDING, CONTENT = "/sbr/matches/byBinding", "/sbr/matches/byContent"


def encoded(value: str) -> str:
    return base64.b64encode(value.encode()).decode()


def manifest_id(marked: Marked) -> str:
    return ManifestName.objects.get(asset_id=marked.id).urn


def named_by_c2pa(data: bytes) -> str:
    with c2pa.Reader("image/png", BytesIO(data)) as reader:
        name: str = json.loads(reader.json())["active_manifest"]
    return name


def sent(client: Client, data: bytes, kind: str = "image/png", **query: Any) -> Any:
    """As the specification has it: the body is the picture."""
    return client.post(f"{CONTENT}?{urlencode(query)}", data, content_type=kind)


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
        in_body = client.post(f"{BINDING}?maxResults=3", query, content_type="application/json")
        for answer in (client.get(BINDING, query), in_body):
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
    subject = canonical_json.decode(bytes(LogEntry.objects.get().body))["subject"]
    assert subject == str(astronaut.id) != manifest_id(astronaut)
    for name in (subject, f"urn:c2pa:{subject}"):
        assert client.get(f"/sbr/manifests/{name}").status_code in (400, 404)
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
    answer = client.get(f"/sbr/manifests/urn:c2pa:{uuid4()}")
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


# ------------------------------------------------------------------ as the specification has it
def test_a_manifest_is_named_as_c2pa_names_it(client: Client, astronaut: Marked) -> None:
    name = named_by_c2pa(astronaut.sealed.data)
    assert manifest_id(astronaut) == name
    assert name.startswith("urn:c2pa:")
    assert client.get(f"/sbr/manifests/{name}").content == astronaut.sealed.manifest


@pytest.mark.parametrize("kind", ["image/png", "image/*", "application/octet-stream"])
def test_the_body_may_be_the_picture_itself(client: Client, astronaut: Marked, kind: str) -> None:
    (match,) = sent(client, astronaut.sealed.data, kind).json()["matches"]
    assert match["manifestId"] == manifest_id(astronaut)


@pytest.mark.parametrize("alg", ["app.proofsheet.tile.1", "io.iscc.v0"])
def test_alg_asks_that_mark_alone(client: Client, astronaut: Marked, alg: str) -> None:
    stripped = saved(astronaut.pixels, "PNG")
    (match,) = sent(client, stripped, alg=alg).json()["matches"]
    assert match["manifestId"] == manifest_id(astronaut)
    assert sent(client, saved(photograph("coffee"), "PNG"), alg=alg).json() == {"matches": []}


def test_a_hint_is_looked_up_and_has_to_look_alike(client: Client, astronaut: Marked) -> None:
    assert astronaut.asset is not None
    hint = {"hintAlg": "io.iscc.v0", "hintValue": encoded(astronaut.asset.image_code)}
    assert sent(client, saved(photograph("coffee"), "PNG"), **hint).json() == {"matches": []}
    (match,) = sent(client, saved(astronaut.pixels, "JPEG"), "image/jpeg", **hint).json()["matches"]
    assert match["manifestId"] == manifest_id(astronaut)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("data", "query", "status", "code"),
    [
        (b"", {}, 400, "file_missing"),
        (HTML, {}, 415, "not_a_picture"),
        (b"x", {"alg": "com.example.other"}, 400, "soft_binding_unknown"),
        (b"x", {"hintAlg": "com.example.other", "hintValue": "YQ=="}, 400, "soft_binding_unknown"),
        (b"x", {"hintAlg": "io.iscc.v0"}, 400, "invalid"),
        (b"x", {"hintAlg": "io.iscc.v0", "hintValue": "%"}, 400, "soft_binding_unreadable"),
        (b"x", {"maxResults": "0"}, 400, "invalid"),
        (b"x", {"maxresults": "3"}, 400, "invalid"),
    ],
)
def test_bad_content_is_a_problem(
    client: Client, data: bytes, query: dict[str, str], status: int, code: str
) -> None:
    answer = sent(client, data, **query)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert data or "as the body" in answer.json()["detail"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name", ["1", "urn:c2pa:1", "urn:c2pa:" + "g" * 36, NOBODYS, "urn:c2pa:" + "a" * 300]
)
def test_a_malformed_id_is_told_so(client: Client, name: str) -> None:
    answer = client.get(f"/sbr/manifests/{name}")
    assert (answer.status_code, answer.json()["code"]) == (400, "manifest_id_malformed")


def test_the_largest_number_of_results_is_taken(client: Client, astronaut: Marked) -> None:
    assert len(sent(client, astronaut.sealed.data, maxResults=10**6).json()["matches"]) == 1


# ------------------------------------------------------------------ stores by their boxes
def box(kind: bytes, body: bytes) -> bytes:
    return (8 + len(body)).to_bytes(4) + kind + body


def described(label: str, *inside: bytes) -> bytes:
    description = bytes(16) + b"\x03" + label.encode() + b"\0"
    return box(b"jumb", box(b"jumd", description) + b"".join(inside))


def test_the_active_manifest_is_the_last_one() -> None:
    first, last = described("urn:c2pa:1", box(b"json", b"{}")), described("urn:c2pa:2")
    store = described("c2pa", first, last)
    assert manifest_stores.active_urn(store) == "urn:c2pa:2"
    assert manifest_stores.only_active(store) == described("c2pa", last)
    assert manifest_stores.only_active(described("c2pa", last)) == described("c2pa", last)


@given(st.binary(max_size=200))
def test_what_is_no_store_has_no_active_manifest(data: bytes) -> None:
    assert manifest_stores.only_active(data) is not None
    for cut in (data, described("c2pa", data), described("c2pa", described("a"))[: len(data)]):
        manifest_stores.active_urn(cut)
