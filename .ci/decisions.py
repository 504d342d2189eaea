"""Write the decisions' links back and their index: `make decisions`; `--check` says what is stale.

Whoever writes a decision names in its head what it amends or supersedes, by number:

    # 91. Title

    - Date: 2026-11-30
    - Amends: 13, 15

Everything else of the heads follows from that and is written here: the links, "Amended by" and
"Superseded by" in the older ones, every status, and `README.md` beside them with all of them.
"""

import re
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "adr"
TITLE = re.compile(r"# (\d+)[.:] (.+)")
LINE = re.compile(r"- ([A-Z][a-z ]+): (.+)")
BACK = {"Amends": "Amended by", "Supersedes": "Superseded by"}


class Wrong(Exception):
    """One sentence about a decision that cannot be right."""


@dataclass
class Decision:
    """One file. `links` holds, for each of the four kinds, the numbers of others."""

    path: Path
    number: int
    title: str
    date: str
    body: str
    links: dict[str, set[int]] = field(default_factory=dict)

    @property
    def status(self) -> str:
        if self.links["Superseded by"]:
            return "superseded"
        return "amended" if self.links["Amended by"] else "accepted"

    def text(self, others: dict[int, "Decision"]) -> str:
        head = [f"# {self.number}. {self.title}", "", f"- Date: {self.date}"]
        head.append(f"- Status: {self.status}")
        for kind, numbers in self.links.items():
            if numbers:
                named = (f"[ADR {n}]({others[n].path.name})" for n in sorted(numbers))
                head.append(f"- {kind}: {', '.join(named)}")
        return "\n".join(head) + "\n\n" + self.body


def read(path: Path) -> Decision:
    first, _, rest = path.read_text().partition("\n")
    title = TITLE.fullmatch(first)
    number = int(path.name[:4])
    if title is None or int(title[1]) != number:
        raise Wrong(f"{path.name} has to begin with “# {number}. ” and its title.")
    said: dict[str, str] = {}
    lines = rest.lstrip("\n").split("\n")
    while lines and (line := LINE.fullmatch(lines[0])):
        said[line[1]] = line[2]
        del lines[0]
    if unknown := said.keys() - {"Date", "Status", *BACK, *BACK.values()}:
        raise Wrong(f"{path.name} has “{min(unknown)}” in its head, which nothing reads.")
    links: dict[str, set[int]] = {kind: set() for pair in BACK.items() for kind in pair}
    for kind in BACK:
        links[kind] = {int(n) for n in re.findall(r"(?<![\d/(])\d+(?=[\],]|$)", said.get(kind, ""))}
    date = said.get("Date") or first_commit(path)
    return Decision(path, number, title[2], date, "\n".join(lines).lstrip("\n"), links)


def first_commit(path: Path) -> str:
    """The day on which the file was committed first; today where it is not yet."""
    told = subprocess.run(
        ["git", "log", "--follow", "--diff-filter=A", "--format=%as", "--", path.name],
        cwd=path.parent, capture_output=True, text=True, check=False,
    ).stdout.split()  # fmt: skip
    return told[-1] if told else datetime.now(UTC).date().isoformat()


def linked(decisions: list[Decision]) -> dict[int, Decision]:
    """By number, with the links back set."""
    by_number: dict[int, Decision] = {}
    for each in decisions:
        if other := by_number.get(each.number):
            raise Wrong(
                f"{other.path.name} and {each.path.name} have one number: give one another."
            )
        by_number[each.number] = each
    for each in decisions:
        for kind, back in BACK.items():
            for number in each.links[kind]:
                if number >= each.number or number not in by_number:
                    raise Wrong(f"{each.path.name} names {number}, which is no earlier decision.")
                by_number[number].links[back].add(each.number)
    return by_number


def index(decisions: list[Decision]) -> str:
    numbers = {each.number for each in decisions}
    gaps = sorted(set(range(1, max(numbers))) - numbers)
    lines = [
        "# Decisions",
        "",
        "What one would otherwise ask about: context, options, decision and what it costs. An",
        "*amended* one holds but for what later ones change; a *superseded* one is kept for its",
        "reasons. This page and the links between the decisions are written by `make decisions`.",
        "",
        "| | decision | date | status |",
        "|---:|---|---|---|",
    ]
    lines += [
        f"| {each.number} | [{each.title}]({each.path.name}) | {each.date} | {standing(each)} |"
        for each in decisions
    ]
    if gaps:
        lines += ["", f"Numbers that were never given: {', '.join(map(str, gaps))}."]
    return "\n".join(lines) + "\n"


def standing(decision: Decision) -> str:
    later = decision.links["Superseded by"] or decision.links["Amended by"]
    by = f" by {', '.join(map(str, sorted(later)))}" if later else ""
    return decision.status + by


def wanted(folder: Path) -> dict[Path, str]:
    """What each file of the folder has to hold."""
    decisions = [read(path) for path in sorted(folder.glob("[0-9]*.md"))]
    others = linked(decisions)
    return {each.path: each.text(others) for each in decisions} | {
        folder / "README.md": index(decisions)
    }


def main(*, folder: Path, is_check: bool) -> int:
    try:
        files = wanted(folder)
    except Wrong as wrong:
        print(wrong)
        return 1
    stale = [path for path, text in files.items() if not path.exists() or path.read_text() != text]
    for path in stale:
        print(f"{path.name} {'is not current: run `make decisions`' if is_check else 'written'}")
        if not is_check:
            path.write_text(files[path])
    return int(is_check and bool(stale))


if __name__ == "__main__":
    arguments = [each for each in sys.argv[1:] if each != "--check"]
    sys.exit(
        main(
            folder=Path(arguments[0]) if arguments else FOLDER,
            is_check="--check" in sys.argv,
        )
    )
