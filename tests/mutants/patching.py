"""An edit put into a module that is already imported, and taken out again: no file changes, and
what holds one of its functions (decorators, receivers, tasks) holds the changed one too.
"""

from __future__ import annotations

import ast
import functools
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType, FunctionType, ModuleType
from typing import Any

from tests.mutants.edits import Edit


def can_be_patched(edit: Edit, text: str, path: str) -> bool:
    """Whether the edit changes what is executed, and a living function can take it over."""
    if edit.is_constant:
        return True
    pairs = _changed(text, edit.applied(text), path)
    return bool(pairs) and all(old.co_freevars == new.co_freevars for old, new in pairs)


@contextmanager
def patched(module: ModuleType, edit: Edit, text: str) -> Iterator[None]:
    """The module as if `edit` stood in its file. Constants are changed where other modules of the
    project imported them, too."""
    assert module.__file__
    undo = (_constant if edit.is_constant else _functions)(module, edit, text, module.__file__)
    _forget_results(module)
    try:
        yield
    finally:
        for holder, name, value in undo:
            setattr(holder, name, value)
        _forget_results(module)


def _functions(
    module: ModuleType, edit: Edit, text: str, path: str
) -> list[tuple[Any, str, object]]:
    changed = {_name(old): new for old, new in _changed(text, edit.applied(text), path)}
    undo: list[tuple[Any, str, object]] = []
    for function in _living(path):
        code = function.__code__
        if (new := changed.get(_name(code))) is not None:
            undo.append((function, "__code__", code))
            function.__code__ = new
    if not undo:
        raise LookupError(f"nothing alive is called {edit.where} in {module.__name__}")
    return undo


def _constant(
    module: ModuleType, edit: Edit, text: str, path: str
) -> list[tuple[Any, str, object]]:
    statement = next(
        node
        for node in ast.parse(edit.applied(text)).body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        and node.lineno <= edit.line <= (node.end_lineno or 0)
    )
    assert statement.value is not None
    code = compile(ast.Expression(statement.value), path, "eval")
    old, new = getattr(module, edit.where), eval(code, dict(vars(module)))
    undo: list[tuple[Any, str, object]] = []
    for holder in list(sys.modules.values()):
        if holder is not None and vars(holder).get(edit.where, undo) is old:
            undo.append((holder, edit.where, old))
            setattr(holder, edit.where, new)
    return undo + _defaults(edit.where, new, text, path)


def _defaults(name: str, new: object, text: str, path: str) -> list[tuple[Any, str, object]]:
    """Let what is keyword-only and defaults to the constant default to its new value."""
    named = {
        (function.name, argument.arg)
        for function in ast.walk(ast.parse(text))
        if isinstance(function, ast.FunctionDef)
        for argument, value in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)
        if isinstance(value, ast.Name) and value.id == name
    }
    undo: list[tuple[Any, str, object]] = []
    for function in _living(path) if named else ():
        usual = function.__kwdefaults__ or {}
        changed = {key: new for key in usual if (function.__name__, key) in named}
        if changed:
            undo.append((function, "__kwdefaults__", usual))
            function.__kwdefaults__ = usual | changed
    return undo


def _living(path: str) -> list[FunctionType]:
    """Every function of the module that something holds."""
    gc.unfreeze()  # what a start has frozen is not among the objects
    every = [one for one in gc.get_objects() if type(one) is FunctionType]
    return [function for function in every if function.__code__.co_filename == path]


def _forget_results(module: ModuleType) -> None:
    for kept in vars(module).values():
        if isinstance(kept, functools._lru_cache_wrapper):
            kept.cache_clear()


def _name(code: CodeType) -> tuple[str, int]:
    return code.co_qualname, code.co_firstlineno


def _changed(text: str, edited: str, path: str) -> list[tuple[CodeType, CodeType]]:
    """Code before and after, of every function that differs and of those around it."""
    old, new = (compile(each, path, "exec", dont_inherit=True) for each in (text, edited))
    return [
        (one, other)
        for one, other in _pairs(old, new)
        if one != other and one.co_name != "<module>"
    ]


def _pairs(old: CodeType, new: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    yield old, new
    after = {_name(code): code for code in new.co_consts if isinstance(code, CodeType)}
    for code in old.co_consts:
        if isinstance(code, CodeType) and (other := after.get(_name(code))) is not None:
            yield from _pairs(code, other)
