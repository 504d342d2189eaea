"""What shares a batch, who goes first, and what one failure costs the others."""

from collections.abc import Callable
from time import monotonic
from typing import Any

import pytest
import torch

from generation.engine.jobs import (
    AdapterUse,
    Cancelled,
    DeadlinePassed,
    MoreAdaptersThanSlots,
    OutOfMemory,
    RenderJob,
    StepsNotSupported,
)
from generation.engine.loading.loaded_model import LoadedModel
from generation.engine.loop.denoiser import Denoiser
from generation.engine.loop.trajectory import Order, Trajectory
from tests.engine.rendering import assert_same, denoise, job, order

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")


class Course:
    """A denoiser with some orders in it, stepped by hand; notes who is done after which step."""

    def __init__(self, model: LoadedModel, *requests: RenderJob) -> None:
        self.model = model
        self.denoiser = Denoiser(model)
        self.orders: list[Order] = []
        self.done: dict[Order, Trajectory] = {}
        self.done_after: dict[Order, int] = {}
        self.steps = 0
        self.add(*requests)

    def add(self, *requests: RenderJob) -> None:
        for request in requests:
            self.orders.append(order(self.model, request))
            self.denoiser.enqueue(self.orders[-1])

    def step(self, times: int = 1) -> None:
        with torch.inference_mode():
            for _ in range(times):
                self.steps += 1
                for trajectory in self.denoiser.step():
                    self.done[trajectory.order] = trajectory
                    self.done_after[trajectory.order] = self.steps

    def finish(self) -> None:
        while not self.denoiser.is_idle:
            self.step()


def short_of_memory(model: LoadedModel, rows: int) -> Any:
    """A device that holds `rows` rows of this model; call `.remove()` to end it."""

    def refuse(network: Any, inputs: tuple[torch.Tensor, ...]) -> None:
        if len(inputs[0]) > rows:
            raise torch.OutOfMemoryError("out of memory")

    return model.network.register_forward_pre_hook(refuse)


def test_a_short_image_overtakes_a_long_one_that_came_first(
    load: Callable[..., LoadedModel],
) -> None:
    course = Course(load("sd"), job(steps=50, guidance=1.0))
    course.step(3)
    course.add(job(steps=2, guidance=1.0, seed=8))
    course.step(2)
    assert course.orders[1] in course.done
    assert course.orders[0] not in course.done


def test_joining_a_batch_underway_changes_no_picture(load: Callable[..., LoadedModel]) -> None:
    model = load("sd")
    course = Course(model, job(steps=8, seed=1))
    course.step(3)
    course.add(job("late", steps=4, seed=2))
    course.finish()
    for item in course.orders:
        (alone,) = denoise(model, [item.job])
        assert_same(course.done[item].latents, alone.latents)


def test_guidance_takes_a_second_row_only_where_it_acts(load: Callable[..., LoadedModel]) -> None:
    course = Course(load("sd"), job(guidance=1.0), job(guidance=5.0), job(guidance=0.0))
    course.step()
    assert (course.denoiser.forwards, course.denoiser.rows) == (1, 4)


def test_a_batch_is_padded_to_a_size_that_is_in_use(load: Callable[..., LoadedModel]) -> None:
    model = load("sd", batch_sizes=(1, 4))
    seen: list[int] = []
    hook = model.network.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    padded = denoise(model, [job(guidance=1.0, seed=seed) for seed in range(3)])
    hook.remove()
    (alone,) = denoise(model, [job(guidance=1.0, seed=2)])
    assert set(seen) == {4}
    assert_same(padded[2].latents, alone.latents)


def test_images_of_different_sizes_take_turns(load: Callable[..., LoadedModel]) -> None:
    model = load("sd")
    wide = job(width=64, height=32, seed=3)
    made = denoise(model, [job(seed=1), wide, job(seed=2)])
    assert [tuple(t.latents.shape[-2:]) for t in made] == [(16, 16), (16, 32), (16, 16)]
    (alone,) = denoise(model, [wide])
    assert_same(made[1].latents, alone.latents)


