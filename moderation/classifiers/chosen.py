"""Which classifiers screen: those that ship, or models of one's own that the settings name.

Readable without torch: the web process asks for the label under which a prompt's scores are cached,
and loads nothing. A model is pinned, a hub id to a commit and a folder to the digest of its files,
so that a label always means the same numbers.
"""

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from moderation.classifiers import heads

Kind = Literal["prompt", "image"]
KINDS: tuple[Kind, ...] = ("prompt", "image")
KEYS = {"model", "revision", "labels", "device"}


class ClassifierInvalid(ValueError):
    """The setting names no model that could screen; the message says what is wrong."""


class ClassifierChanged(RuntimeError):
    """The folder's files are not those that the setting pins."""


@dataclass(frozen=True, slots=True)
class ChosenModel:
    """A model that transformers loads. `labels` are (label of the model, category of the policy);
    labels that are not named count for nothing.
    """

    source: str
    revision: str
    labels: tuple[tuple[str, str], ...]
    device: str = "cpu"

    @property
    def name(self) -> str:
        return self.source.rstrip("/").rsplit("/", 1)[-1][:40]

    @property
    def version(self) -> str:
        return self.revision[:12]

    @property
    def is_folder(self) -> bool:
        return self.source.startswith(("/", "."))


_chosen: dict[Kind, ChosenModel] = {}


def use(kind: Kind, model: ChosenModel | None) -> None:
    """Screen with this model from now on; None for the classifier that ships."""
    _chosen.pop(kind, None)
    if model is not None:
        _chosen[kind] = model


def of(kind: Kind) -> ChosenModel | None:
    """The model that the settings chose for this kind; None for the one that ships."""
    return _chosen.get(kind)


def prompt_label() -> str:
    """Name and version of the classifier that scores prompts."""
    model = of("prompt")
    return f"{model.name} {model.version}" if model else f"{heads.NAME} {heads.version()}"


def parse(said: Mapping[str, Any], *, categories: Collection[str]) -> ChosenModel:
    """A model from ``{"model": …, "revision": …, "labels": {label: category}, "device": …}``.

    Raises ClassifierInvalid.
    """
    if unknown := set(said) - KEYS:
        raise ClassifierInvalid(f"unknown keys {sorted(unknown)}")
    source, revision = str(said.get("model", "")), str(said.get("revision", ""))
    labels = said.get("labels")
    if not source or not isinstance(labels, Mapping) or not labels:
        raise ClassifierInvalid("a classifier needs a model and its labels")
    if strangers := set(labels.values()) - set(categories):
        raise ClassifierInvalid(f"the policy has no categories {sorted(map(str, strangers))}")
    made = ChosenModel(
        source, revision, tuple(sorted(labels.items())), str(said.get("device", "cpu"))
    )
    if not re.fullmatch(r"[0-9a-f]{64}" if made.is_folder else r"[0-9a-f]{40}", revision):
        raise ClassifierInvalid(
            "pin a folder with the digest that `manage.py classifier_digest` prints, a hub id with "
            "the 40 digits of its commit"
        )
    return made


def digest(folder: Path) -> str:
    """SHA-256, hexadecimal, over the names and contents of a folder's files."""
    total = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        total.update(f"{content}  {path.relative_to(folder).as_posix()}\n".encode())
    return total.hexdigest()
