"""A registered model whose folder is real, built once."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests import tiny_pipeline

    return tiny_pipeline.build(tmp_path_factory.mktemp("tiny"))
