"""How the house is built, in figures: `make house`.

Production modules of the five rooms, migrations left out; `test_measures.py` holds what each figure
must be.

What a change of a page touches is told in two ways. By structure, of every page: its template and
the modules that render it. By the history: of each commit that changed one page's template and
added no file, how many files of rooms and templates it touched; tests and documents come on top.
"""

import ast
import statistics
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grimp

ROOMS = ("config", "generation", "adapters", "moderation", "provenance")
ROOT = Path(__file__).resolve().parents[2]
# Distributions of their own, which say in their own words what the house calls otherwise.
OTHERS = (ROOT / "generation" / "client",)
LAID_OUT = "0a35f7e"  # the commit that gave each room its folders
OF_ROOMS = tuple(f"{name}/" for name in (*ROOMS, "templates"))
# Django finds these by their name; one a room, or one a command.
NAMED_BY_DJANGO = {"Command", "Meta"}
# Templates that a library's own views render, under the names that it gives them.
OF_LIBRARIES = {
    "account",
    "admin",
    "drf_spectacular",
    "mfa",
    "socialaccount",
    "unfold",
    "usersessions",
}


@dataclass(frozen=True, slots=True)
class Function:
    """`lines` counts from the first decorator to the last line."""

    where: str
    lines: int


def files() -> list[Path]:
    """Production modules of the house, migrations left out."""
    found = (path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
    ours = (path for path in found if not any(path.is_relative_to(other) for other in OTHERS))
    return sorted(path for path in ours if "migrations" not in path.parts)


def modules_by_folder() -> Counter[str]:
    """How many modules lie in each folder, `__init__.py` not counted."""
    modules = (path for path in files() if path.name != "__init__.py")
    return Counter(str(path.parent.relative_to(ROOT)) for path in modules)


def lines_by_file() -> Counter[str]:
    """How long each module is, blank lines and comments included."""
    return Counter(
        {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in files()}
    )


def loops() -> list[str]:
    """Siblings of one package that import each other in a circle, lazy imports included."""
    graph = grimp.build_graph(*ROOMS, cache_dir=None, exclude_type_checking_imports=True)
    edges: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            shared = _shared_package(module, imported)
            ours, theirs = module[len(shared) :].split(".")[1:2], imported[len(shared) :].split(".")
            if ours and theirs[1:2]:
                edges[shared][ours[0]].add(theirs[1])
    return sorted(
        f"{package}: {', '.join(loop)}"
        for package, siblings in edges.items()
        if package
        for loop in _circles(siblings)
    )


def _shared_package(one: str, other: str) -> str:
    shared = []
    for ours, theirs in zip(one.split("."), other.split("."), strict=False):
        if ours != theirs:
            break
        shared.append(ours)
    return ".".join(shared)


def _circles(siblings: dict[str, set[str]]) -> list[list[str]]:
    """Sets of siblings, each of which reaches all of its set."""
    reached = {each: _reached(each, siblings) for each in siblings}
    found = {
        tuple(sorted(other for other in reached[each] if each in reached.get(other, ())))
        for each in siblings
        if each in reached[each]
    }
    return [list(circle) for circle in sorted(found)]


def _reached(start: str, siblings: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(siblings.get(start, ()))
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting += siblings.get(each, ())
    return found


def lazy_imports() -> list[str]:
    """Imports of our own modules inside functions, without a comment that says why."""
    found = []
    for path in files():
        lines = path.read_text().splitlines()
        for function in _functions(ast.parse(path.read_text())):
            for node in ast.walk(function):
                if isinstance(node, ast.Import | ast.ImportFrom) and _is_ours(node):
                    before = lines[node.lineno - 2].strip()
                    if "#" not in lines[node.lineno - 1] and not before.startswith("#"):
                        found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    return sorted(set(found))


def _is_ours(node: ast.Import | ast.ImportFrom) -> bool:
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module]
    return any(name and name.split(".")[0] in ROOMS for name in names)


def repeated_classes() -> dict[str, list[str]]:
    """Names of a module's own classes that are defined in more than one place."""
    places: dict[str, list[str]] = defaultdict(list)
    for path in files():
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and node.name not in NAMED_BY_DJANGO:
                places[node.name].append(f"{path.relative_to(ROOT)}:{node.lineno}")
    return {name: found for name, found in sorted(places.items()) if len(found) > 1}


def functions() -> list[Function]:
    """Every function and method."""
    found = []
    for path in files():
        for node in _functions(ast.parse(path.read_text())):
            start = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            lines = (node.end_lineno or node.lineno) - start + 1
            found.append(Function(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", lines))
    return sorted(found, key=lambda each: -each.lines)


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def undocumented() -> tuple[list[str], int]:
    """Public functions of modules without a docstring, and how many there are in all.

    A method counts with its class, whose docstring says what it is for; views, tasks and commands
    count like any other function. Serializers do not: their docstrings are the API's own text. An
    error whose sentence for people stands in it (`default_message`) has said what it is.
    """
    bare, total = [], 0
    for path in files():
        for node in ast.parse(path.read_text()).body:
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                continue
            is_serializer = isinstance(node, ast.ClassDef) and node.name.endswith("Serializer")
            if node.name.startswith("_") or node.name in NAMED_BY_DJANGO or is_serializer:
                continue
            total += 1
            if ast.get_docstring(node) is None and "default_message" not in _assigned(node):
                bare.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}")
    return bare, total


def _assigned(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    """Names that the body of a class gives values to."""
    targets = (
        target for each in node.body if isinstance(each, ast.Assign) for target in each.targets
    )
    return {target.id for target in targets if isinstance(target, ast.Name)}


@dataclass(frozen=True, slots=True)
class ShownPage:
    """A template of our own, and the modules that render it: what a change of the page touches."""

    template: str
    views: tuple[str, ...]

    @property
    def is_found(self) -> bool:
        """Whether a noun of the template is one of its only view's path; the room is none."""
        path = "_".join(self.views).removesuffix(".py").replace("/", "_")
        folder, _, name = self.template.removesuffix(".html").partition("/")
        nouns = _nouns(name if folder in ROOMS else f"{folder}_{name}")
        return len(self.views) == 1 and bool(nouns & _nouns(path))


def shown_pages() -> list[ShownPage]:
    """Every page of the five rooms; a library's, what others extend and fragments are none."""
    texts = {str(path.relative_to(ROOT)): path.read_text() for path in files()}
    found = []
    for path in sorted((ROOT / "templates").glob("*/*.html")):
        name = f"{path.parent.name}/{path.name}"
        is_page = path.parent.name not in OF_LIBRARIES and not path.name.startswith("_")
        if is_page and not path.stem.endswith("base"):
            views = [where for where, text in texts.items() if f'"{name}' in text]
            found.append(ShownPage(name, tuple(views)))
    return found


def page_commits() -> list[int]:
    """By the history since the rooms were laid out: production files of each commit that changed
    one page and added no file. Empty where the history is not there."""
    command = ["git", "log", "--no-merges", "--name-status", "--format=tformat:@"]
    asked = [*command, f"{LAID_OUT}..HEAD"]
    log = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True).stdout
    found = []
    for commit in log.split("@\n"):
        rows = [row.split("\t") for row in commit.splitlines() if "\t" in row]
        ours = [(how, Path(name)) for how, *_, name in rows if name.startswith(OF_ROOMS)]
        pages = [path for _, path in ours if path.suffix == ".html" and path.name[0] != "_"]
        if len(pages) == 1 and all(how == "M" for how, _ in ours):
            found.append(len(ours))
    return found


def _nouns(name: str) -> set[str]:
    """Words of a file's name, one or many alike."""
    return {word.removesuffix("s") for word in name.split("_")}


def lines_of_code() -> int:
    """Lines of production code, blank ones and comments left out."""
    return sum(
        1
        for path in files()
        for line in path.read_text().splitlines()
        if line.strip() and not line.strip().startswith("#")
    )


def main() -> None:
    """Print the figures, and what falls short of them by its place."""
    folders, sizes = modules_by_folder(), [each.lines for each in functions()]
    fullest, most = folders.most_common(1)[0]
    found_loops, lazy, repeated = loops(), lazy_imports(), repeated_classes()
    bare, public = undocumented()
    print(f"modules in the fullest folder      {most} ({fullest})")
    longest, lines = lines_by_file().most_common(1)[0]
    print(f"lines of the longest file          {lines} ({longest})")
    print(f"import loops                       {len(found_loops)}")
    print(f"lazy imports without reason        {len(lazy)}")
    print(f"class names defined more than once {len(repeated)}")
    tenth = statistics.quantiles(sizes, n=10)[-1]
    print(
        f"function median / p90 / max lines  {statistics.median(sizes):g} / {tenth:g} / {sizes[0]}"
    )
    print(f"public docstrings                  {100 * (1 - len(bare) / public):.0f} %")
    shown = shown_pages()
    touched = max(1 + len(page.views) for page in shown)
    print(f"files that a page's change touches {touched} (of {len(shown)} pages)")
    commits = page_commits()
    print(
        f"files of {len(commits)} such commits           "
        f"{statistics.median(commits or [0]):g} (median), {max(commits, default=0)} (most)"
    )
    print(f"production modules, lines of code  {len(files())}, {lines_of_code()}")
    for page in shown:
        if not page.is_found:
            print("page far from its view:", page.template, *page.views)
    for loop in found_loops:
        print("loop:", loop)
    for place in lazy:
        print("lazy:", place)
    for name, places in repeated.items():
        print("twice:", name, *places)
    for each in functions():
        if each.lines > 45:
            print("long:", each.where, each.lines)
    for place in bare:
        print("no docstring:", place)


if __name__ == "__main__":
    main()
