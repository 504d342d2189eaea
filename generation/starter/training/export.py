"""Write the trained networks as a StableDiffusionPipeline folder that ships with the project.

    python -m generation.starter.training.export    from the checkpoints to generation/starter/model

After `train --start FOLDER`, `--start FOLDER` takes the autoencoder and the tokenizer from there.

The averaged weights are stored as fp16 safetensors; `proofsheet.json` beside them tells the
registry what no diffusers configuration knows.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderTiny, StableDiffusionPipeline
from torch import nn
from transformers import CLIPTokenizer

from generation.starter.corpus.captions import read_captions, vocabulary
from generation.starter.corpus.picture_sets import CACHE, EMOJIBASE, fetch
from generation.starter.layout import MODEL
from generation.starter.networks.autoencoder import CHECKPOINT, build_autoencoder, load_basis
from generation.starter.networks.stock_networks import build_scheduler
from generation.starter.networks.tokenizer import spare_ids
from generation.starter.training import train
from generation.starter.training.train import Student, build_student, load_student, load_tokenizer

LARGEST_BYTES = 40 * 1024 * 1024
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


def share_spare_embedding(student: Student, spare: list[int]) -> None:
    """Give every piece of an unknown word the embedding that training kept for unknown words."""
    table: nn.Embedding = student.text_encoder.get_input_embeddings()
    if spare:
        with torch.no_grad():
            table.weight[spare] = table.weight[spare[0]].clone()


def assemble(student: Student, autoencoder: AutoencoderTiny, tokenizer: CLIPTokenizer) -> Any:
    """The networks as one pipeline, in fp16."""
    return StableDiffusionPipeline(
        vae=autoencoder.half(),
        text_encoder=student.text_encoder.half(),
        tokenizer=tokenizer,
        unet=student.unet.half(),
        scheduler=build_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def write(pipe: Any, folder: Path, details: dict[str, Any] = DETAILS) -> int:
    """Replace `folder` by the pipeline; returns its size in bytes."""
    shutil.rmtree(folder, ignore_errors=True)
    pipe.save_pretrained(folder, safe_serialization=True)
    (folder / "proofsheet.json").write_text(json.dumps(details, indent=2) + "\n", "utf-8")
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def load_trained(cache: Path = CACHE) -> tuple[Student, AutoencoderTiny, CLIPTokenizer]:
    """The averaged networks, the autoencoder and the tokenizer from the checkpoints of `cache`."""
    tokenizer, spare = load_tokenizer(cache)
    student = build_student(len(tokenizer))
    student.load_state_dict(_averaged(cache / train.CHECKPOINT))
    share_spare_embedding(student, spare)
    autoencoder = build_autoencoder(load_basis(cache))
    autoencoder.decoder.load_state_dict(_averaged(cache / CHECKPOINT))
    return student, autoencoder, tokenizer


def load_continued(
    start: Path, cache: Path = CACHE
) -> tuple[Student, AutoencoderTiny, CLIPTokenizer]:
    """The averaged networks of `cache` with the autoencoder and tokenizer they went on from."""
    student, tokenizer = load_student(start)
    student.load_state_dict(_averaged(cache / train.CHECKPOINT))
    words = vocabulary(list(read_captions(fetch(*EMOJIBASE, cache)).values()))
    share_spare_embedding(student, spare_ids(tokenizer, words))
    return student, AutoencoderTiny.from_pretrained(start / "vae"), tokenizer


def _averaged(checkpoint: Path) -> dict[str, torch.Tensor]:
    weights: dict[str, torch.Tensor] = torch.load(checkpoint, weights_only=True)["average"]
    return weights


def main() -> None:
    """Writes the model's folder and prints its size; exits with 1 when it is above 40 MiB."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=CACHE, help="where the checkpoints are")
    parser.add_argument("--folder", type=Path, default=MODEL, help="replaced by the export")
    parser.add_argument("--start", type=Path, help="the exported model that training began from")
    options = parser.parse_args()
    if options.start:
        parts = load_continued(options.start, options.cache)
    else:
        parts = load_trained(options.cache)
    size = write(assemble(*parts), options.folder)
    print(f"{options.folder}: {size / 2**20:.1f} MiB")
    if size > LARGEST_BYTES:
        raise SystemExit(f"The model is larger than the {LARGEST_BYTES / 2**20:.0f} MiB it may be.")


if __name__ == "__main__":
    main()
