"""Small wrong changes of a module's text, one at a time, as a tired engineer would make them. Pure.

Kinds after DeMillo, Lipton and Sayward, "Hints on Test Data Selection", Computer 1978, and those
that Django code asks for: a queryset loses one of its calls. Texts, annotations, decorators and
defaults stay as they are.
"""

from __future__ import annotations

import ast
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

COMPARED = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
CALCULATED = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult, ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}  # fmt: skip
DROPPED = {
    "astimezone", "casefold", "distinct", "exclude", "filter", "lower", "order_by",
    "select_for_update", "strip",
}  # fmt: skip
SWAPPED = {"any": "all", "all": "any", "min": "max", "max": "min"}
TEXTS = (ast.JoinedStr, ast.Raise, ast.arguments, ast.Import, ast.ImportFrom)


@dataclass(frozen=True, slots=True)
class Edit:
    """Characters `start` to `end` of the text become `after`. `where` is the qualified name of the
    function around them, or the constant of the module that they are of.
    """

    start: int
    end: int
    line: int
    where: str
    is_constant: bool
    before: str
    after: str
    ordinal: int = 0
    """How many edits like it stand above it in the same function."""

    def applied(self, text: str) -> str:
        """The changed text, every other line at its number."""
        lines = "\n" * self.before.count("\n")
        is_statement = not lines or self.after == "pass"
        after = f"{self.after}{lines}" if is_statement else f"({self.after}{lines})"
        return text[: self.start] + after + text[self.end :]

    def key(self, name: str) -> str:
        """What stays the same when lines or folders move; also the order of drawing."""
        said = "\0".join((name, self.where, self.before, self.after, str(self.ordinal)))
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    def sentence(self) -> str:
        before, after = (" ".join(part.split()) for part in (self.before, self.after))
        return f"{before} → {after}"


@dataclass(frozen=True, slots=True)
class Scope:
    name: str = ""
    is_function: bool = False
    is_constant: bool = False

    def of(self, name: str, *, is_function: bool) -> Scope:
        prefix = f"{self.name}." if self.name else ""
        return Scope(f"{prefix}<locals>.{name}" if self.is_function else prefix + name, is_function)


Found = Iterator[tuple[ast.expr | ast.stmt, str, Scope]]


def edits_of(text: str) -> list[Edit]:
    """Every edit of a module's text."""
    raw, starts = text.encode(), [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line.encode()))

    def place(line: int | None, column: int | None) -> int:
        assert line is not None
        return len(raw[: starts[line - 1] + (column or 0)].decode())

    found = []
    alike: Counter[tuple[str, ...]] = Counter()
    for node, after, scope in _walk(ast.parse(text), Scope()):
        start = place(node.lineno, node.col_offset)
        end = place(node.end_lineno, node.end_col_offset)
        said = (scope.name, text[start:end], after)
        is_constant = scope.is_constant
        found.append(Edit(start, end, node.lineno, scope.name, is_constant, *said[1:], alike[said]))
        alike[said] += 1
    return found


def drawn(text: str, *, name: str, count: int) -> list[Edit]:
    """`count` edits of a module, at most one a line, the same ones for as long as their lines stay
    as they are."""
    by_line: dict[int, Edit] = {}
    for edit in sorted(edits_of(text), key=lambda edit: edit.key(name)):
        by_line.setdefault(edit.line, edit)
    return list(by_line.values())[:count]


def _walk(node: ast.AST, scope: Scope) -> Found:
    for name, value in ast.iter_fields(node):
        if name in {"decorator_list", "annotation", "returns"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _changes(child, scope)
                if not isinstance(child, TEXTS):
                    yield from _walk(child, _scope_of(child, scope))


def _scope_of(node: ast.AST, scope: Scope) -> Scope:
    match node:
        case ast.FunctionDef(name) | ast.AsyncFunctionDef(name):
            return scope.of(name, is_function=True)
        case ast.ClassDef(name):
            return scope.of(name, is_function=False)
        case ast.Assign([ast.Name(name)]) | ast.AnnAssign(ast.Name(name)) if not scope.name:
            return Scope(name, is_constant=True)
        case _:
            return scope


def _changes(node: ast.AST, scope: Scope) -> Found:
    """The edits at this very node."""
    if not scope.is_function and not (scope.is_constant and isinstance(node, ast.Constant)):
        return
    if isinstance(node, ast.expr):
        yield from ((node, after, scope) for after in _expressions(node))
    elif isinstance(node, ast.comprehension):
        yield from ((test, "True", scope) for test in node.ifs)
    elif isinstance(node, ast.stmt):
        yield from ((part, after, scope) for part, after in _statements(node))


def _expressions(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Compare(left, [op], [right]) if type(op) in COMPARED:
            yield ast.unparse(ast.Compare(left, [COMPARED[type(op)]()], [right]))
        case ast.Compare(left, [first, *ops], rights) if type(first) in COMPARED:
            yield ast.unparse(ast.Compare(left, [COMPARED[type(first)](), *ops], rights))
        case ast.BoolOp(op, values):
            other = ast.Or() if isinstance(op, ast.And) else ast.And()
            yield f"({ast.unparse(ast.BoolOp(other, values))})"
            yield f"({ast.unparse(ast.BoolOp(op, values[1:]) if len(values) > 2 else values[1])})"
        case ast.UnaryOp(ast.Not(), operand):
            yield f"({ast.unparse(operand)})"
        case ast.BinOp(left, op, right) if type(op) in CALCULATED and not _is_text(left, right):
            yield f"({ast.unparse(ast.BinOp(left, CALCULATED[type(op)](), right))})"
        case ast.IfExp(_, body, orelse):
            yield f"({ast.unparse(body)})"
            yield f"({ast.unparse(orelse)})"
        case ast.Constant(bool(value)):
            yield str(not value)
        case ast.Constant(int(value) | float(value)):
            yield repr(value + 1 if value < 10 else value * 10)
        case ast.Call(ast.Attribute(owner, method), _, _) if method in DROPPED:
            yield ast.unparse(owner)
        case ast.Call(ast.Name(name), arguments, words) if name in SWAPPED:
            yield ast.unparse(ast.Call(ast.Name(SWAPPED[name]), arguments, words))
        case _:
            return


def _is_text(*nodes: ast.expr) -> bool:
    return any(
        isinstance(node, ast.JoinedStr | ast.List)
        or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))
        for node in nodes
    )


def _statements(node: ast.stmt) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    match node:
        case ast.If(test):
            yield test, "False"
            yield test, "True"
        case ast.Expr(ast.Call()) | ast.Raise() | ast.AugAssign():
            yield node, "pass"
        case ast.Assign([ast.Attribute() | ast.Subscript()]):
            yield node, "pass"
        case ast.Break() | ast.Continue():
            yield node, "pass"
        case ast.Return(ast.expr() as value) if not isinstance(value, ast.Constant):
            yield value, "None"
        case _:
            return
