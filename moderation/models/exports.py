"""What was taken out, and its digest."""

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.urls import reverse

from config.core.projects import columns
from config.core.storage import private_storage


class Export(models.Model):
    """One archive: the same kind, period and project give the same digest again, as long as the
    data of the period are the same.

    What compliance takes out is downloaded at once. What a project asked for a worker makes; it has
    its file from `ready_at` on, until that is cleared away.
    """

    class Kind(models.TextChoices):
        STATEMENTS = "statements", "Statements of reasons"
        TRANSPARENCY = "transparency", "Transparency report"
        DECISIONS = "decisions", "Decision log"

    public_id = models.UUIDField(db_default=RandomUUID(), unique=True, editable=False)
    project = columns.project(null=True)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    first = models.DateField()
    last = models.DateField()
    sha256 = models.CharField(max_length=64, blank=True)
    size_bytes = models.PositiveBigIntegerField(default=0)
    file = models.FileField(storage=private_storage, max_length=200, blank=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    made_at = models.DateTimeField()
    ready_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.first} to {self.last}"

    def get_absolute_url(self) -> str:
        return reverse("moderation:project-export", args=[self.project_id, self.public_id])

    @property
    def name(self) -> str:
        return f"{self.kind}-{self.first}-{self.last}.zip"

    def become_ready(self, *, file: str, sha256: str, size_bytes: int, at: datetime) -> None:
        self.file.name, self.sha256, self.size_bytes, self.ready_at = file, sha256, size_bytes, at
        self.save(update_fields=["file", "sha256", "size_bytes", "ready_at"])

    def clear(self) -> None:
        self.file.name = ""
        self.save(update_fields=["file"])