def test_more_images_than_rows_are_all_served_the_short_ones_first(
    load: Callable[..., LoadedModel],
) -> None:
    long = [job(steps=9, guidance=1.0, seed=seed) for seed in range(4)]
    course = Course(load("sd", batch_sizes=(1, 2)), *long, job(steps=2, guidance=1.0))
    course.finish()
    assert len(course.done) == 5
    assert course.done_after[course.orders[4]] == 2


def test_an_interactive_image_goes_before_an_equal_one(load: Callable[..., LoadedModel]) -> None:
    course = Course(load("sd", batch_sizes=(1, 2)), job(steps=9), job(steps=9, is_interactive=True))
    course.finish()
    assert course.done_after[course.orders[1]] < course.done_after[course.orders[0]]


def test_an_interactive_image_steps_without_those_that_have_time(
    load: Callable[..., LoadedModel],
) -> None:
    model = load("sd")
    rows: list[int] = []
    hook = model.network.register_forward_pre_hook(lambda _, inputs: rows.append(len(inputs[0])))
    patient = [job(steps=5, guidance=1.0, seed=seed) for seed in range(2)]
    urgent = [job(steps=3, guidance=1.0, seed=seed, is_interactive=True) for seed in (7, 8)]
    course = Course(model, *patient, *urgent)
    course.finish()
    hook.remove()
    assert rows == [2] * 3 + [2] * 5
    assert [course.done_after[order] for order in course.orders] == [8, 8, 3, 3]


def test_an_image_that_waited_too_long_steps_beside_interactive_ones(
    load: Callable[..., LoadedModel],
) -> None:
    course = Course(
        load("sd"),
        job(steps=2, guidance=1.0),
        *[job(steps=2, guidance=1.0, seed=seed, is_interactive=True) for seed in (1, 2)],
    )
    course.orders[0].submitted_at -= 60
    course.finish()
    assert [course.done_after[order] for order in course.orders] == [2, 2, 2]


def test_a_cancelled_image_leaves_before_its_next_step(load: Callable[..., LoadedModel]) -> None:
    course = Course(load("sd"), job(steps=50), job(steps=3))
    course.step(2)
    course.orders[0].is_cancelled = True
    course.finish()
    assert isinstance(course.orders[0].future.exception(timeout=0), Cancelled)
    assert course.steps == 3


def test_a_cancelled_image_that_still_waits_is_never_started(
    load: Callable[..., LoadedModel],
) -> None:
    course = Course(load("sd"), job())
    course.orders[0].is_cancelled = True
    course.finish()
    assert isinstance(course.orders[0].future.exception(timeout=0), Cancelled)
    assert course.denoiser.forwards == 0


def test_an_image_past_its_deadline_is_dropped_between_steps(
    load: Callable[..., LoadedModel],
) -> None:
    course = Course(load("sd"), job(steps=50, timeout_s=60), job(steps=4))
    course.step(2)
    course.orders[0].submitted_at = monotonic() - 61
    course.finish()
    assert isinstance(course.orders[0].future.exception(timeout=0), DeadlinePassed)
    assert course.orders[1] in course.done


@pytest.mark.parametrize("steps", [0, -3, 10_000])
def test_an_impossible_number_of_steps_fails_that_request_alone(
    steps: int, load: Callable[..., LoadedModel]
) -> None:
    course = Course(load("sd"), job(), job(steps=steps))
    course.finish()
    assert isinstance(course.orders[1].future.exception(timeout=0), StepsNotSupported)
    assert course.orders[0] in course.done


def test_a_very_long_prompt_is_read_as_far_as_the_model_reads(
    load: Callable[..., LoadedModel],
) -> None:
    (made,) = denoise(load("sd"), [job("a" * 10_000)])
    assert made.dropped_tokens > 9_000
    assert torch.isfinite(made.latents).all()


def test_more_adapters_than_slots_in_one_request_fail_it(
    load: Callable[..., LoadedModel], adapter: Callable[..., AdapterUse]
) -> None:
    uses = tuple(adapter("sd", seed=seed) for seed in (1, 2))
    course = Course(load("sd", adapter_slots=1), job(adapters=uses))
    course.finish()
    assert isinstance(course.orders[0].future.exception(timeout=0), MoreAdaptersThanSlots)


