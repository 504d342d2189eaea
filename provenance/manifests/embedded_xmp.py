"""What a file says of itself in XMP, beside its manifest: for readers that know no C2PA. Pure.

Written before signing, so the manifest vouches for it too; read back from whatever somebody sends,
where it is hearsay. IPTC Photo Metadata 2023.2 for the source type; XMP part 3 for the places.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from xml.sax.saxutils import quoteattr, unescape

from provenance.manifests import containers
from provenance.pictures.decoder import Mime

SOURCE_TYPE = "Iptc4xmpExt:DigitalSourceType"
CREATOR_TOOL = "xmp:CreatorTool"
IDENTIFIER = "dc:identifier"
AIGC = "TC260:AIGC"
"""China's implicit label (TC260-PG-20259A): JSON, in PNG also as the text `AIGC` (annex B)."""
_NAMESPACES = {
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "TC260": "http://www.tc260.org.cn/ns/AIGC/1.0/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
}
_JPEG_START = b"http://ns.adobe.com/xap/1.0/\0"
_PNG_START = b"XML:com.adobe.xmp\0\0\0\0\0"
_HAS_XMP = 0x04
_MOST_BYTES = 65_000
_PNG_LABEL = re.compile(rb'tEXtAIGC\0\{"AIGC":\s*(\{[^{}]{0,2000}\})\}')


def _packet(said: dict[str, str]) -> bytes:
    """An XMP packet with these properties, by their usual prefixes."""
    used = {name.partition(":")[0] for name in said}
    spaces = "".join(f" xmlns:{each}={quoteattr(_NAMESPACES[each])}" for each in sorted(used))
    told = "".join(f" {name}={quoteattr(value)}" for name, value in said.items())
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about=""{spaces}{told}/></rdf:RDF></x:xmpmeta>'
        '<?xpacket end="r"?>'
    ).encode()


def put(data: bytes, mime: Mime, said: dict[str, str]) -> bytes:
    """A PNG, JPEG or WebP that this house encoded, with a packet in it that says this; others as
    they are.
    """
    xmp = _packet(said)
    match mime:
        case "image/png":
            label = f'{{"AIGC":{said[AIGC]}}}' if AIGC in said else ""
            text = _png_chunk(b"tEXt", b"AIGC\0" + label.encode()) if label else b""
            return data[:33] + _png_chunk(b"iTXt", _PNG_START + xmp) + text + data[33:]
        case "image/jpeg":
            body = _JPEG_START + xmp
            segment = b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body
            jfif = 2 + int.from_bytes(data[4:6]) if data[2:4] == b"\xff\xe0" else 0
            return data[: 2 + jfif] + segment + data[2 + jfif :]
        case "image/webp":
            return _in_webp(data, xmp)
        case _:
            return data


def said_in(data: bytes) -> dict[str, str]:
    """The known properties that the first packet in a file states, or a PNG's text, wherever they
    lie but in a manifest store, which holds what parents said. It need be no XML: only these names
    are looked for, and their text is bounded.
    """
    data = containers.beside_stores(data)
    start = data.find(b"<x:xmpmeta")
    found = data[start : start + _MOST_BYTES].partition(b"</x:xmpmeta>")[0] if start >= 0 else b""
    text = found.decode(errors="replace")
    told = dict(_properties(text))
    if AIGC not in told and (label := _PNG_LABEL.search(data)):
        told[AIGC] = label[1].decode(errors="replace")
    return told


def _properties(text: str) -> Iterator[tuple[str, str]]:
    for name in (SOURCE_TYPE, CREATOR_TOOL, IDENTIFIER, AIGC):
        told = rf"{name}\s*=\s*([\"'])(.{{0,2000}}?)\1|{name}>([^<]{{1,2000}})<"
        if match := re.search(told, text):
            yield name, unescape(match[2] or match[3] or "", {"&quot;": '"', "&apos;": "'"})


def _png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _in_webp(data: bytes, xmp: bytes) -> bytes:
    """The extended form of a WebP (RFC 9649, section 2.7), with the packet at its end."""
    chunks = data[12:]
    if chunks[:4] == b"VP8X":
        head = chunks[:8] + bytes([chunks[8] | _HAS_XMP]) + chunks[9:18]
        chunks = chunks[18:]
    else:
        width, height = _webp_size(chunks)
        told = bytes([_HAS_XMP, 0, 0, 0]) + (width - 1).to_bytes(3, "little")
        head = b"VP8X" + struct.pack("<I", 10) + told + (height - 1).to_bytes(3, "little")
    last = b"XMP " + struct.pack("<I", len(xmp)) + xmp + b"\0" * (len(xmp) % 2)
    body = b"WEBP" + head + chunks + last
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _webp_size(chunks: bytes) -> tuple[int, int]:
    if chunks[:4] == b"VP8L":
        bits = int.from_bytes(chunks[9:13], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack("<HH", chunks[14:18])
    return width & 0x3FFF, height & 0x3FFF
