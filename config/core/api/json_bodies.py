"""JSON as the API reads it: bounded in depth and members, each once, of whole characters."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from config.core.errors import ProofsheetError


class NestedTooDeep(ProofsheetError):
    """Found before the body is decoded."""

    default_code = "nested_too_deep"
    default_message = "The JSON is nested deeper than anything here needs."
    default_advice = "Send the members that the documentation names."
    default_status = 400


class MemberTwice(ProofsheetError):
    """Two readers could take two meanings from it."""

    default_code = "member_twice"
    default_message = "A member of the JSON comes twice."
    default_advice = "Send each once; which of the two was meant, nobody can tell."
    default_status = 400


class TooManyMembers(ProofsheetError):
    """Counted over the whole body."""

    default_code = "too_many_members"
    default_message = "The JSON holds more members and items than anything here needs."
    default_advice = "Send the members that the documentation names."
    default_status = 400


class HalfCharacter(ProofsheetError):
    """No database and no file could keep it."""

    default_code = "half_character"
    default_message = "The JSON holds half of a surrogate pair, which is no character."
    default_advice = "Send both halves, or leave it out."
    default_status = 400


class NumberTooLong(ProofsheetError):
    """Python reads no whole number of more digits, and nothing here is counted in such."""

    default_code = "number_too_long"
    default_message = "The JSON holds a number of more digits than anything here needs."
    default_advice = "Send a shorter one."
    default_status = 400


def read(text: str) -> Any:
    """Raises ValueError for what is no JSON, NestedTooDeep, MemberTwice, TooManyMembers,
    HalfCharacter, NumberTooLong."""
    try:
        said = json.loads(
            text, object_pairs_hook=_once, parse_constant=_refuse_constant, parse_int=_whole
        )
    except RecursionError as error:
        raise NestedTooDeep from error
    _check(said)
    return said


def _check(said: Any) -> None:
    """Counts all members and items, as Django counts a form's fields, and looks at all texts."""
    left, waiting = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS, [said]
    while waiting:
        match waiting.pop():
            case str() as text:
                _check_text(text)
            case list() | dict() as parts:
                left -= len(parts)
                if left < 0:
                    raise TooManyMembers
                if isinstance(parts, dict):
                    waiting += parts.values()
                waiting += parts


def _check_text(text: str) -> None:
    """No database takes half a character, and no answer could repeat it."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise HalfCharacter from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    said = dict(pairs)
    if len(said) < len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        _check_text(twice)
        raise MemberTwice(message=f"The member “{twice[:80]}” comes twice.")
    return said


def _whole(digits: str) -> int:
    try:
        return int(digits)
    except ValueError as error:
        raise NumberTooLong from error


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


class StrictJSONParser(JSONParser):
    """Raises ParseError, RequestDataTooBig, and what `read` raises."""

    limit: int | None = None
    """Bytes; the setting's where a subclass says nothing else."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        limit = self.limit or settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise RequestDataTooBig
        try:
            return read(body.decode())
        except ValueError as error:
            raise ParseError("The body is no JSON in UTF-8.") from error
