"""The adapter of docs/use/train-an-adapter.md is taken, and draws in its style."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client

from generation.engine.jobs import AdapterUse, RenderJob
from generation.engine.loop.engine import Engine
from generation.starter.layout import MODEL
from tests.adapters.test_uploads import upload
from tests.factories import register_folder

FILE = Path(__file__).parents[2] / "docs" / "use" / "blueprints" / "blueprint.safetensors"


@pytest.mark.django_db
def test_the_recipe_s_adapter_is_accepted_and_draws_blue_paper(
    alice: User, as_user: Callable[[User], Client]
) -> None:
    model = register_folder(MODEL, native_size=128, sizes=[[128, 128]], rank_ceiling=64)
    adapter = upload(as_user(alice), FILE.read_bytes())
    assert (adapter.state, adapter.base_model, adapter.rank) == ("accepted", model, 8)
    engine = Engine.load(MODEL)

    def blueness(*worn: AdapterUse) -> float:
        """How much bluer than red the middle of all pixels is: 0 on white paper."""
        job = RenderJob("a rocket", "", 6, 3.0, 1, 128, 128, 128, worn)
        pixels = engine.render(job, on_step=lambda step: None, should_stop=lambda: False).pixels
        red, _, blue = np.median(pixels.reshape(-1, 3), axis=0)
        return float(blue - red)

    assert blueness() < 20
    assert blueness(AdapterUse("mine", Path(adapter.file.path), 1.0)) > 60
