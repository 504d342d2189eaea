"""What a signed file says in XMP, as others read it and as we read it back."""

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4
from xml.etree import ElementTree

import numpy as np
import pytest
from django.core.management import call_command
from django.test import Client
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from pytest_django.fixtures import Settings

from provenance.assets import archive, marking, transcode
from provenance.keys import key_folder
from provenance.manifests import containers, definition, embedded_xmp
from provenance.manifests.definition import Parent
from provenance.manifests.signing_context import signer
from provenance.pictures import decoder
from provenance.pictures.decoder import Mime
from tests.provenance import foreign
from tests.provenance.conftest import NOW, SYSTEM, seal
from tests.provenance.files import CLAIM, chunk, saved
from tests.provenance.pictures import drawing

KINDS: dict[Mime, dict[str, Any]] = {
    "image/png": {},
    "image/jpeg": {"quality": 90},
    "image/webp": {"quality": 90},
}
SOURCE_TYPE = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType"
DESCRIPTION = ".//{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description"


def signed(mime: Mime, **options: Any) -> bytes:
    kind = mime.removeprefix("image/").upper()
    data = saved(drawing(9, 255), kind, **(KINDS[mime] | options))
    return signer().sign(data, mime, claim=CLAIM).data


def told_to_others(data: bytes) -> dict[str, str]:
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        xmp = image.info["xmp"]
    found = ElementTree.fromstring(xmp if isinstance(xmp, str) else xmp.decode()).find(DESCRIPTION)
    assert found is not None
    return dict(found.attrib)


@pytest.mark.parametrize("mime", KINDS)
def test_another_reader_finds_that_a_model_made_it(mime: Mime) -> None:
    data = signed(mime)
    assert told_to_others(data)[SOURCE_TYPE] == definition.CREATED
    assert embedded_xmp.said_in(data)[embedded_xmp.SOURCE_TYPE] == definition.CREATED
    assert embedded_xmp.said_in(data)[embedded_xmp.IDENTIFIER] == f"urn:uuid:{CLAIM.asset_id}"
    assert signer().read(data, mime).state == "trusted"
    assert decoder.read(data).pixels.shape == (255, 255, 3)


@pytest.mark.parametrize("options", [{"lossless": True}, {"lossless": True, "exif": b"Exif\0\0"}])
def test_webp_of_every_form_takes_it(options: dict[str, Any]) -> None:
    data = signed("image/webp", **options)
    assert told_to_others(data)[SOURCE_TYPE] == definition.CREATED
    assert decoder.read(data).pixels.shape == (255, 255, 3)


def test_manifest_vouches_for_it() -> None:
    marked = seal(drawing(2, 256))
    start = marked.sealed.data.index(
        b"trainedAlgorithmicMedia", marked.sealed.data.index(b"<x:xmp")
    )
    spoilt = bytearray(marked.sealed.data)
    spoilt[start] ^= 1
    reading = signer().read(bytes(spoilt), "image/png")
    assert reading.issues == ("assertion.dataHash.mismatch",)


@pytest.mark.parametrize("text", ['a "quoted" <name> & more', "日本語", "x" * 1999])
def test_what_is_put_in_is_read_back(text: str) -> None:
    data = embedded_xmp.put(
        saved(drawing(9, 64), "PNG"),
        "image/png",
        {embedded_xmp.CREATOR_TOOL: text},
    )
    assert embedded_xmp.said_in(data) == {embedded_xmp.CREATOR_TOOL: text}


@pytest.mark.parametrize(
    "data",
    [
        b"<x:xmpmeta",
        b"<x:xmpmeta>" + b"<" * 100_000,
        b"<x:xmpmeta> Iptc4xmpExt:DigitalSourceType= </x:xmpmeta>",
        b'<x:xmpmeta> Iptc4xmpExt:DigitalSourceType="' + b"y" * 300_000,
        b"<x:xmpmeta>\xff\xfe\0</x:xmpmeta>",
    ],
)
def test_what_is_no_xml_says_nothing(data: bytes) -> None:
    assert embedded_xmp.said_in(data) == {}


@pytest.fixture
def producer(settings: Settings) -> str:
    settings.PROOFSHEET_AIGC_PRODUCER = "001191110000MA00000000X00000"[:27]
    return str(settings.PROOFSHEET_AIGC_PRODUCER)


