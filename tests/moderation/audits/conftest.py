"""A tiny model and steered classifiers, as the rendering room's tests have them."""

from tests.generation.conftest import (  # noqa: F401 - fixtures
    clock,
    image_classifier,
    judged_once,
    prompt_classifier,
    tiny,
    tiny_folder,
)
