"""How much a manifest store would have c2pa read, told by its boxes alone (ISO 19566-5). Pure.

Pictures inside a store are only hashed, however large they are. What is parsed is bounded: c2pa
takes time with the square of the number of boxes, and memory with many times the bytes of CBOR.
"""

from collections.abc import Iterator

MAX_BOXES, MAX_DEPTH = 4000, 24
MAX_PARSED_BYTES = 1_000_000
_SUPERBOX, _PICTURE, _COMPRESSED = b"jumb", b"bidb", b"brob"


class StoreBroken(ValueError):
    """The boxes do not lie within each other."""


class StoreTooLarge(ValueError):
    """There are too many boxes, too much to parse, or something compressed."""


def check(store: bytes) -> None:
    """Raises `StoreBroken`, `StoreTooLarge`."""
    parsed = 0
    for boxes, (kind, size) in enumerate(_boxes(store, 0, len(store), 0), 1):
        parsed += 0 if kind in (_SUPERBOX, _PICTURE) else size
        if boxes > MAX_BOXES or parsed > MAX_PARSED_BYTES or kind == _COMPRESSED:
            raise StoreTooLarge


def _boxes(store: bytes, start: int, end: int, depth: int) -> Iterator[tuple[bytes, int]]:
    """Type and size of the contents of each box, those inside others after them."""
    if depth > MAX_DEPTH:
        raise StoreTooLarge
    while start < end:
        if end - start < 8:
            raise StoreBroken
        size, kind, header = (
            int.from_bytes(store[start : start + 4]),
            store[start + 4 : start + 8],
            8,
        )
        if size == 1:
            size, header = int.from_bytes(store[start + 8 : start + 16]), 16
        size = size or end - start
        if size < header or start + size > end:
            raise StoreBroken
        yield kind, size - header
        if kind == _SUPERBOX:
            yield from _boxes(store, start + header, start + size, depth + 1)
        start += size