@pytest.mark.parametrize("mime", KINDS)
def test_label_for_china_is_written_signed_and_read_back(
    mime: Mime, producer: str, db: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asset_id = uuid4()
    marked = marking.embed(drawing(2, 256), asset_id=asset_id)
    made = marking.seal(marked, asset_id=asset_id, created_at=NOW, system=SYSTEM, mime=mime)
    marking.record(made, asset_id=asset_id, owner_pseudonym="p", at=NOW)
    label = json.loads(told_to_others(made.data)["{http://www.tc260.org.cn/ns/AIGC/1.0/}AIGC"])
    assert (label["Label"], label["ContentProducer"]) == ("1", producer)
    assert label["ProduceID"] == str(asset_id)
    if mime == "image/png":
        with Image.open(io.BytesIO(made.data)) as image:
            assert json.loads(image.text["AIGC"]) == {"AIGC": label}  # type: ignore[attr-defined]  # of PNGs
    assert signer().read(made.data, mime).state == "trusted"
    copied = transcode.in_format(made.data, "image/webp", asset_id=asset_id, at=NOW)
    for data in (made.data, copied):
        (tmp_path / "picture").write_bytes(data)
        with pytest.raises(SystemExit):
            call_command("verify_image", tmp_path / "picture")
        assert f'metadata     TC260:AIGC {{"Label":"1","ContentProducer":"{producer}"' in (
            capsys.readouterr().out
        )


def test_without_a_producer_nothing_is_claimed_in_anybody_s_name(db: None) -> None:
    data = seal(drawing(2, 256)).sealed.data
    assert embedded_xmp.AIGC not in embedded_xmp.said_in(data)
    assert b"AIGC" not in data


def test_picture_of_an_archive_may_be_generated(producer: str, db: None, tmp_path: Path) -> None:
    (tmp_path / "old.png").write_bytes(saved(drawing(4, 256), "PNG"))
    found = archive.mark(tmp_path / "old.png", out=tmp_path, model="m", at=NOW)
    told = embedded_xmp.said_in((tmp_path / str(found.copy)).read_bytes())
    assert json.loads(told[embedded_xmp.AIGC])["Label"] == "2"
    assert embedded_xmp.SOURCE_TYPE not in told


@pytest.mark.parametrize("mime", KINDS)
def test_what_a_parent_said_in_its_store_is_not_said_by_the_file(
    mime: Mime, db: None, tmp_path: Path
) -> None:
    lie = b'<x:xmpmeta xmp:CreatorTool="A lie"/></x:xmpmeta>'
    noise = saved(np.random.default_rng(1).integers(0, 256, (256, 256, 3), np.uint8), "PNG")
    said, more = chunk(b"zzzz", lie), chunk(b"zzzz", bytes(50_000))
    thumbnail = noise[:33] + said + more + noise[33:-12] + said + noise[-12:]
    stranger = key_folder.load_or_make(tmp_path)
    parent = foreign.signed(
        thumbnail, "image/png", by=stranger, parents=[(thumbnail, "image/png")], thumbnails=True
    )
    plain = saved(drawing(9, 255), mime.removeprefix("image/").upper())
    claim = replace(CLAIM, is_altered=True, aigc_producer="")
    data = signer().sign(plain, mime, claim=claim, parent=Parent(parent, "image/png")).data
    beside = containers.beside_stores(data)
    assert data.count(lie) >= 2
    assert lie not in beside
    assert beside.count(b"<x:xmpmeta") == 1
    assert embedded_xmp.said_in(data)[embedded_xmp.CREATOR_TOOL] == "Proofsheet 0.1.0"


def test_text_of_a_png_alone_is_read_too() -> None:
    text = PngInfo()
    text.add_text("AIGC", '{"AIGC":{"Label":"1","ProduceID":"x"}}')
    data = saved(drawing(9, 64), "PNG", pnginfo=text)
    assert embedded_xmp.said_in(data) == {embedded_xmp.AIGC: '{"Label":"1","ProduceID":"x"}'}


def test_page_and_api_tell_what_metadata_says_as_text(client: Client, db: None) -> None:
    said = {embedded_xmp.AIGC: '{"Label":"1"}', embedded_xmp.CREATOR_TOOL: "<b>Machine</b>"}
    data = embedded_xmp.put(saved(drawing(9, 64), "PNG"), "image/png", said)
    told = client.post("/api/v1/verify/", {"file": io.BytesIO(data)}).json()
    assert told["metadata"] == said
    page = client.post("/verify/", {"file": io.BytesIO(data)}).text
    assert "<code>xmp:CreatorTool</code> &lt;b&gt;Machine" in page
