"""What reviewers tell each other, and the views of the queue that they keep."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db import models
from django.urls import reverse

from config.core.transitions import NeverChanged
from moderation.models.cases import ReviewCase


class CaseNote(models.Model):
    """A reviewer's note on a case, for the desk alone; never changed."""

    case = models.ForeignKey(ReviewCase, on_delete=models.CASCADE, related_name="notes")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    text = models.TextField()
    written_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"note on {self.case_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise NeverChanged("A note is never changed; write another one.")
        super().save(*args, **kwargs)


class SavedView(models.Model):
    """A filter of the queue under a name that its reviewer gave it."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views"
    )
    name = models.CharField(max_length=60)
    wanted = models.JSONField(help_text="The filter's fields that are set.")
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="one_view_of_a_name")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"{reverse('moderation:review')}?{urlencode(self.wanted)}"
