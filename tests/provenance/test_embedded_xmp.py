"""What a signed file says in XMP, as others read it and as we read it back."""

import io
from typing import Any
from xml.etree import ElementTree

import pytest
from PIL import Image

from provenance.manifests import definition, embedded_xmp
from provenance.manifests.signing_context import signer
from provenance.pictures import decoder
from provenance.pictures.decoder import Mime
from tests.provenance.conftest import seal
from tests.provenance.files import CLAIM, saved
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
        embedded_xmp.packet({embedded_xmp.CREATOR_TOOL: text}),
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
