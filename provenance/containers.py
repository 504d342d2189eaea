"""Where PNG, JPEG and WebP keep a C2PA manifest store (C2PA 2.x, appendix A). Pure.

Only lengths are followed and bytes copied; nothing is parsed inside the store.
"""

from collections.abc import Iterator

from provenance.pictures import Mime

_JPEG_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}
_START_OF_SCAN = 0xDA
_APP11 = 0xEB


def manifest_store(data: bytes, mime: Mime) -> bytes:
    """The manifest store embedded in a file; empty when there is none or the file ends early."""
    match mime:
        case "image/png":
            return b"".join(body for kind, body in _png_chunks(data) if kind == b"caBX")
        case "image/webp":
            return b"".join(body for kind, body in _riff_chunks(data) if kind == b"C2PA")
        case "image/jpeg":
            return _from_jumbf_segments(data)


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


def _from_jumbf_segments(data: bytes) -> bytes:
    """APP11 segments carry the box in pieces, each after the first with the box header again."""
    store = b""
    for marker, body in _jpeg_segments(data):
        if marker == _APP11 and body[:2] == b"JP" and body[12:16] == b"jumb":
            store += body[16:] if store else body[8:]
    return store


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
