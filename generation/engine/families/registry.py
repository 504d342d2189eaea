"""The families that the engine serves."""

from __future__ import annotations

from typing import Any

from generation.engine.families.family import FamilySpec
from generation.engine.families.flux import FLUX
from generation.engine.families.sd3 import SD3
from generation.engine.families.sdxl import SDXL
from generation.engine.families.stable_diffusion import STABLE_DIFFUSION
from generation.engine.families.z_image import Z_IMAGE
from generation.engine.jobs import ModelNotLoadable

FAMILIES = (STABLE_DIFFUSION, SDXL, SD3, FLUX, Z_IMAGE)


def family_of(pipe: Any) -> FamilySpec:
    """By the name of its pipeline. Raises ModelNotLoadable."""
    name = type(pipe).__name__
    for family in FAMILIES:
        if name in family.pipelines:
            return family
    raise ModelNotLoadable(message=f"The engine knows no {name}.")
