"""Every event that is documented is told by what it says happened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import User

from adapters.models import Adapter
from config.core import events
from config.core.outbox.event_types import EVENT_TYPES
from config.core.projects import end_users
from config.core.projects.models import Project
from generation.models import GenerationRequest, RequestStatus
from moderation.appeals import hearing
from moderation.exports import project_exports
from moderation.models import Decision
from tests.factories import NOON, make_adapter, make_image, make_model, make_request
from tests.projects.makers import make_project
from tests.projects.test_standing import decided, suspended

pytestmark = pytest.mark.django_db


@dataclass
class House:
    alice: User
    bob: User
    carol: User
    team: Project

    def asked(self, **said: Any) -> GenerationRequest:
        model = make_model(slug=f"m{GenerationRequest.objects.count()}", is_default=False)
        eve = end_users.seen(self.team, "eve", at=NOON)
        status = said.pop("status", RequestStatus.SUBMITTED)
        return make_request(
            self.alice, model, status=status, project=self.team, end_user=eve, **said
        )

    def warned(self) -> Decision:
        return decided(self.asked(), self.bob, self.carol, "warn")

    def appealed(self, *, outcome: str = "") -> None:
        appeal = hearing.lodge(self.warned(), by=self.alice, grounds="No.", at=NOON)
        if outcome:
            said: Any = outcome
            hearing.hear(appeal, by=self.carol, outcome=said, reasons="So.", at=NOON)

    def succeeded(self) -> None:
        running = self.asked(status=RequestStatus.RUNNING)
        make_image(self.alice, running.model, request=running)
        running.finish(at=NOON)

    def refused(self) -> None:
        decided(self.asked(), self.bob, self.carol, "refuse")

    def released(self) -> None:
        held = self.asked()
        held.hold()
        decided(held, self.bob, self.carol, "allow", reason="within_policy")

    def failed(self) -> None:
        self.asked(status=RequestStatus.QUEUED).fail(code="render_failed", at=NOON)

    def suspended(self) -> None:
        suspended(self.asked(), self.bob, self.carol)

    def checked(self, *, is_good: bool) -> None:
        row = make_adapter(
            make_model(),
            owner=self.alice,
            project=self.team,
            state=Adapter.State.VALIDATING,
            visibility="private",
        )
        if is_good:
            assert row.base_model
            row.accept(
                base_model=row.base_model,
                rank=4,
                file="a.safetensors",
                content_sha256="c" * 64,
                report={},
                at=NOON,
            )
        else:
            row.reject(code="rank_too_high", report={}, at=NOON)

    def taken_out(self) -> None:
        day = NOON.date()
        row = project_exports.ask(self.team.pk, "decisions", day, day, by=self.alice, at=NOON)
        project_exports.make(row.public_id, at=NOON)


CAUSES: dict[str, Callable[[House], object]] = {
    "generation.succeeded": House.succeeded,
    "generation.held": lambda house: house.asked().hold(),
    "generation.released": House.released,
    "generation.refused": House.refused,
    "generation.failed": House.failed,
    "appeal.received": House.appealed,
    "appeal.decided": lambda house: house.appealed(outcome="upheld"),
    "decision.overturned": lambda house: house.appealed(outcome="reversed"),
    "end_user.warned": House.warned,
    "end_user.suspended": House.suspended,
    "end_user.restored": lambda house: house.appealed(outcome="reversed"),
    "adapter.accepted": lambda house: house.checked(is_good=True),
    "adapter.rejected": lambda house: house.checked(is_good=False),
    "export.ready": House.taken_out,
}


@pytest.mark.parametrize("type", EVENT_TYPES)
def test_what_is_documented_is_told(type: str, alice: User, bob: User, carol: User) -> None:
    heard: list[events.ProjectEvent] = []

    def hear(*, event: events.ProjectEvent, **_: Any) -> None:
        heard.append(event)

    house = House(alice, bob, carol, make_project(alice))
    events.told.connect(hear)
    try:
        CAUSES[type](house)
    finally:
        events.told.disconnect(hear)
    [event] = [event for event in heard if event.type == type]
    assert event.project_id == house.team.pk
    assert event.said()
