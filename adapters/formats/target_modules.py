"""A model's layers as adapters see them, and how a name in a file leads to them.

The families' layers are data (`families/*.json`); a registered model brings its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

from adapters.formats import adapted_layers, key_formats
from adapters.formats import spelling_rules as rules

FAMILY_NAMES = {
    "starter": "the Proofsheet starter",
    "sd15": "Stable Diffusion 1.5",
    "sd21": "Stable Diffusion 2.1",
    "sdxl": "Stable Diffusion XL",
    "flux": "Flux",
    "sd35-medium": "Stable Diffusion 3.5 Medium",
    "sd3-medium": "Stable Diffusion 3 Medium",
    "sd35-large": "Stable Diffusion 3.5 Large",
    "z-image": "Z-Image",
}
FAMILIES = tuple(FAMILY_NAMES)
# Of families whose authors' code names the layers in another way than diffusers does.
ORIGINAL = {
    "flux": rules.BFL,
    "sd3-medium": rules.SD3,
    "sd35-medium": rules.SD3,
    "sd35-large": rules.SD3,
    "z-image": rules.Z_IMAGE,
}
MAIN = ("unet", "transformer")
SCALE_FIRST = re.compile(r"^norm_out\.linear$|\.norm1_context\.linear$")
FOLDER = Path(__file__).parent.parent / "families"
Spelling = Literal["native", "ldm", "original", "xlabs", "fused"]


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer: sizes in and out; `kernel` is 0 for a linear layer, else a convolution's side."""

    component: str
    path: str
    inputs: int
    outputs: int
    kernel: int = 0

    @property
    def name(self) -> str:
        return f"{self.component}.{self.path}"

    @property
    def is_served(self) -> bool:
        """Whether the engine has a slot for it."""
        return adapted_layers.takes_adapters(self.component, self.path, kernel=self.kernel)


@dataclass(frozen=True, slots=True)
class Target:
    """What a name in a file means: usually one layer, with fused layers several."""

    layers: tuple[Layer, ...]
    spelling: Spelling

    @property
    def is_shift_first(self) -> bool:
        """Whether the rows for shift lie before those for scale, as the original code has them in
        a modulation of these two alone, and diffusers has not."""
        layer = self.layers[0]
        is_modulation = layer.outputs == 2 * layer.inputs and SCALE_FIRST.search(layer.path)
        return self.spelling == "original" and bool(is_modulation)

    @property
    def inputs(self) -> int:
        return self.layers[0].inputs

    @property
    def outputs(self) -> int:
        return sum(layer.outputs for layer in self.layers)

    @property
    def kernel(self) -> int:
        return self.layers[0].kernel


@dataclass(frozen=True)
class Layout:
    """The layers of one family or one model. Look names up with `find`."""

    family: str
    layers: tuple[Layer, ...]
    _index: dict[tuple[str, str], Target] = field(repr=False)

    @classmethod
    def of(cls, family: str, components: Mapping[str, Mapping[str, Sequence[int]]]) -> Layout:
        layers = tuple(
            Layer(component, path, *size)
            for component, sizes in components.items()
            for path, size in sizes.items()
        )
        return cls(family, layers, _index(family, layers))

    def find(self, component: str, name: str) -> Target | None:
        """The layer of a component ("main" is the UNet or transformer, "" any) by its dotted name,
        or by kohya's, in which every dot is an underscore."""
        for candidate in (component,) if component else ("main", "text_encoder", "text_encoder_2"):
            if found := self._index.get((candidate, name)):
                return found
        return None


def _index(family: str, layers: tuple[Layer, ...]) -> dict[tuple[str, str], Target]:
    index: dict[tuple[str, str], Target] = {}
    main = {layer.path: layer for layer in layers if layer.component in MAIN}
    for alias, path in key_formats.ldm(main).items():
        _add(index, "main", alias, Target((main[path],), "ldm"))
    taken = {path: layer.inputs for path, layer in main.items()}
    spelt: dict[Spelling, dict[str, tuple[str, ...]]] = {
        "original": rules.names(taken, ORIGINAL.get(family, rules.Spelling())),
        "xlabs": key_formats.xlabs(main),
        "fused": rules.names(taken, rules.FUSED),
    }
    for spelling, names in spelt.items():
        for alias, paths in names.items():
            _add(index, "main", alias, Target(tuple(main[path] for path in paths), spelling))
    for layer in layers:
        target = Target((layer,), "native")
        if layer.component in MAIN:
            _add(index, "main", layer.path, target)
        else:
            bare = layer.path.removeprefix("text_model.")
            _add(index, layer.component, bare, target)
            _add(index, layer.component, f"text_model.{bare}", target)
    return index


def _add(index: dict[tuple[str, str], Target], component: str, name: str, target: Target) -> None:
    index[component, name] = index[component, name.replace(".", "_")] = target


@cache
def of_family(family: str) -> Layout:
    """The layers of a served family, from its file in `families/`."""
    return Layout.of(family, json.loads((FOLDER / f"{family}.json").read_text()))
