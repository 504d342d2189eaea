"""Many callers, one engine: what each of them sees."""

import gc
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from threading import Event, current_thread
from time import monotonic, sleep

import numpy as np
import pytest
from PIL import Image

from generation.engine.jobs import (
    AdapterUse,
    Cancelled,
    NotFinite,
    RankTooHigh,
    Rendered,
    RenderJob,
    StepReport,
)
from generation.engine.loading.loaded_model import LoadedModel, Settings
from generation.engine.loop.engine import Engine
from generation.engine.loop.runner import Runner
from tests.engine.rendering import job

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")


def go_on() -> bool:
    return False


def ignore(report: StepReport) -> None:
    pass


def render(engine: Engine, request: RenderJob) -> Rendered:
    return engine.render(request, on_step=ignore, should_stop=go_on)


def test_twenty_threads_get_each_their_own_picture(
    load: Callable[..., LoadedModel],
    engines: Callable[[LoadedModel], Engine],
    adapter: Callable[..., AdapterUse],
) -> None:
    engine = engines(load("sd", adapter_slots=3))
    uses = [adapter("sd", seed=seed) for seed in range(4)]
    requests = [
        job(f"number {n}", seed=n, steps=2 + n % 5, guidance=1.0 + n % 2, adapters=(uses[n % 4],))
        for n in range(20)
    ]
    with ThreadPoolExecutor(20) as pool:
        together = list(pool.map(lambda request: render(engine, request), requests))
    for request, shared in zip(requests, together, strict=True):
        alone = render(engine, request)
        difference = shared.pixels.astype(int) - alone.pixels.astype(int)
        assert np.abs(difference).max() <= 1
    assert engine.denoiser.forwards < sum(request.steps for request in requests) * 1.6


def test_picture_is_freed_with_its_last_reference(
    load: Callable[..., LoadedModel], engines: Callable[[LoadedModel], Engine]
) -> None:
    """A worker collects garbage rarely: what were left to that would be hundreds of pictures."""
    engine = engines(load("sd", previews=2))
    gc.collect()
    gc.disable()
    try:
        made = [render(engine, job(f"number {n}", steps=4)).pixels for n in range(3)]
        sleep(0.2)  # the engine's threads let go of the last one
        kept = [weakref.ref(pixels) for pixels in made]
        del made
        assert all(ref() is None for ref in kept)
    finally:
        gc.enable()


def test_a_caller_hears_of_every_step_in_its_own_thread_and_sees_previews(
    load: Callable[..., LoadedModel], engines: Callable[[LoadedModel], Engine]
) -> None:
    reports: list[tuple[str, StepReport]] = []
    engine = engines(load("sd", previews=2))
    engine.render(
        job(steps=6),
        on_step=lambda report: reports.append((current_thread().name, report)),
        should_stop=go_on,
    )
    steps = [report.step for _, report in reports if report.preview is None]
    assert steps == [1, 2, 3, 4, 5, 6]
    assert {name for name, _ in reports} == {current_thread().name}
    for _, report in reports:
        if report.preview is not None:
            with Image.open(BytesIO(report.preview)) as preview:
                assert (preview.format, preview.size) == ("WEBP", (32, 32))


def test_a_preview_shows_where_the_picture_is_going_not_its_noise(
    load: Callable[..., LoadedModel], engines: Callable[[LoadedModel], Engine]
) -> None:
    previews: list[bytes] = []
    engine = engines(load("sd", previews=1000))

    def see(report: StepReport) -> None:
        if report.preview is not None:
            previews.append(report.preview)
        sleep(0.02)

    made = engine.render(job(steps=12), on_step=see, should_stop=go_on)
    with Image.open(BytesIO(previews[-1])) as last:
        near = np.abs(np.asarray(last.convert("RGB")).astype(int) - made.pixels).mean()
    assert near < 30


def test_should_stop_ends_the_render_within_a_moment(
    load: Callable[..., LoadedModel], engines: Callable[[LoadedModel], Engine]
) -> None:
    engine = engines(load("sd"))
    begun, asked = Event(), monotonic()

    def note(report: StepReport) -> None:
        begun.set()

    with pytest.raises(Cancelled):
        engine.render(job(steps=1000), on_step=note, should_stop=begun.is_set)
    assert monotonic() - asked < 30
    assert engine.denoiser.active == []


def test_the_delivered_picture_is_enlarged_and_says_what_it_cost(
    load: Callable[..., LoadedModel], engines: Callable[[LoadedModel], Engine]
) -> None:
    made = render(engines(load("sd")), job("x" * 400, width=128, height=128))
    assert made.pixels.shape == (128, 128, 3)
    assert made.pixels.dtype == np.uint8
    assert made.timings.keys() >= {"slot_wait_ms", "adapters_ms", "denoise_ms", "decode_ms"}
    assert made.timings["denoise_ms"] <= made.timings["underway_ms"]
    assert made.dropped_tokens == 400 - 4 * 75
    assert {"torch", "diffusers"} <= set(made.library_versions)


def test_an_adapter_that_does_not_fit_is_refused_before_the_queue(
    load: Callable[..., LoadedModel],
    engines: Callable[[LoadedModel], Engine],
    adapter: Callable[..., AdapterUse],
) -> None:
    engine = engines(load("sd", rank_ceiling=2))
    with pytest.raises(RankTooHigh):
        engine.submit(job(adapters=(adapter("sd", rank=3),)))


def test_latents_that_decode_to_no_picture_fail_that_request_alone(
    load: Callable[..., LoadedModel], engines: Callable[[LoadedModel], Engine]
) -> None:
    model = load("sd")
    engine = engines(model)

    hook = model.pipe.vae.decoder.register_forward_hook(
        lambda decoder, inputs, output: output * float("nan")
    )
    with pytest.raises(NotFinite):
        render(engine, job())
    hook.remove()
    assert render(engine, job()).pixels.shape == (32, 32, 3)


def test_two_models_on_one_device_take_turns(
    load: Callable[..., LoadedModel], engines: Callable[[LoadedModel], Engine]
) -> None:
    first = engines(load("sd"))
    second = Engine(load("flux"), first.runner)
    tickets = [engine.submit(job(steps=5, seed=n)) for n, engine in enumerate([first, second] * 3)]
    assert all(ticket.future.result().pixels.shape == (32, 32, 3) for ticket in tickets)


def test_closing_finishes_what_was_submitted(load: Callable[..., LoadedModel]) -> None:
    engine = Engine(load("sd"), Runner())
    tickets = [engine.submit(job(seed=seed)) for seed in range(3)]
    engine.runner.close()
    assert all(ticket.future.done() for ticket in tickets)


@pytest.mark.parametrize("sizes", [(), (4, 2), (1, 1), (1,)])
def test_settings_that_contradict_themselves_are_refused(sizes: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="batch"):
        Settings(batch_sizes=sizes)
