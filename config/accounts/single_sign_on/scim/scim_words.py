"""Reading SCIM's bodies and filters: what the house keeps, what it passes over, what it refuses.

Filters are conjunctions of `eq`, which is what providers send. Attributes that the house does not
keep are passed over, as RFC 7644, 3.5.2 lets a service provider.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django_scim.exceptions import BadRequestError

FILTER_MAX_LENGTH = 1000
OPERATIONS_MAX = 100
MEMBERS_MAX = 5000
TEXT_MAX_LENGTH = 254
_URN = re.compile(r"urn:ietf:params:scim:schemas:core:2\.0:(user|group):", re.IGNORECASE)
_CLAUSE = re.compile(
    r"\s*(?P<path>[\w.:]+(?:\[[^\]\"]*\"[^\]\"]*\"\s*\])?(?:\.\w+)?)"
    r"\s+eq\s+(?:\"(?P<text>(?:[^\"\\]|\\.)*)\"|(?P<word>true|false))\s*",
    re.IGNORECASE,
)
_MEMBER = re.compile(r"members\[\s*value\s+eq\s+\"(?P<id>[^\"]+)\"\s*\]", re.IGNORECASE)


def wrong(sentence: str, scim_type: str = "invalidValue") -> BadRequestError:
    """400 in SCIM's own form."""
    return BadRequestError(sentence, scim_type=scim_type)


def plain(path: str) -> str:
    """A path as the tables here spell it: without schema and value filter, in lower case."""
    return re.sub(r"\[[^\]]*\]", "", _URN.sub("", path)).lower()


def text(value: Any, name: str) -> str:
    """Raises BadRequestError for what is no text of a sane length."""
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > TEXT_MAX_LENGTH or "\0" in value:
        raise wrong(f'"{name}" is a text of at most {TEXT_MAX_LENGTH} characters.')
    return value.strip()


def flag(value: Any, name: str) -> bool:
    """Entra sends "True" and "False" as texts."""
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise wrong(f'"{name}" should be of type "bool".')
    return value


def address(value: Any) -> str:
    """The primary one of a list, of one member, or the text itself."""
    if isinstance(value, list):
        members = [one for one in value if isinstance(one, dict)]
        if len(members) != len(value):
            raise wrong('"emails" is a list of objects.')
        first = sorted(members, key=lambda one: one.get("primary") is not True)[:1]
        value = first[0] if first else None
    return text(value.get("value") if isinstance(value, dict) else value, "emails").lower()


def member_ids(value: Any) -> list[str]:
    """The ids of a list of members."""
    listed = value if isinstance(value, list) else [value]
    if len(listed) > MEMBERS_MAX or not all(isinstance(one, dict) for one in listed):
        raise wrong(f'"members" is a list of at most {MEMBERS_MAX} objects.')
    return [text(one.get("value"), "members.value") for one in listed]


def changes(operations: Any) -> Iterator[tuple[str, str, Any]]:
    """Each operation of a PATCH as verb, path and value; without a path one for each member."""
    if not isinstance(operations, list) or len(operations) > OPERATIONS_MAX:
        raise wrong(f'"Operations" is a list of at most {OPERATIONS_MAX}.', "invalidSyntax")
    for one in operations:
        if not isinstance(one, dict) or not isinstance(one.get("op"), str):
            raise wrong("An operation is an object with `op`.", "invalidSyntax")
        verb, path, value = one["op"].lower(), one.get("path"), one.get("value")
        if verb not in {"add", "replace", "remove"}:
            raise wrong(f"There is no operation {verb[:20]!r}.", "invalidSyntax")
        if path is None and (verb == "remove" or not isinstance(value, dict)):
            raise wrong("This operation needs a `path`.", "noTarget")
        if path is not None and not isinstance(path, str):
            raise wrong("`path` is a text.", "invalidPath")
        pairs = [(path, value)] if path is not None else list(dict(value or {}).items())
        yield from ((verb, name, each) for name, each in pairs)


def member_named_in(path: str) -> str | None:
    """`members[value eq "…"]`, as Entra and Okta remove one."""
    found = _MEMBER.fullmatch(_URN.sub("", path))
    return found["id"] if found else None


def clauses(query: str) -> list[tuple[str, str]]:
    """`path eq "value"` and so on, in lower case. Raises BadRequestError for other filters."""
    found, rest = [], query if len(query) <= FILTER_MAX_LENGTH else ""
    while clause := _CLAUSE.match(rest):
        value = clause["text"] if clause["text"] is not None else clause["word"]
        found.append((plain(clause["path"]), re.sub(r"\\(.)", r"\1", value)))
        rest = rest[clause.end() :]
        if not rest:
            return found
        if not rest.lower().startswith("and "):
            break
        rest = rest[4:]
    raise wrong('Filters here are `attribute eq "value"`, joined by `and`.', "invalidFilter")
