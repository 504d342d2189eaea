"""What we ask for, what is locked and what is installed agree, to the version and the file."""

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from config.launch.embedded_servers import ROOT
from tests.house import measures


@dataclass(frozen=True, slots=True)
class Locked:
    requirement: Requirement
    hashes: tuple[str, ...]

    @property
    def version(self) -> str:
        return str(self.requirement.specifier).removeprefix("==")


def _asked(name: str) -> list[Requirement]:
    lines = (ROOT / name).read_text().splitlines()
    return [Requirement(line) for line in lines if line and line[0] not in "#-"]


def _locked(name: str) -> dict[str, Locked]:
    text = (ROOT / name).read_text()
    found: dict[str, Locked] = {}
    for entry in re.findall(r"^[A-Za-z0-9].*?(?=^[A-Za-z0-9]|\Z)", text, re.MULTILINE | re.DOTALL):
        requirement = Requirement(entry.partition("\\")[0].strip())
        key = canonicalize_name(requirement.name)
        assert key not in found, f"{key} stands twice in {name}"
        hashes = tuple(re.findall(r"--hash=sha256:([0-9a-f]{64})", entry))
        found[key] = Locked(requirement, hashes)
    return found


RUN, DEVELOPMENT, CUDA, CPU = (
    _locked(f"requirements{part}.lock") for part in ("", "-dev", "-cuda", "-cpu")
)
HERE = RUN | DEVELOPMENT


@pytest.mark.parametrize("name", sorted(RUN | DEVELOPMENT | CUDA))
def test_the_locks_hold_one_exact_version_of_each_with_its_files(name: str) -> None:
    entry = (RUN | DEVELOPMENT | CUDA)[name]
    assert re.fullmatch(r"==[^*,]+", str(entry.requirement.specifier))
    assert entry.hashes


def test_no_package_stands_in_two_locks() -> None:
    assert not (RUN.keys() & DEVELOPMENT.keys() | (RUN | DEVELOPMENT).keys() & CUDA.keys())


@pytest.mark.parametrize(
    ("wanted", "lock"),
    [(wanted, RUN) for wanted in _asked("requirements.txt")]
    + [(wanted, DEVELOPMENT) for wanted in _asked("requirements-dev.txt")],
    ids=str,
)
def test_the_lock_satisfies_what_is_asked_for(wanted: Requirement, lock: dict[str, Locked]) -> None:
    assert wanted.specifier.contains(lock[canonicalize_name(wanted.name)].version)


@pytest.mark.parametrize("name", sorted(HERE))
def test_the_locks_hold_all_that_a_package_needs(name: str) -> None:
    """Nothing is left for the installer to choose. What only runs needs nothing of the tools."""
    room = RUN if name in RUN else HERE
    for text in distribution(name).requires or ():
        need = Requirement(text)
        if need.marker and not need.marker.evaluate({"extra": ""}):
            continue
        needed = canonicalize_name(need.name)
        assert needed in room or needed in CUDA, f"{name} needs {text}"


def test_torch_without_cuda_is_the_same_version() -> None:
    """It satisfies the lock of what runs, so that pip takes no other one after it."""
    [torch] = CPU.values()
    assert torch.hashes
    assert torch.version == f"{RUN['torch'].version}+cpu"
    assert RUN["torch"].requirement.specifier.contains(torch.version)


@pytest.mark.parametrize("name", sorted(HERE))
def test_what_is_installed_is_what_is_locked(name: str) -> None:
    """A build without CUDA has a local version."""
    assert distribution(name).version.partition("+")[0] == HERE[name].version


def test_a_production_install_brings_no_tools_and_no_cuda() -> None:
    tools = {canonicalize_name(wanted.name) for wanted in _asked("requirements-dev.txt")}
    assert not RUN.keys() & tools
    assert [name for name in HERE if name.startswith(("nvidia-", "cuda-", "triton"))] == []


def test_the_house_imports_nothing_but_what_production_installs() -> None:
    """Of the rooms' own imports: those at the top and those inside functions."""
    packages = packages_distributions()
    found = {
        (path.name, word)
        for path in measures.files()
        for word in re.findall(r"^\s*(?:import|from) (\w+)", path.read_text(), re.MULTILINE)
        if word in packages
        and not {canonicalize_name(name) for name in packages[word]} & RUN.keys()
    }
    assert not found


def test_the_bill_of_materials_names_every_locked_package_with_its_files(tmp_path: Path) -> None:
    """As `make sbom` makes it."""
    told = re.search(r"cyclonedx-py (.+?)-o var", (ROOT / "Makefile").read_text(), re.DOTALL)
    assert told
    program = Path(sys.executable).with_name("cyclonedx-py")
    made = tmp_path / "sbom.json"
    words = told[1].replace("\\\n", " ").split()
    subprocess.run([program, *words, "-o", made], cwd=ROOT, check=True, capture_output=True)
    bill = json.loads(made.read_text())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["component"]["name"] == "proofsheet"
    named = {part["name"]: part for part in bill["components"]}
    assert {canonicalize_name(name) for name in named} == RUN.keys()
    for name, part in named.items():
        entry = RUN[canonicalize_name(name)]
        assert part["version"] == entry.version
        told_hashes = {each["content"] for each in part["externalReferences"][0]["hashes"]}
        assert told_hashes == set(entry.hashes)
