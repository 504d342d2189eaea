"""A registered model whose folder is real, built once."""

from pathlib import Path

import pytest

from tests.generation.conftest import clock as clock
from tests.generation.conftest import image_classifier as image_classifier
from tests.generation.conftest import prompt_classifier as prompt_classifier


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests import tiny_pipeline

    return tiny_pipeline.build(tmp_path_factory.mktemp("tiny"))
