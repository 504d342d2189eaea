"""A C2PA manifest store by its boxes (ISO 19566-5, JUMBF): which manifests, which is active. Pure.

Lengths are followed and labels read; nothing inside a manifest is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_SUPERBOX, _DESCRIPTION = b"jumb", b"jumd"
_HAS_LABEL = 0x02
_ASSERTIONS, _THUMBNAIL, _FILE = "c2pa.assertions", "c2pa.thumbnail.claim", b"bidb"


@dataclass(frozen=True, slots=True)
class _Box:
    kind: bytes
    body: bytes
    whole: bytes


def active_urn(store: bytes) -> str | None:
    """The active manifest's own name, such as `urn:c2pa:…`; None where the store is none."""
    boxes = _manifests(store)
    return _label(boxes[-1]) if boxes else None


def only_active(store: bytes) -> bytes:
    """The store with its active manifest alone; as it is where there is no other."""
    boxes = _manifests(store)
    if len(boxes) < 2:
        return store
    description = next(_boxes(_outer(store).body)).whole
    body = description + boxes[-1].whole
    return (8 + len(body)).to_bytes(4) + _SUPERBOX + body


def thumbnail(store: bytes) -> bytes:
    """The small picture that the active manifest carries of its own asset; empty where none is."""
    for manifest in _manifests(store)[-1:]:
        for assertions in _labelled(manifest, _ASSERTIONS):
            for assertion in _labelled(assertions, _THUMBNAIL):
                return next((box.body for box in _boxes(assertion.body) if box.kind == _FILE), b"")
    return b""


def _labelled(box: _Box, start: str) -> Iterator[_Box]:
    """The boxes inside whose label begins so."""
    return (each for each in _boxes(box.body) if (_label(each) or "").startswith(start))


def _manifests(store: bytes) -> list[_Box]:
    """The last is the active one."""
    outer = _outer(store)
    return [box for box in _boxes(outer.body) if box.kind == _SUPERBOX and _label(box)]


def _outer(store: bytes) -> _Box:
    return next(_boxes(store), _Box(b"", b"", b""))


def _label(box: _Box) -> str | None:
    description = next(_boxes(box.body), None)
    if description is None or description.kind != _DESCRIPTION or len(description.body) < 17:
        return None
    if not description.body[16] & _HAS_LABEL:
        return None
    return description.body[17:].split(b"\0")[0].decode("utf-8", "replace") or None


def _boxes(data: bytes) -> Iterator[_Box]:
    """The boxes side by side in `data`; one that ends too late ends them."""
    place = 0
    while place + 8 <= len(data):
        length, header = int.from_bytes(data[place : place + 4]), 8
        if length == 1:
            length, header = int.from_bytes(data[place + 8 : place + 16]), 16
        length = length or len(data) - place
        if length < header or place + length > len(data):
            return
        whole = data[place : place + length]
        yield _Box(whole[4:8], whole[header:], whole)
        place += length
