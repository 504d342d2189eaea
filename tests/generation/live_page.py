"""The live page as the tests use it: one person's browser, and the worker behind it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.test import Client

from adapters.models import BaseModel
from generation.hardware import devices
from generation.live import live_views
from generation.work import worker
from tests.fakes import FrozenClock


class LivePage:
    def __init__(self, user: User, clock: FrozenClock) -> None:
        self.clock = clock
        self.client = Client()
        self.client.force_login(user)

    def draw(
        self, prompt: str = "a red apple", *, seed: str = "1", **more: str | list[str]
    ) -> UUID:
        said = {"prompt": prompt, "model": "tiny", "seed": seed} | more
        answer = self.client.post("/studio/live/draw/", said)
        assert answer.status_code == 200, answer.content
        return UUID(answer.json()["id"])

    def work(self) -> int:
        """Carry out what waits; how many forwards it took."""
        model = BaseModel.objects.get()
        before = devices.engine_for(model).denoiser.forwards
        assert worker.work_one(now=self.clock)
        return devices.engine_for(model).denoiser.forwards - before

    def look(self, request_id: UUID, *, shown: str = "") -> Any:
        """What the address answers now, without waiting, while the picture with the tag `shown` is
        on the page."""
        headers = {"If-None-Match": shown} if shown else {}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(live_views, "LOOKS", 1)
            return self.client.get(f"/studio/live/{request_id}/", headers=headers)
