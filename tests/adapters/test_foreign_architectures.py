"""Every architecture that diffusers builds is told, and each of its loaders is accounted for."""

from __future__ import annotations

import itertools

import pytest

from adapters.formats import unserved_architectures
from adapters.formats.detection import recognise
from tests.adapters import signatures
from tests.adapters.signatures import DIFFUSERS, EXTENTS, ORIGINAL, Layers

FUSED = ("to_qkv", "to_kv", "to_added_qkv", "add_qkv_proj")
TOOLS_OF_WHOLE = ("diffusers", "lycoris", "ai_toolkit", "kohya")  # the others have the same names
# What has all its blocks' layers in common with a served family cannot be told from it whole.
LIKE_OURS = {
    "chroma": "flux",
    "flux-fill": "flux",
    "flux-control": "flux",
    "z-image-omni": "z-image",
}


@pytest.mark.parametrize("architecture", signatures.architectures())
def test_every_architecture_is_told_in_every_spelling_whole_and_in_parts(
    architecture: str,
) -> None:
    sections = (("layers", DIFFUSERS), ("original", ORIGINAL))
    for section, spellings in sections:
        whole = signatures.layers_of(architecture, section)
        kept = {name: size for name, size in whole.items() if not name.endswith(FUSED)}
        for (extent, pick), (tool, spelling) in itertools.product(
            EXTENTS.items(), spellings.items()
        ):
            layers = {name: size for name, size in kept.items() if pick(name)}
            if not layers or (extent == "whole" and tool not in TOOLS_OF_WHOLE):
                continue
            found = recognise(signatures.header(layers, spelling))
            told = f"{architecture} {section} {extent} {tool}: {found.alike}, ours {found.ours}"
            assert found.alike.is_whole, told
            assert architecture in found.alike.architectures, told
            assert found.is_foreign or found.ours == found.alike.total, told
            if extent == "whole" and section == "layers" and architecture not in LIKE_OURS:
                assert found.is_foreign, told


def test_the_signatures_are_what_diffusers_builds() -> None:
    from adapters.families import derive_foreign
    from adapters.families.foreign_sources import IMAGES

    said: Layers = signatures.layers_of("z-image-omni", "layers")
    source = IMAGES["z-image-omni"]
    built, _ = derive_foreign._spelt(source, source.configs["omni"])
    assert built.items() <= said.items()
    assert unserved_architectures.title_of("z-image-omni") == source.title


# Which architectures each of diffusers' loaders is for; None where what it loads is served here.
LOADERS: dict[str, tuple[str, ...] | None] = {
    "StableDiffusion": None,
    "StableDiffusionXL": None,
    "Flux": None,
    "SD3": None,
    "AuraFlow": ("auraflow",),
    "Amused": ("amused",),
    "CogVideoX": ("cogvideox-2b", "cogvideox-5b", "consisid"),
    "Mochi1": ("mochi",),
    "LTXVideo": ("ltx-video-2b", "ltx-video-13b"),
    "LTX2": ("ltx-2",),
    "Sana": ("sana-1.6b", "sana-0.6b", "sana-4.8b", "sana-video"),
    "Helios": ("helios",),
    "HunyuanVideo": ("hunyuan-video", "framepack"),
    "Lumina2": ("lumina2",),
    "Kandinsky": ("kandinsky5-lite", "kandinsky5-pro", "kandinsky5-image"),
    "Wan": ("wan-14b", "wan-1.3b", "wan-5b", "wan-vace-14b", "wan-animate", "chronoedit"),
    "SkyReelsV2": ("skyreels-v2-14b", "skyreels-v2-1.3b"),
    "CogView4": ("cogview4",),
    "HiDreamImage": ("hidream",),
    "QwenImage": ("qwen-image", "qwen-image-2.1"),
    "Krea2": ("krea2",),
    "ZImage": ("z-image-omni",),
    "Anima": ("anima",),
    "Flux2": ("flux2", "flux2-klein-4b", "flux2-klein-9b"),
    "Flux3": ("flux3",),
    "BriaFibo2": ("bria-fibo-2",),
    "Ideogram4": ("ideogram4",),
    "ErnieImage": ("ernie-image",),
    "Cosmos": ("cosmos-2b", "cosmos-14b"),
    "AceStep": ("ace-step",),
    "MiniMaxH3": ("minimax-h3",),
    "RFD4Proteina": ("proteina",),
}


def test_every_loader_that_diffusers_has_is_covered() -> None:
    from diffusers.loaders import lora_pipeline

    loaders = {
        name.removesuffix("LoraLoaderMixin")
        for name in vars(lora_pipeline)
        if name.endswith("LoraLoaderMixin")
    }
    assert loaders - {"", "Lora"} == set(LOADERS)
    told = {name for names in LOADERS.values() if names for name in names}
    assert told <= set(signatures.architectures())
