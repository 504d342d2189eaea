"""Moves between states, and rows that never change."""

from typing import Any

from django.db import models

from config.core.errors import ProofsheetError


class WrongState(ProofsheetError):
    """A move that the table of transitions does not have: a conflict, not a missing permission."""

    default_code = "wrong_state"
    default_status = 409
    default_message = "This has already moved on, so that step is no longer possible."
    default_advice = "Reload the page to see where it stands."


class NeverChanged(RuntimeError):
    """Somebody tried to change or delete evidence; a new row that names the old one is written."""


class WrittenOnce(models.Model):
    """A row of evidence; triggers in the database repeat that it is never changed or deleted."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise NeverChanged(f"A {self._meta.verbose_name} is never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise NeverChanged(f"A {self._meta.verbose_name} is never deleted.")
