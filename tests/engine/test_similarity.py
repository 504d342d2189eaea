"""A prompt that would not change the shown picture is spared; one that would is drawn."""

from collections.abc import Callable
from math import inf, nan

import pytest
import torch

from generation.engine.jobs import AdapterUse, Unchanged
from generation.engine.loading import loaded_model as models
from generation.engine.loading.loaded_model import LoadedModel, Settings
from generation.engine.loop.engine import Engine
from generation.engine.loop.prompt_embeddings import (
    NO_CHANGE,
    UNSEEN_CHANGE,
    Prompts,
    change,
    is_unseen,
)
from generation.starter.layout import MODEL
from tests.engine.rendering import job

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")
SIDE = 128
Engines = Callable[[LoadedModel], Engine]


@pytest.fixture(scope="module")
def starter() -> LoadedModel:
    return models.load(MODEL, settings=Settings(), device=torch.device("cpu"), dtype=torch.float32)


def looks_like(model: LoadedModel, text: str, shown: str) -> bool:
    with torch.inference_mode():
        return Prompts(model).looks_like(text, shown, key=(), wearing=())


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        ("a red apple on a table", "A Red APPLE on a table"),
        ("a red apple on a table", "  a   red apple on a table "),
        ("house with garden", "House with garden!"),
        ("smiling face with sunglasses", "smiling face with sunglasses."),
    ],
)
def test_what_would_not_be_seen_looks_like_the_shown(
    starter: LoadedModel, shown: str, text: str
) -> None:
    assert looks_like(starter, text, shown)


@pytest.mark.parametrize(
    "text",
    [
        "a green apple on a table",
        "a crimson apple on a table",
        "a red pear on a table",
        "a red apple on a chair",
        "a red apple",
        "a red apple on a table 2",
        "a red apple on a table 🍎",
        "",
    ],
)
def test_changed_colours_and_nouns_do_not(starter: LoadedModel, text: str) -> None:
    assert not looks_like(starter, text, "a red apple on a table")


def test_changed_word_is_drawn_however_little_the_vectors_move() -> None:
    little = UNSEEN_CHANGE / 2
    assert little > NO_CHANGE
    assert is_unseen(little, "The red bear!", "a red bear")
    assert not is_unseen(little, "a red bee", "a red bear")
    assert not is_unseen(2 * UNSEEN_CHANGE, "The red bear!", "a red bear")


def test_the_last_word_of_a_long_prompt_counts(starter: LoadedModel) -> None:
    long = "a table with a lamp and a chair and a clock and a red"
    assert not looks_like(starter, f"{long} apple", f"{long} heart")
    assert not looks_like(
        starter, f"{long} apple and a house and a moon", f"{long} apple and a house"
    )
    too_long = " and ".join([f"{long} apple"] * 5)
    assert looks_like(starter, f"{too_long} a moon", f"{too_long} a sun"), "nobody reads it"


def test_change_is_the_largest_of_any_vector_and_pooled_ones_count() -> None:
    rows = {"encoder_hidden_states": torch.ones(1, 77, 4), "text_embeds": torch.ones(1, 4)}
    one = {name: tensor.clone() for name, tensor in rows.items()}
    one["encoder_hidden_states"][0, 76] *= 1.5
    assert change(rows, rows) == 0
    assert change(one, rows) == pytest.approx(0.5)
    assert change(rows | {"text_embeds": torch.zeros(1, 4)}, rows) == pytest.approx(1)
    assert change({"encoder_hidden_states": torch.ones(1, 78, 4)}, rows) == inf
    one["encoder_hidden_states"][0, 3] = nan
    assert not change(one, rows) <= UNSEEN_CHANGE


def test_spared_job_takes_no_forward_and_its_neighbours_are_drawn(
    starter: LoadedModel, engines: Engines
) -> None:
    engine = engines(starter)
    size = {"width": SIDE, "height": SIDE, "native_size": SIDE}
    shown = job("a red apple", **size)
    spared = engine.submit(job("A red  apple", shown_prompt="a red apple", **size))
    with pytest.raises(Unchanged):
        spared.future.result(timeout=60)
    assert engine.denoiser.forwards == 0
    tickets = [
        engine.submit(shown),
        engine.submit(job("A RED apple", shown_prompt="a red apple", **size)),
        engine.submit(job("a blue apple", shown_prompt="a red apple", **size)),
    ]
    with pytest.raises(Unchanged):
        tickets[1].future.result(timeout=60)
    first, last = (tickets[index].future.result(timeout=60).pixels for index in (0, 2))
    assert (first != last).any()


@pytest.mark.parametrize(
    ("family", "text"),
    [("sd", "a  red kite "), ("sdxl", "a  red kite "), ("flux", "a red kite")],
)
def test_equal_tokens_are_spared_in_every_family(
    family: str, text: str, load: Callable[..., LoadedModel], engines: Engines
) -> None:
    engine = engines(load(family))
    with pytest.raises(Unchanged):
        engine.submit(job(text, shown_prompt="a red kite")).future.result(timeout=60)
    assert engine.submit(job("a red kite")).future.result(timeout=60).pixels.any()
    drawn = engine.submit(job("zzz", shown_prompt="a red kite")).future.result(timeout=60)
    assert drawn.pixels.any()


def test_spared_job_gives_its_slot_back(
    load: Callable[..., LoadedModel], adapter: Callable[..., AdapterUse], engines: Engines
) -> None:
    engine = engines(load("sd", adapter_slots=1))
    for seed in (1, 2):
        worn = (adapter("sd", seed=seed),)
        with pytest.raises(Unchanged):
            engine.submit(
                job("a  red kite", shown_prompt="a red kite", adapters=worn)
            ).future.result(timeout=60)
    assert engine.vitals()["slot_misses"] == 2
