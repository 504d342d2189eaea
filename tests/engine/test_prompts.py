"""Weights, parts and long prompts: what the network gets, and that nobody else's picture moves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from generation.engine.families.prompt_chunks import ChunkReader
from generation.engine.jobs import AdapterUse
from generation.engine.loading.loaded_model import LoadedModel
from generation.engine.loop.engine import Engine
from generation.engine.loop.prompt_embeddings import Prompts
from moderation.policy.rulebook import prompt_syntax
from tests import tiny_pipeline
from tests.engine.rendering import assert_same, denoise, job, pipeline

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation"),
    pytest.mark.filterwarnings("ignore:.*Already found a `peft_config`"),
]
FAMILIES = ["sd", "starter", "sdxl", "flux"]
TEXT = "encoder_hidden_states"
LONG = ", ".join(["a red kite over the sea"] * 5)  # in a tokenizer of letters two pieces


def encode(model: LoadedModel, prompt: str) -> torch.Tensor:
    with torch.inference_mode():
        return Prompts(model).encode(prompt, key=(), wearing=())[TEXT]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("typed", ["a (red:1) kite", "a ((red:1.0)) kite", r"a (re:1)(d kite:1)"])
def test_weight_one_is_bit_equal_to_no_syntax(
    family: str, typed: str, load: Callable[..., LoadedModel]
) -> None:
    model = load(family)
    typed = typed.replace("((red:1.0))", "(red:1.0)")
    plain, weighed = denoise(model, [job("a red kite")]), denoise(model, [job(typed)])
    assert torch.equal(plain[0].latents, weighed[0].latents)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_token_s_vector_is_as_far_from_the_empty_prompt_s_as_its_weight_says(
    family: str, load: Callable[..., LoadedModel]
) -> None:
    model = load(family)
    said, nothing = encode(model, "a red kite"), encode(model, "")
    weighed = encode(model, "a (red:1.5) kite")
    moved = (weighed != said).any(-1)[0]
    words = tiny_tokens(model, "a red kite")
    assert [words[at] for at in moved.nonzero().flatten().tolist()] == [*"red"]
    expected = nothing + 1.5 * (said - nothing)
    torch.testing.assert_close(weighed[:, moved], expected[:, moved], atol=1e-5, rtol=0)
    assert torch.equal(encode(model, "(a red kite:0)")[0, 1], nothing[0, 1]) or family == "flux"


def tiny_tokens(model: LoadedModel, text: str) -> list[str]:
    """The letter of each token of the tiny tokenizers, "" for what is no letter of the text."""
    reader = model.family.reader(model.pipe)
    spans = reader.tokenizer(
        text, padding="max_length", max_length=reader.length, return_offsets_mapping=True
    ).offset_mapping
    return [text[begin:end].strip() for begin, end in spans]


@pytest.mark.parametrize("family", ["sd", "starter", "sdxl"])
def test_a_long_prompt_is_read_piece_by_piece_as_the_encoder_reads_each(
    family: str, load: Callable[..., LoadedModel]
) -> None:
    model = load(family)
    pieces = [chunk.text for chunk in Prompts(model).read(LONG)]
    assert len(pieces) == 2
    assert pieces[0].endswith(",")
    joined = torch.cat([encode(model, piece) for piece in pieces], dim=1)
    torch.testing.assert_close(encode(model, LONG), joined, atol=1e-5, rtol=0)
    torch.testing.assert_close(
        encode(model, "a cat BREAK a dog"),
        torch.cat([encode(model, "a cat"), encode(model, "a dog")], dim=1),
        atol=1e-5,
        rtol=0,
    )


@pytest.mark.parametrize("family", ["sd", "starter", "sdxl"])
def test_the_end_of_a_long_prompt_changes_the_picture(
    family: str, load: Callable[..., LoadedModel]
) -> None:
    first, second = denoise(load(family), [job(f"{LONG} a cat"), job(f"{LONG} a dog")])
    assert (first.dropped_tokens, second.dropped_tokens) == (0, 0)
    assert not torch.allclose(first.latents, second.latents, atol=1e-3)


@pytest.mark.parametrize("family", FAMILIES)
def test_prompts_of_all_lengths_and_weights_are_drawn_among_strangers_as_alone(
    family: str, load: Callable[..., LoadedModel], adapter: Callable[..., AdapterUse]
) -> None:
    model, words = load(family), adapter(family, rank=3, has_text=True, weight=0.6)
    requests = [
        job("a cat", seed=1),
        job(LONG, seed=2, steps=6, adapters=(words,)),
        job("a (dog:1.4) BREAK a fox BREAK [an owl]", seed=3, negative_prompt="grey"),
        job("an elk", seed=4, steps=3, negative_prompt=LONG),
        job("a (kite:0.5)", seed=5, guidance=1.0, adapters=(words,)),
    ]
    for request, batched in zip(requests, denoise(model, requests), strict=True):
        (alone,) = denoise(model, [request])
        assert_same(batched.latents, alone.latents)


def test_prompts_of_unequal_length_guide_as_if_each_were_read_alone(
    load: Callable[..., LoadedModel],
) -> None:
    """Attention over the same keys twice is that over the keys once."""
    model = load("sd")
    short, long = encode(model, "a cat"), encode(model, LONG)
    latents = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        call = model.family.call
        at = torch.tensor([500])
        once = call(model.network, latents, at, {TEXT: short}, {})
        twice = call(model.network, latents, at, {TEXT: short.repeat(1, 2, 1)}, {})
    torch.testing.assert_close(once, twice, atol=1e-5, rtol=0)
    assert long.shape[1] == 2 * short.shape[1]


def test_a_long_prompt_equals_diffusers_with_the_same_vectors(
    load: Callable[..., LoadedModel], folders: Callable[[str], Path]
) -> None:
    prompt = "a (red:1.3) kite BREAK [the sea]"
    (ours,) = denoise(load("sd"), [job(prompt, negative_prompt="grey")])
    pipe = pipeline(folders("sd"))
    red, sea, nothing, grey = (
        pipe.encode_prompt(text, "cpu", 1, False)[0]
        for text in ("a red kite", "the sea", "", "grey")
    )
    red[:, 2:5] = nothing[:, 2:5] + 1.3 * (red[:, 2:5] - nothing[:, 2:5])
    sea[:, 1:7] = nothing[:, 1:7] + (sea[:, 1:7] - nothing[:, 1:7]) / 1.1
    theirs = pipe(
        prompt_embeds=torch.cat([red, sea], 1),
        negative_prompt_embeds=torch.cat([grey, grey], 1),
        num_inference_steps=4,
        guidance_scale=5.0,
        width=32,
        height=32,
        generator=torch.Generator().manual_seed(7),
        output_type="latent",
    ).images
    assert_same(ours.latents, theirs)


@pytest.mark.parametrize(
    "prompt",
    [
        "(" * 10_000 + "kite" + ")" * 10_000,
        "[" * 10_000 + "kite" + "]" * 10_000,
        "(" * 10_000 + "kite",
        "kite:9999999999)" * 100,
        "(kite:1e999) (kite:99999999999999999999)",
        "BREAK " * 1_000,
        "a BREAK " * 1_000,
        "\U0001f469‍\U0001f680" * 200,
        "ﷺ" * 300,
    ],
    ids=range(9),
)
def test_no_prompt_is_more_than_a_picture_takes(
    prompt: str, load: Callable[..., LoadedModel]
) -> None:
    (made,) = denoise(load("sd"), [job(prompt)])
    assert torch.isfinite(made.latents).all()
    assert made.rows[0][TEXT].shape[1] <= 4 * 77


def test_pieces_hold_all_words_of_a_prompt_and_no_more_tokens_than_are_read() -> None:
    tokenizer = tiny_pipeline._tokenizer()
    reader = ChunkReader(tokenizer, 20, most=50)
    prompt = "a (little:1.2) red kite, over the sea and " + "x" * 40 + ", [two] dogs BREAK end"
    found = reader.read(prompt)
    said = "".join(chunk.text for chunk in found.chunks).replace(" ", "")
    assert said == prompt_syntax.read(prompt).text.replace(" ", "")
    assert found.dropped_tokens == 0
    assert all(len(tokenizer(chunk.text).input_ids) <= 20 for chunk in found.chunks)
    assert all(len(chunk.weights) in (0, 20) for chunk in found.chunks)
    assert found.chunks[-1].text == "end"


def test_a_language_model_reads_weighted_words_as_words_and_tells_it(
    load: Callable[..., LoadedModel], engines: Callable[[LoadedModel], Engine]
) -> None:
    model = load("z-image")
    plain, weighted = denoise(model, [job("a red kite"), job("a (red:1.3) kite")])
    assert torch.equal(plain.latents, weighted.latents)
    made = engines(model).submit(job("a (red:1.3) kite")).future.result(timeout=60)
    assert (made.has_weights, made.has_parts) == (False, False)


def test_texts_of_unequal_length_keep_their_bits_whoever_steps_beside_them(
    load: Callable[..., LoadedModel],
) -> None:
    model = load("z-image")
    mine = job("mine", negative_prompt="grey, " * 9, guidance=4.0)
    alone = denoise(model, [mine, job("one", guidance=0.0), job("two", guidance=0.0)])[0]
    others = [job("long, " * 20, guidance=3.0), job("b", seed=2, guidance=0.0)]
    assert torch.equal(denoise(model, [mine, *others])[0].latents, alone.latents)
