"""How an answer is written down so that the same house gives the same text in every run."""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.urls import URLPattern, URLResolver

NOBODYS = "00000000-0000-4000-8000-000000000000"
"""Put into an address where the house has nothing to show; it is no number of a run."""
STANDS_FOR = {"uuid": NOBODYS, "int": "1", "slug": "none", "str": "none", "path": "1"}

_DIFFERS = re.compile(
    r'(?<=name="csrfmiddlewaretoken" value=")(?P<csrf>\w+)'
    r'|(?<="X-CSRFToken": ")(?P<csrf_header>\w+)'
    r"|(?<=\bps_key_)(?P<key>\w{4})(?=…)"
    r"|(?<=\breq_)(?P<request>[0-9a-f]{32})\b"
    r"|(?<=/confirm-email/)(?P<confirmation>[^/\s]+)"
    r"|(?<=/reset/key/)(?P<reset>[^/\s]+)"
    r"|(?<=/r/)(?P<token>[0-9A-Za-z]{22})\b"
    r'|(?<=nonce=")(?P<nonce>[^"]+)'
    rf"|(?!{NOBODYS})(?P<uuid>\b[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}})"
    r"|\b(?!(?P<unit>[0-9a-f]{1,2})(?P=unit)+\b)(?P<hex>[0-9a-f]{32,})\b"
    r"|\b(?P<short>[0-9a-f]{12,31})(?=…)"
    r"|(?<=<td>)(?P<size>[\d.]+\xa0KB)(?=</td>)"  # of an archive, which packs what differs
    r"|(?P<signed>\b[\w-]{20,}:(?:[\w-]{6}:)?[\w-]{43}\b)"
    r"|(?P<base64>(?<![\w/+])(?=[a-z0-9]*[A-Z+/])[A-Za-z0-9+/]{60,}={0,2})"
    r"|(?P<digest>(?<![\w/+])[A-Za-z0-9+/]{43}=)"
    r"|(?P<mark>\b[0-9a-f]{16}\b)"
)
_UNNUMBERED = {"csrf", "csrf_header", "key", "nonce", "request", "size"}
_PLAIN: set[str] = set()


class Placeholders:
    """What a run made up, numbered as it appears: the same value has the same number."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        return "\n".join(map(self._line, text.split("\n")))

    def _line(self, line: str) -> str:
        """Most lines stand on every page and hold nothing that a run made up."""
        if line in _PLAIN:
            return line
        told = _DIFFERS.sub(self._stand_in, line)
        if told == line:
            _PLAIN.add(line)
        return told

    def _stand_in(self, found: re.Match[str]) -> str:
        kind, value = str(found.lastgroup), found[0]
        if kind in _UNNUMBERED:
            return f"«{kind}»"
        if value not in self._known:
            number = 1 + sum(known.startswith(f"«{kind} ") for known in self._known.values())
            self._known[value] = f"«{kind} {number}»"
        return self._known[value]


def stand_in(route: str) -> str:
    """The route with something in every place that nothing was put into."""
    return re.sub(r"<(?:(\w+):)?\w+>", lambda said: STANDS_FOR[said[1] or "str"], route)


def routes(found: list[URLPattern | URLResolver], before: str = "") -> Iterator[tuple[str, object]]:
    """Every route that can be filled in, and its view."""
    for one in found:
        route = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from routes(one.url_patterns, route)
        elif not re.search(r"[\^$\\(]", route):
            yield route, one.callback
