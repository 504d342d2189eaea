"""Training: it learns, and an interrupted one goes on where it was."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from generation.starter.networks.autoencoder import PatchEncoder
from generation.starter.resumable_training import Course, TrainingPlan
from generation.starter.training.lesson_states import KeptStates
from generation.starter.training.sampling import SingleLessons
from generation.starter.training.teach import Lessons, PictureChoice, composed_share, lesson_loss
from tests.starter import tiny_lesson


class Interrupted(Exception):
    """What a kill looks like from inside the loop."""


def weights() -> dict[str, nn.Parameter]:
    return {"w": nn.Parameter(torch.full((4,), 3.0))}


def square(of: dict[str, nn.Parameter]) -> Tensor:
    return of["w"].square().mean()


def test_an_interrupted_training_goes_on_with_its_step_count(tmp_path: Path) -> None:
    checkpoint = tmp_path / "course.pt"
    learned = weights()
    plan = TrainingPlan(minutes=1, save_every_s=0)

    def loss(rng: random.Random) -> Tensor:
        if course.step == 7:
            raise Interrupted
        return square(learned)

    course = Course(learned, plan, checkpoint)
    with pytest.raises(Interrupted):
        course.learn(loss)
    again = weights()
    resumed = Course(again, plan, checkpoint)
    assert resumed.step == 7
    assert 0 < resumed.spent_s < 60
    assert torch.equal(again["w"], learned["w"])
    assert torch.equal(resumed.average["w"], course.average["w"])


def test_a_finished_training_only_goes_on_with_more_minutes(tmp_path: Path) -> None:
    checkpoint = tmp_path / "course.pt"
    first = weights()
    course = Course(first, tiny_lesson.plan(5), checkpoint)
    course.learn(lambda rng: square(first))
    same = Course(weights(), tiny_lesson.plan(5), checkpoint)
    same.learn(lambda rng: pytest.fail("a finished plan took another step"))
    more = weights()
    longer = Course(more, tiny_lesson.plan(8), checkpoint)
    longer.learn(lambda rng: square(more))
    assert (course.step, same.step, longer.step) == (5, 5, 8)


def test_a_save_that_dies_leaves_the_checkpoint_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = tmp_path / "course.pt"
    course = Course(weights(), TrainingPlan(minutes=1), checkpoint)
    course.save()
    before = checkpoint.read_bytes()

    def die(state: object, path: Path) -> None:
        path.write_bytes(b"half")
        raise Interrupted

    monkeypatch.setattr(torch, "save", die)
    with pytest.raises(Interrupted):
        course.save()
    assert checkpoint.read_bytes() == before


@pytest.mark.parametrize(
    ("step", "spent_s", "share"),
    [(0, 0, 0.01), (99, 0, 1), (5000, 30, 1), (5000, 48, 0.5), (5000, 60, 0.02), (5000, 99, 0.02)],
)
def test_the_learning_rate_rises_stays_and_falls(step: int, spent_s: float, share: float) -> None:
    plan = TrainingPlan(minutes=1, learning_rate=1e-3)
    assert plan.rate(step, spent_s) == pytest.approx(share * 1e-3)


def test_teaching_lowers_the_loss(tmp_path: Path, kept: Path) -> None:
    student, curriculum, states = tiny_lesson.student(), tiny_lesson.curriculum(), KeptStates(kept)
    lessons = Lessons(curriculum, states, PatchEncoder(tiny_lesson.write_start(tmp_path)))
    choice = PictureChoice(student, curriculum, states)

    def loss() -> float:
        torch.manual_seed(1)
        with torch.no_grad():
            return float(lesson_loss(student, choice, lessons.draw(48, 0, random.Random(1))))

    before = loss()
    plan = tiny_lesson.plan(60, batch=8, learning_rate=3e-3)
    course = Course(dict(student.named_parameters()), plan, tmp_path / "taught.pt")
    course.learn(lambda rng: lesson_loss(student, choice, lessons.draw(8, 0.5, rng)))
    assert loss() < 0.9 * before


def test_what_names_no_single_picture_is_no_choice(kept: Path) -> None:
    choice = PictureChoice(tiny_lesson.student(), tiny_lesson.curriculum(), KeptStates(kept))
    views = torch.randn(3, 64), torch.randn(3, 384), torch.randn(3, 384)
    alone = choice.losses(tuple(view[:1] for view in views), torch.tensor([[4]] * 3))
    masked = choice.losses(views, torch.tensor([[4, -1, -1]] * 3))
    torch.testing.assert_close(masked, alone)


@pytest.mark.parametrize(("spent_s", "share"), [(0, 0.5), (15, 0.6), (30, 0.7), (60, 0.7)])
def test_composed_pictures_come_more_and_more_often(spent_s: float, share: float) -> None:
    assert composed_share(spent_s, TrainingPlan(minutes=1)) == pytest.approx(share)


def test_what_is_unseen_is_never_drawn() -> None:
    lessons = SingleLessons(tiny_lesson.curriculum())
    assert not any(each.is_unseen for each in lessons.draw(200, random.Random(1)))
    assert {each.text for each in lessons.unseen(99)} == {"the red", "the green", "the blue"}
