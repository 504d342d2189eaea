"""Teach the base model; resumes from its checkpoint and can be stopped at any time.

    nice -n 10 python -m generation.starter.training.teach --minutes 600 --threads 1

Starts from the exported U-Net, grown wider (`grow`), with the pretrained encoder (`encoder`). The
way from the encoder's states to the network is first aligned with what the old text encoder said,
for `ALIGNING` steps without the network, then everything learns: with `--stage things` mostly
single things until they hold, then the whole mix.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from torch import Tensor, nn
from transformers import CLIPTextModel, CLIPTokenizer

from generation.starter.corpus.phrasing import Names, phrase, read_names
from generation.starter.corpus.picture_sets import CACHE, EMOJIBASE, fetch, load_transparent
from generation.starter.networks import text_encoder as package
from generation.starter.networks.stock_networks import alphas_sigmas
from generation.starter.networks.text_encoder import LENGTH, Spread
from generation.starter.networks.widening import grow
from generation.starter.resumable_training import Course, TrainingPlan, mixed_precision
from generation.starter.training.lesson import Encoder, Lesson, Mix, Texts, phrase_of

BLOCKS = (48, 192, 320)
ALIGNING = 800
CHECKPOINT = "taught.pt"
STAGES = {"things": Mix(coloured=0.05, counted=0.03, joined=0.05), "all": Mix()}


def build(start: Path) -> UNet2DConditionModel:
    """The grown U-Net with a fresh way in for the encoder's states."""
    old = UNet2DConditionModel.from_pretrained(start / "unet", torch_dtype=torch.float32)
    config = {name: value for name, value in old.config.items() if not name.startswith("_")}
    torch.manual_seed(0)
    unet = UNet2DConditionModel(
        **config
        | {
            "block_out_channels": BLOCKS,
            "encoder_hid_dim": package.WIDTH,
            "encoder_hid_dim_type": "text_proj",
        }
    )
    grown = {n: w for n, w in grow(old, BLOCKS).items() if not n.startswith("add_embedding")}
    missing = set(unet.load_state_dict(grown, strict=False).missing_keys)
    assert all(name.startswith(("add_embedding", "encoder_hid_proj")) for name in missing)
    return unet


def measure_spread(folder: Path, names: list[Names], count: int = 3000) -> Spread:
    """Mean and deviation of the encoder's states over captions, padding left out."""
    rng, texts = random.Random(5), Texts(folder)
    kept = []
    for start in range(0, count, 64):
        said = [phrase(rng.choice(names), rng) for _ in range(start, min(start + 64, count))]
        lengths = texts._tokenizer(said, truncation=True, max_length=LENGTH)["attention_mask"]
        for states, mask in zip(texts.states(said), lengths, strict=True):
            kept.append(states[: sum(mask)])
    every = torch.cat(kept)
    return Spread(every.mean(0).numpy(), every.std(0).numpy())


def prepare_encoder(folder: Path, names: list[Names]) -> None:
    """Write the package's encoder to `folder`, its last norm rescaled."""
    if (folder / "spread.json").exists():
        return
    package.write(folder)
    spread = measure_spread(folder, names)
    package.write(folder, spread)
    said = {"mean": spread.mean.tolist(), "deviation": spread.deviation.tolist()}
    (folder / "spread.json").write_text(json.dumps(said), "utf-8")


def align(unet: UNet2DConditionModel, start: Path, names: list[Names], texts: Texts) -> None:
    """Let the new way in say of a caption what the old text encoder and its way in said."""
    old = UNet2DConditionModel.from_pretrained(start / "unet", torch_dtype=torch.float32)
    speaker = CLIPTextModel.from_pretrained(start / "text_encoder", dtype=torch.float32)
    tokenizer = CLIPTokenizer.from_pretrained(start / "tokenizer")
    with torch.no_grad():
        parts = []
        for at in range(0, len(names), 64):
            labels = [each.names[0][min(1, len(each.names[0]) - 1)] for each in names[at : at + 64]]
            ids = tokenizer(
                labels, padding="max_length", max_length=24, truncation=True, return_tensors="pt"
            ).input_ids
            states = speaker(ids)[0]
            parts.append((old.add_embedding(states), states.mean(1)))
    pooled, means = (torch.cat(each) for each in zip(*parts, strict=True))
    learning = [*unet.add_embedding.parameters(), *unet.encoder_hid_proj.parameters()]
    optimizer, rng = torch.optim.AdamW(learning, 1e-3), random.Random(3)
    weights = [each.weight for each in names]
    for step in range(ALIGNING):
        picked = rng.choices(range(len(names)), weights, k=64)
        states = texts.states([phrase_of(names[index], rng) for index in picked])
        said = unet.add_embedding(states)
        brought = unet.encoder_hid_proj(states).mean(1)
        loss = (said - pooled[picked]).square().mean() + (brought - means[picked]).square().mean()
        for group in optimizer.param_groups:
            group["lr"] = 1e-3 * min(1, (ALIGNING - step) / ALIGNING + 0.02)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if step % 50 == 0:
            print(f"aligning {step} loss {loss.item():.4f}", flush=True)


def velocity_loss(unet: nn.Module, latents: Tensor, states: Tensor) -> Tensor:
    """Mean squared error of the v-prediction at stratified timesteps."""
    size = len(latents)
    timesteps = ((torch.randperm(size) + torch.rand(size)) / size * 1000).long()
    alpha, sigma = alphas_sigmas(timesteps)
    noise = torch.randn_like(latents)
    noisy = alpha * latents + sigma * noise
    with mixed_precision():
        made: Tensor = unet(noisy, timesteps, states, return_dict=False)[0]
    return (made.float() - (alpha * noise - sigma * latents)).square().mean()


def read_sealed(folder: Path) -> frozenset[str]:
    """The phrasings that the model is judged by."""
    return frozenset(
        line.split("\t")[1].lower()
        for path in sorted(folder.glob("*.tsv"))
        for line in path.read_text("utf-8").splitlines()
        if not line.startswith("#")
    )


def main() -> None:
    """Prepares encoder, texts and pictures, then teaches for `--minutes` in all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=600, help="training time in all")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=5e-4)
    parser.add_argument("--stage", choices=STAGES, default="all")
    parser.add_argument("--start", type=Path, default=Path("generation/starter/model"))
    parser.add_argument("--sealed", type=Path, default=Path("tests/starter/phrases"))
    parser.add_argument("--cache", type=Path, default=CACHE)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    cache: Path = options.cache
    drawn = load_transparent("noto", cache)
    every = read_names(fetch(*EMOJIBASE, cache))
    names = [every[code] for code in drawn.codes]
    prepare_encoder(cache / "encoder", names)
    texts = Texts(cache / "encoder")
    sealed, mix = read_sealed(options.sealed), STAGES[options.stage]
    lesson = Lesson(drawn.pixels, names, texts, Encoder(options.start), sealed, mix)
    unet = build(options.start)
    if not (cache / CHECKPOINT).exists():
        aligned = cache / "aligned.pt"
        if aligned.exists():
            unet.load_state_dict(torch.load(aligned, weights_only=True))
        else:
            align(unet, options.start, names, texts)
            torch.save(unet.state_dict(), aligned)
    unet.set_attn_processor(AttnProcessor())
    unet.to(memory_format=torch.channels_last)
    plan = TrainingPlan(options.minutes, options.batch, options.learning_rate, falling_share=0.3)
    course = Course(dict(unet.named_parameters()), plan, cache / CHECKPOINT)
    course.learn(lambda rng: velocity_loss(unet, *lesson.draw(plan.batch, rng)))


if __name__ == "__main__":
    main()
