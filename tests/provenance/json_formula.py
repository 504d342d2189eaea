"""As much of JSON Formula (Adobe, 2.0) as C2PA's rubrics are written in; our own reading of it.

It is JMESPath with other quotes: "text", 'a name', `JSON`. Unlike there, a projection keeps nulls.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_TOKEN = re.compile(
    r"""\s*(?:(?P<name>[A-Za-z_$][\w$]*)|(?P<number>\d+(?:\.\d+)?)|"(?P<text>(?:[^"\\]|\\.)*)"
    |'(?P<quoted>[^']*)'|`(?P<json>(?:[^`\\]|\\.)*)`
    |(?P<sign>&&|\|\||==|!=|<=|>=|\[\?|\[\]|[<>!|.,:@*(){}[\]]))""",
    re.VERBOSE,
)
_BINDS = {"|": 1, "||": 2, "&&": 3, "==": 4, "!=": 4, "<": 4, ">": 4, "<=": 4, ">=": 4, "*": 7}
_BINDS |= {"[]": 10, "[?": 21, ".": 40, "[": 55, "(": 60}
_FLATTEN = _BINDS["[]"]

Value = Any
Compiled = Callable[[Value, "Scope"], Value]


@dataclass(frozen=True)
class Scope:
    """What an expression may name: `$variables`, functions written as expressions, the document."""

    variables: Mapping[str, Value]
    functions: Mapping[str, "Compiled"]
    document: Value

    def called(self, name: str, told: list[Value]) -> Value:
        if name in self.functions:
            inner = Scope({**self.variables, "$args": told}, self.functions, self.document)
            return self.functions[name](self.document, inner)
        return _FUNCTIONS[name](*told)


def compiled(expression: str) -> Compiled:
    """The expression as a function of the value at hand. Raises `SyntaxError`."""
    parser = _Parser(expression)
    made = parser.expression(0)
    if parser.rest:
        raise SyntaxError(f"not understood: {parser.rest[0]}")
    return made


def is_true(value: Value) -> bool:
    """Null, false, nothing and the empty are false."""
    return bool(value)


class _Parser:
    def __init__(self, text: str) -> None:
        self.rest: list[tuple[str, str]] = []
        place = 0
        text = text.rstrip()
        while place < len(text):
            found = _TOKEN.match(text, place)
            if found is None:
                raise SyntaxError(text[place : place + 20])
            kind = str(found.lastgroup)
            self.rest.append((kind, found[kind]))
            place = found.end()

    def expression(self, power: int) -> Compiled:
        left = self._first(*self.rest.pop(0))
        while power < self._power():
            left = self._next(left, self.rest.pop(0)[1])
        return left

    def _power(self) -> int:
        kind, said = self.rest[0] if self.rest else ("", "")
        return _BINDS.get(said, 0) if kind == "sign" else 0

    def _first(self, kind: str, said: str) -> Compiled:
        match kind:
            case "text" | "json" | "number":
                value = json.loads(f'"{said}"' if kind == "text" else said)
                return lambda at, scope: value
            case "quoted":
                return _field(said)
            case "name":
                return self._named(said)
        match said:
            case "@":
                return _itself
            case "!":
                inner = self.expression(8)
                return lambda at, scope: not is_true(inner(at, scope))
            case "(":
                inner = self.expression(0)
                self._expect(")")
                return inner
            case "[?" | "[]":
                return self._next(_itself, said)
            case "[" if self.rest[0][0] == "number" and self.rest[1][1] == "]":
                return self._next(_itself, "[")
            case "[":
                return self._listed("]", lambda made, scope: made)
            case "{":
                return self._object()
        raise SyntaxError(said)

    def _named(self, said: str) -> Compiled:
        if said.startswith("$"):
            return lambda at, scope: scope.variables.get(said)
        if self.rest[:1] != [("sign", "(")]:
            return _field(said)
        self.rest.pop(0)
        if said == "if":
            parts = self._parts(")")
            return lambda at, scope: parts[1 if is_true(parts[0](at, scope)) else 2](at, scope)
        return self._listed(")", lambda made, scope: scope.called(said, made))

    def _listed(self, end: str, done: Callable[[list[Value], Scope], Value]) -> Compiled:
        parts = self._parts(end)
        return lambda at, scope: done([part(at, scope) for part in parts], scope)

    def _object(self) -> Compiled:
        members = {}
        said = ","
        while said == ",":
            name = self.rest.pop(0)[1]
            self._expect(":")
            members[name] = self.expression(0)
            said = self.rest.pop(0)[1]
        return lambda at, scope: {name: each(at, scope) for name, each in members.items()}

    def _parts(self, end: str) -> list[Compiled]:
        parts = []
        while self.rest[0] != ("sign", end):
            parts.append(self.expression(0))
            if self.rest[0] == ("sign", ","):
                self.rest.pop(0)
        self.rest.pop(0)
        return parts

    def _next(self, left: Compiled, said: str) -> Compiled:
        match said:
            case "[?":
                condition = self.expression(0)
                self._expect("]")
                return _projected(_filtered(left, condition), self._projection(_BINDS["[?"]))
            case "[]":
                return _projected(_flattened(left), self._projection(_FLATTEN))
            case "[":
                index = int(self.rest.pop(0)[1])
                self._expect("]")
                return lambda at, scope: _item(left(at, scope), index)
        right = self.expression(_BINDS[said])
        match said:
            case "." | "|":
                return lambda at, scope: right(left(at, scope), scope)
            case "||":
                return lambda at, scope: left(at, scope) or right(at, scope)
            case "&&":
                return lambda at, scope: left(at, scope) and right(at, scope)
        return lambda at, scope: _COMPARED[said](left(at, scope), right(at, scope))

    def _projection(self, power: int) -> Compiled:
        """What is done with each item of a list that was just made."""
        if self._power() <= _FLATTEN:
            return _itself
        if self.rest[0][1] == ".":
            self.rest.pop(0)
            return self.expression(power)
        return self.expression(power)

    def _expect(self, said: str) -> None:
        if self.rest.pop(0) != ("sign", said):
            raise SyntaxError(f"{said} is missing")


def _itself(at: Value, scope: Scope) -> Value:
    return at


def _field(name: str) -> Compiled:
    return lambda at, scope: at.get(name) if isinstance(at, dict) else None


def _item(found: Value, index: int) -> Value:
    return found[index] if isinstance(found, list) and index < len(found) else None


def _filtered(left: Compiled, condition: Compiled) -> Compiled:
    def made(at: Value, scope: Scope) -> Value:
        found = left(at, scope)
        if not isinstance(found, list):
            return None
        return [item for item in found if is_true(condition(item, scope))]

    return made


def _flattened(left: Compiled) -> Compiled:
    def made(at: Value, scope: Scope) -> Value:
        found = left(at, scope)
        if not isinstance(found, list):
            return None
        return [inner for item in found for inner in (item if isinstance(item, list) else [item])]

    return made


def _projected(left: Compiled, right: Compiled) -> Compiled:
    def made(at: Value, scope: Scope) -> Value:
        found = left(at, scope)
        return None if found is None else [right(item, scope) for item in found]

    return made


def _is_same(a: Value, b: Value) -> bool:
    return isinstance(a, bool) == isinstance(b, bool) and bool(a == b)


def _ordered(compare: Callable[[Value, Value], bool]) -> Callable[[Value, Value], bool]:
    """Numbers as numbers, texts as texts; of anything else no order is known."""

    def made(a: Value, b: Value) -> bool:
        if isinstance(a, int | float) or isinstance(b, int | float):
            return compare(float(a), float(b))
        return isinstance(a, str) and isinstance(b, str) and compare(a, b)

    return made


_COMPARED: dict[str, Callable[[Value, Value], Value]] = {
    "==": _is_same,
    "!=": lambda a, b: not _is_same(a, b),
    "<": _ordered(lambda a, b: a < b),
    ">": _ordered(lambda a, b: a > b),
    "<=": _ordered(lambda a, b: a <= b),
    ">=": _ordered(lambda a, b: a >= b),
    "*": lambda a, b: float(a) * float(b),
}
_TYPES = {"str": "string", "dict": "object", "list": "array", "bool": "boolean", "NoneType": "null"}
_FUNCTIONS: dict[str, Callable[..., Value]] = {
    "contains": lambda found, item: item in (found or ""),
    "endsWith": lambda text, end: (text or "").endswith(end),
    "startsWith": lambda text, start: (text or "").startswith(start),
    "keys": lambda found: list(found or ()),
    "values": lambda found: list((found or {}).values()),
    "length": lambda found: len(found or ()),
    "notNull": lambda *told: next((each for each in told if each is not None), None),
    "split": lambda text, by: str(text).split(by),
    "type": lambda value: _TYPES.get(type(value).__name__, "number"),
}
