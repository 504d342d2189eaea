"""The studio's form as the live page has it."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser

from adapters.models import BaseModel
from generation.studio.studio_forms import StudioForm


class LiveForm(StudioForm):
    """As the live page sends it at each pause: adapters are looked up where it names any."""

    def _offer_styles(self, model: BaseModel, user: AbstractBaseUser) -> None:
        if any(name.startswith("weight_") for name in self.data):
            super()._offer_styles(model, user)
