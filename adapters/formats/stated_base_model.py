"""What an adapter's metadata says that it was trained for. Pure.

Metadata is hearsay: it decides no verdict, but where it contradicts the layers, or speaks where
they leave it open, the report says so. Sources: kohya's sd-scripts and musubi-tuner
(`ss_base_model_version`, `ss_network_module`), the Stability model metadata standard
(`modelspec.architecture`), ai-toolkit (`ss_base_model_version`, `software`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from adapters.formats.target_modules import FAMILY_NAMES

READ_CHARACTERS = 200
KEYS = ("ss_base_model_version", "modelspec.architecture", "ss_network_module")
# What a value says, by the first pattern that it holds; names of served families are `FAMILIES`'.
_PATTERNS: tuple[tuple[str, str], ...] = (
    (r"flux[._-]?2|klein", "FLUX.2"),
    (r"flux[._-]?3", "FLUX.3"),
    (r"chroma", "Chroma"),
    (r"qwen", "Qwen-Image"),
    (r"z[_-]?image", "z-image"),
    (r"stable[-_]diffusion[-_](v)?3|\bsd[-_]?3|sd3", "sd3"),
    (r"hunyuan[-_]?image", "HunyuanImage"),
    (r"hunyuan[-_]?dit", "HunyuanDiT"),
    (r"frame[-_]?pack|(?<![a-z])fpack", "HunyuanVideo FramePack"),
    (r"hunyuan|(?<![a-z])hv_|_hv$", "HunyuanVideo"),
    (r"sky[-_]?reels", "SkyReels V2"),
    (r"(?<![a-z])wan", "Wan"),
    (r"(?<![a-z])ltx", "LTX-Video"),
    (r"lumina", "Lumina"),
    (r"hidream", "HiDream"),
    (r"aura[-_]?flow", "AuraFlow"),
    (r"(?<![a-z])sana", "Sana"),
    (r"cogview", "CogView"),
    (r"cogvideo", "CogVideoX"),
    (r"(?<![a-z])mochi", "Mochi"),
    (r"kandinsky", "Kandinsky"),
    (r"(?<![a-z])krea[-_]?2", "Krea 2"),
    (r"ideogram", "Ideogram"),
    (r"ernie", "Ernie Image"),
    (r"(?<![a-z])anima(?![a-z])", "Anima"),
    (r"cosmos", "Cosmos"),
    (r"ace[-_]?step", "ACE-Step"),
    (r"minimax", "MiniMax H3"),
    (r"pixart", "PixArt"),
    (r"kolors", "Kolors"),
    (r"cascade|wuerstchen", "Stable Cascade"),
    (r"animatediff", "AnimateDiff"),
    (r"sdxl|stable[-_]diffusion[-_]xl", "sdxl"),
    (r"flux", "flux"),
    (r"sd_v?1|stable[-_]diffusion[-_]v?1|\bsd[-_]?15?\b|sd1\.5", "sd15"),
    (r"sd_v?2|stable[-_]diffusion[-_]v?2|\bsd[-_]?2", "sd21"),
)
_MODELS = tuple((re.compile(pattern), model) for pattern, model in _PATTERNS)


@dataclass(frozen=True, slots=True)
class StatedModel:
    """`model` is how a served family's name begins, or the name of another architecture; `where`
    and `value` are the entry that says it."""

    model: str
    where: str
    value: str

    @property
    def title(self) -> str:
        """What people call it."""
        names = (name for family, name in FAMILY_NAMES.items() if self.fits(family))
        return next(names, self.model)

    def fits(self, family: str) -> bool:
        """Whether that family may be meant; few trainers tell which of Stable Diffusion 3."""
        return family.startswith(self.model)


def said_model(metadata: Mapping[str, str]) -> StatedModel | None:
    """None where the metadata names no model that is known here."""
    for key in KEYS:
        value = metadata.get(key, "")[:READ_CHARACTERS]
        for pattern, model in _MODELS:
            if pattern.search(value.lower()):
                return StatedModel(model, key, "".join(filter(str.isprintable, value))[:80])
    return None
