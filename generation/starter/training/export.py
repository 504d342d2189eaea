"""Write the taught networks as a StableDiffusionPipeline folder that ships with the project.

    python -m generation.starter.training.export    from the checkpoint to generation/starter

`model/` gets the U-Net (fp16 safetensors), and `proofsheet.json`, which tells the registry what no
diffusers configuration knows; `language/` the layers above the pretrained encoder. The encoder
itself is the package's, and is written beside them.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from generation.starter.corpus.phrasing import read_names
from generation.starter.corpus.picture_sets import CACHE, EMOJIBASE, fetch
from generation.starter.layout import LANGUAGE, MODEL
from generation.starter.networks import text_encoder
from generation.starter.networks.text_encoder import EMOJI, LAYERS, Spread
from generation.starter.training import teach
from generation.starter.training.lesson_states import KeptStates
from generation.starter.training.teach import Student

LARGEST_BYTES = 60 * 1024 * 1024
DETAILS: dict[str, Any] = {
    "name": "Proofsheet starter",
    "description": "Draws emoji: people by gender and skin tone, animals, food, objects, signs.",
    "family": "starter",
    "native_size": 128,
    "upscale": 4,
    "sizes": [[512, 512]],
    "default_steps": 12,
    "few_steps": 6,
    "live_steps": 2,
    "default_guidance": 3.0,
    "rank_ceiling": 64,
    "licence": "Apache-2.0; trained on Noto Emoji (Apache-2.0)",
}
INDEX = {
    "_class_name": "StableDiffusionPipeline",
    "feature_extractor": [None, None],
    "image_encoder": [None, None],
    "requires_safety_checker": False,
    "safety_checker": [None, None],
    "scheduler": ["diffusers", "DDIMScheduler"],
    "text_encoder": ["transformers", "BertModel"],
    "tokenizer": ["transformers", "PreTrainedTokenizerFast"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderTiny"],
}


def write_language(student: Student, spread: Spread, emoji: dict[str, str], folder: Path) -> None:
    """The language layers in fp16 with the spread of the states below them, and what emoji are
    called."""
    folder.mkdir(parents=True, exist_ok=True)
    layers = student.language.state_dict()
    tensors = {name: weight.half().contiguous() for name, weight in layers.items()}
    tensors["mean"] = torch.from_numpy(spread.mean)
    tensors["deviation"] = torch.from_numpy(spread.deviation)
    save_file(tensors, folder / LAYERS, {"format": "pt"})
    said = json.dumps(emoji, ensure_ascii=False, indent=0, sort_keys=True)
    (folder / EMOJI).write_text(said + "\n", "utf-8")


def write(student: Student, start: Path, model: Path, language: Path) -> int:
    """Write the networks, with the autoencoder and scheduler of `start`, and the text encoder of
    the written `language`; returns the bytes of what ships."""
    for name in ("vae", "scheduler"):
        if start != model:
            shutil.copytree(start / name, model / name, dirs_exist_ok=True)
    for name in ("unet", "text_encoder", "tokenizer"):
        shutil.rmtree(model / name, ignore_errors=True)
    student.unet.register_to_config(_name_or_path="")  # else it tells the folder of this machine
    student.unet.half().save_pretrained(model / "unet", safe_serialization=True)
    (model / "model_index.json").write_text(json.dumps(INDEX, indent=2) + "\n", "utf-8")
    (model / "proofsheet.json").write_text(json.dumps(DETAILS, indent=2) + "\n", "utf-8")
    files = [path for folder in (model, language) for path in folder.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    text_encoder.write(model, language)
    return size


def load_taught(start: Path, cache: Path) -> Student:
    """The averaged networks of `teach`, or those of `start` where it has no checkpoint."""
    student = teach.from_exported(start, LANGUAGE)
    checkpoint = cache / teach.CHECKPOINT
    if checkpoint.exists():
        student.load_state_dict(torch.load(checkpoint, weights_only=True)["average"])
    return student


def main() -> None:
    """Writes the model's folder and prints its size; exits with 1 when it is above 60 MiB."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=CACHE, help="where the checkpoints are")
    parser.add_argument("--start", type=Path, default=MODEL, help="the exported model before")
    parser.add_argument("--model", type=Path, default=MODEL, help="replaced by the export")
    parser.add_argument("--language", type=Path, default=LANGUAGE, help="replaced by the export")
    options = parser.parse_args()
    student = load_taught(options.start, options.cache)
    names = read_names(fetch(*EMOJIBASE, options.cache)).values()
    emoji = {each.emoji: each.names[0][0] for each in names}
    write_language(student, KeptStates(options.cache).spread, emoji, options.language)
    size = write(student, options.start, options.model, options.language)
    print(f"{options.model}: {size / 2**20:.1f} MiB without the package's encoder")
    if size > LARGEST_BYTES:
        raise SystemExit(f"The model is larger than the {LARGEST_BYTES / 2**20:.0f} MiB it may be.")


if __name__ == "__main__":
    main()
