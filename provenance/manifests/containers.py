"""Where pictures and MP4 keep a C2PA manifest store (C2PA 2.x, appendix A). Pure.

Only lengths are followed and bytes copied; nothing is parsed inside the store.
"""

import re
from collections.abc import Iterator

from config.core.errors import ProofsheetError
from provenance.manifests import other_formats
from provenance.manifests.other_formats import AssetMime

_JPEG_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}
_START_OF_SCAN = 0xDA
_APP11 = 0xEB
_START_OF_STORE = re.compile(rb"jumb.{4}jumdc2pa", re.DOTALL)
_JPEG_PIECE = 64_000
"""About how much c2pa puts into one segment."""
_C2PA = slice(4, 20)
_C2PA_BOX = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")


class ManifestUnreadable(ProofsheetError):
    """A file without Content Credentials, or with some that are not looked at."""

    default_code = "manifest_unreadable"
    default_message = "The file has no Content Credentials that can be read."
    default_advice = "Give a file that carries them itself."
    default_status = 422


def manifest_store(data: bytes, mime: AssetMime) -> bytes:
    """The manifest store embedded in a file; empty when there is none or the file ends early."""
    return b"".join(manifest_stores(data, mime))


def manifest_stores(data: bytes, mime: AssetMime) -> list[bytes]:
    """Every manifest store embedded in a file, of which C2PA allows one."""
    match mime:
        case "image/png":
            return [body for kind, body in _png_chunks(data) if kind == b"caBX"]
        case "image/webp":
            return [body for kind, body in _riff_chunks(data) if kind == b"C2PA"]
        case "image/jpeg":
            return _from_jumbf_segments(data)
        case "image/avif" | "image/heic" | "video/mp4" | "audio/mp4":
            return list(_from_boxes(data))
        case _:
            return other_formats.stores(data, mime)


def count_starts(data: bytes) -> int:
    """In how many places something begins that looks like a manifest store, wherever that is."""
    return sum(1 for _ in _START_OF_STORE.finditer(data))


def beside_stores(data: bytes) -> bytes:
    """A file without what looks like manifest stores, with the heads of the pieces that a JPEG or
    a GIF cuts them into: what lies in one is not said by the file.
    """
    kept, place = [], 0
    for head in _START_OF_STORE.finditer(data, 4):
        start = head.start() - 4
        size = int.from_bytes(data[start : head.start()])
        if data.startswith(b"\xff\xd8"):
            size += size // _JPEG_PIECE * 20
        elif data.startswith(b"GIF8"):
            size += size // 255
        if start >= place:
            kept.append(data[place:start])
            place = start + size
    return b"".join([*kept, data[place:]]) if kept else data


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = 8
    while place + 12 <= len(data):
        length = int.from_bytes(data[place : place + 4])
        yield data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        place += 12 + length


def _riff_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = 12
    while place + 8 <= len(data):
        length = int.from_bytes(data[place + 4 : place + 8], "little")
        yield data[place : place + 4], data[place + 8 : place + 8 + length]
        place += 8 + length + length % 2


def _from_jumbf_segments(data: bytes) -> list[bytes]:
    """APP11 segments carry a box in pieces that bear one number, each after the first with the box
    header again. Boxes of other standards are left out.
    """
    boxes: dict[bytes, list[bytes]] = {}
    for marker, body in _jpeg_segments(data):
        if marker == _APP11 and body[:2] == b"JP" and body[12:16] == b"jumb":
            pieces = boxes.setdefault(body[2:4], [])
            pieces.append(body[16:] if pieces else body[8:])
    joined = (b"".join(pieces) for pieces in boxes.values())
    return [box for box in joined if _START_OF_STORE.fullmatch(box[_C2PA])]


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker == _START_OF_SCAN:
            return
        if marker in _JPEG_WITHOUT_LENGTH:
            place += 2
            continue
        length = int.from_bytes(data[place + 2 : place + 4])
        yield marker, data[place + 4 : place + 2 + length]
        place += 2 + max(2, length)


def _from_boxes(data: bytes) -> Iterator[bytes]:
    """The `uuid` boxes of purpose `manifest`: 4 bytes of version and flags, the purpose, ended by a
    zero, the offset of a Merkle tree, and the store (C2PA 2.x, appendix A.5.1).
    """
    place = 0
    while place + 8 <= len(data):
        length, head = int.from_bytes(data[place : place + 4]), 8
        if length == 1:
            length, head = int.from_bytes(data[place + 8 : place + 16]), 16
        end = place + length if length else len(data)
        if end < place + head:
            return
        body = data[place + head : end] if data[place + 4 : place + 8] == b"uuid" else b""
        if body[:16] == _C2PA_BOX and body[20:29] == b"manifest\0":
            yield body[37:]
        place = end
