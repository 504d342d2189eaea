"""The pretrained encoder, written once, and what it says of the tiny curriculum."""

from __future__ import annotations

from pathlib import Path

import pytest

from generation.starter.networks import text_encoder
from generation.starter.training import lesson_states
from tests.starter import tiny_lesson


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline folder with the package's encoder and its tokenizer."""
    folder = tmp_path_factory.mktemp("pipeline")
    text_encoder.write(folder)
    return folder


@pytest.fixture(scope="session")
def kept(written: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("states")
    texts = ["", *(lesson.text for lesson in tiny_lesson.curriculum().lessons)]
    lesson_states.keep(texts, written, folder)
    return folder
