"""What we ask for and what is installed agree, to the version."""

import re
from importlib.metadata import distribution

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from config.services import ROOT


def _lines(name: str) -> list[Requirement]:
    lines = (ROOT / name).read_text().splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


LOCK = {canonicalize_name(line.name): line for line in _lines("requirements.lock")}


def test_the_lock_holds_one_exact_version_of_each() -> None:
    assert len(LOCK) == len(_lines("requirements.lock"))
    for line in LOCK.values():
        assert re.fullmatch(r"==[^*,]+", str(line.specifier)), str(line)


@pytest.mark.parametrize("wanted", _lines("requirements.txt"), ids=str)
def test_the_lock_satisfies_what_is_asked_for(wanted: Requirement) -> None:
    locked = str(LOCK[canonicalize_name(wanted.name)].specifier).removeprefix("==")
    assert wanted.specifier.contains(locked)


@pytest.mark.parametrize("name", sorted(LOCK))
def test_the_lock_holds_all_that_a_package_needs(name: str) -> None:
    """Nothing is left for the installer to choose: each dependency is locked, CUDA excepted."""
    for text in distribution(name).requires or ():
        need = Requirement(text)
        if need.marker and not need.marker.evaluate({"extra": ""}):
            continue
        needed = canonicalize_name(need.name)
        if name == "torch" and (needed.startswith(("nvidia-", "cuda-")) or needed == "triton"):
            continue
        assert needed in LOCK, f"{name} needs {text}"


def test_the_lock_holds_no_cuda_packages() -> None:
    assert not [name for name in LOCK if name.startswith(("nvidia-", "cuda-", "triton"))]