def test_out_of_memory_shrinks_the_batch_and_loses_nobody(load: Callable[..., LoadedModel]) -> None:
    model = load("sd")
    requests = [job(guidance=1.0, seed=seed) for seed in range(8)]
    shortage = short_of_memory(model, rows=3)
    course = Course(model, *requests)
    course.finish()
    shortage.remove()
    assert course.denoiser.rows_ceiling <= 3
    for item in course.orders:
        (alone,) = denoise(model, [item.job])
        assert_same(course.done[item].latents, alone.latents)


def test_an_image_too_large_even_alone_fails_and_the_rest_goes_on(
    load: Callable[..., LoadedModel],
) -> None:
    model = load("sd")
    shortage = short_of_memory(model, rows=1)
    course = Course(model, job(guidance=5.0), job(guidance=1.0))
    course.finish()
    shortage.remove()
    assert isinstance(course.orders[0].future.exception(timeout=0), OutOfMemory)
    assert course.orders[1] in course.done


def test_after_calm_the_batch_grows_again(
    load: Callable[..., LoadedModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("generation.engine.loop.denoiser.CALM_FORWARDS", 3)
    model = load("sd", batch_sizes=(1, 2, 4))
    shortage = short_of_memory(model, rows=2)
    course = Course(model, *[job(guidance=1.0, steps=6, seed=seed) for seed in range(4)])
    course.step()
    assert course.denoiser.rows_ceiling == 2
    shortage.remove()
    course.finish()
    assert course.denoiser.rows_ceiling == 4


def test_a_fault_in_one_row_fails_that_request_and_no_other(
    load: Callable[..., LoadedModel],
) -> None:
    model = load("sd")

    def fault(network: Any, inputs: tuple[torch.Tensor, ...]) -> None:
        if (inputs[0].flatten(1).std(1) == 0).any():
            raise RuntimeError("a fault in this row")

    course = Course(model, *[job(seed=seed, steps=5) for seed in range(5)])
    course.step()
    course.denoiser.active[2].latents = torch.ones(1, 4, 16, 16)
    hook = model.network.register_forward_pre_hook(fault)
    course.finish()
    hook.remove()
    failed = [item for item in course.orders if item not in course.done]
    assert [str(item.future.exception(timeout=0)) for item in failed] == ["a fault in this row"]


def test_a_prompt_is_encoded_once_while_it_is_remembered(load: Callable[..., LoadedModel]) -> None:
    course = Course(load("sd"), job(seed=1), job(seed=2), job(seed=3))
    course.finish()
    prompts = course.denoiser.admission.prompts
    assert (prompts.misses, prompts.hits) == (2, 4)  # the prompt, and the empty negative one


@pytest.mark.parametrize("family", ["sd", "sdxl", "flux"])
def test_prompts_admitted_together_are_read_by_one_call(
    load: Callable[..., LoadedModel], family: str
) -> None:
    model = load(family)
    calls = []
    hook = model.pipe.text_encoder.register_forward_pre_hook(lambda *_: calls.append(1))
    requests = [job(prompt=f"a {colour} cat", steps=2) for colour in ("red", "blue", "grey")]
    together = Course(model, *requests)
    together.step()
    hook.remove()
    assert len(calls) <= 2  # the three prompts, and the empty negative one where it is encoded
    together.finish()
    for request, own in zip(requests, together.orders, strict=True):
        (alone,) = denoise(model, [request])
        latents = together.done[own].latents
        assert_same(latents, alone.latents)


def test_text_adapters_do_not_leak_into_remembered_prompts(
    load: Callable[..., LoadedModel], adapter: Callable[..., AdapterUse]
) -> None:
    model, words = load("sd"), adapter("sd", has_text=True)
    requests = [job(), job(adapters=(words,)), job()]
    for request, shared in zip(requests, denoise(model, requests), strict=True):
        (alone,) = denoise(model, [request])
        assert_same(shared.latents, alone.latents)
