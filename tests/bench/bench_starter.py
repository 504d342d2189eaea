"""Does the starter model draw what its caption says, and how long does it take?

    make bench-starter

The picture made for a caption is looked up among all training pictures of Noto Emoji. It counts as
found when the captioned one is among its ten nearest by `tests.bench.likeness`. Fetches and draws
the training pictures on first use.
"""

from __future__ import annotations

import argparse
import statistics
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny

from generation.starter.corpus.phrasing import LANGUAGES
from generation.starter.corpus.picture_sets import load, load_transparent
from generation.starter.layout import MODEL
from moderation.audits.statistics.rates import wilson
from tests.bench import starter_phrases, starter_sheet
from tests.bench.likeness import Neighbours, Pixels
from tests.bench.report import Row, publish
from tests.bench.starter_artist import Artist, Made
from tests.bench.starter_captions import OBJECTS, choose
from tests.bench.starter_phrases import Judge

NEAREST = 10
PHRASE_ROWS = {
    "first": "first_twelve", "one": "single", "attribute": "colour_or_number", "two": "two_things",
    "de": "german", "fr": "french", "es": "spanish",
}  # fmt: skip
MUSTS = {"one": 0.65, "attribute": 0.45, "two": 0.35, "de": 0.5, "fr": 0.5, "es": 0.5}


@torch.inference_mode()
def through_autoencoder(folder: Path, pictures: Pixels) -> Pixels:
    """Training pictures [N, 128, 128, 3] encoded and decoded by the shipped autoencoder."""
    vae = AutoencoderTiny.from_pretrained(folder / "vae")
    images = torch.from_numpy(np.array(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1
    decoded = torch.cat([vae(image[None]).sample for image in images])
    scaled = (decoded.clamp(-1, 1) + 1) * 127.5
    return scaled.round().to(torch.uint8).permute(0, 2, 3, 1).numpy()


def recall_row(name: str, ranks: list[int], against: str, must: float | None = None) -> Row:
    hits = sum(rank < NEAREST for rank in ranks)
    _, low, high = wilson([hits], [len(ranks)])[0]
    return Row(name, hits / len(ranks), "share", low, high, "higher", must, against=against)


def time_row(name: str, made: list[Made], steps: int, must: float | None = None) -> Row:
    seconds = [each.seconds for each in made]
    middle = statistics.median(seconds)
    against = f"{steps} steps at 128 px, previews and decoding included, one torch thread, CPU"
    return Row(name, middle, "s", min(seconds), max(seconds), "lower", must, against=against)


def phrase_rows(artist: Artist, steps: int) -> list[Row]:
    """Recall on phrasings that training never said, by what they ask for and by language."""
    spoken = {language: starter_phrases.read(language) for language in LANGUAGES}
    judge = Judge(load_transparent("noto"), chain.from_iterable(spoken.values()))
    hits: dict[str, list[bool]] = {}
    for language, phrases in spoken.items():
        for seed, phrase in enumerate(phrases):
            name = phrase.kind if language == "en" else language
            made = artist.draw(phrase.text, seed=seed, steps=steps)
            hits.setdefault(name, []).append(judge.finds(phrase, made.pixels))
    return [
        recall_of(f"unseen_{PHRASE_ROWS[name]}", found, "never trained on", MUSTS.get(name))
        for name, found in hits.items()
    ]


def recall_of(name: str, found: list[bool], against: str, must: float | None) -> Row:
    hits = sum(found)
    _, low, high = wilson([hits], [len(found)])[0]
    of = f"{len(found)} phrasings {against}"
    return Row(name, hits / len(found), "share", low, high, "higher", must, against=of)


def measure(folder: Path) -> tuple[Artist, list[Row]]:
    drawn = load("noto")
    chosen = choose(drawn.captions)
    neighbours, artist = Neighbours(drawn.pixels), Artist(folder)

    def draw_all(steps: int) -> tuple[list[Made], list[int]]:
        labels = [drawn.captions[index].label for index in chosen]
        made = [artist.draw(label, seed=n, steps=steps) for n, label in enumerate(labels)]
        pairs = zip(made, chosen, strict=True)
        return made, [neighbours.rank_of(each.pixels, index) for each, index in pairs]

    made, ranks = draw_all(artist.default_steps)
    quick, quick_ranks = draw_all(artist.few_steps)
    _, live_ranks = draw_all(artist.live_steps)
    copies = through_autoencoder(folder, drawn.pixels[chosen])
    pairs = zip(copies, chosen, strict=True)
    copy_ranks = [neighbours.rank_of(copy, index) for copy, index in pairs]
    total = len(drawn.captions)
    among = f"among {total} training pictures, by colour layout and outlines"
    return artist, [
        recall_row("recall_at_10", ranks, among, must=0.6),
        recall_row("recall_at_10_objects", ranks[:OBJECTS], among),
        recall_row("recall_at_10_people", ranks[OBJECTS:], among),
        recall_row("recall_at_10_few_steps", quick_ranks, f"{artist.few_steps} steps, {among}"),
        recall_row("recall_at_10_live", live_ranks, f"{artist.live_steps} steps, {among}"),
        recall_row("recall_at_10_of_decoded_originals", copy_ranks, "the feature's own check"),
        Row("recall_at_10_by_chance", NEAREST / total, "share", better="higher"),
        *phrase_rows(artist, artist.few_steps),
        time_row("s_per_image", made, artist.default_steps, must=1.0),
        time_row("s_per_image_few_steps", quick, artist.few_steps),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=MODEL, help="the exported folder")
    folder = parser.parse_args().model
    artist, rows = measure(folder)
    publish("starter", rows)
    starter_sheet.publish(artist)


if __name__ == "__main__":
    main()
