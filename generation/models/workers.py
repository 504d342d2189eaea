"""Who renders, and what the processes of a house tell each other."""

from __future__ import annotations

from django.db import models

SWEEP = "sweep"


class Worker(models.Model):
    """A worker process that announces itself every few seconds while it lives."""

    name = models.CharField(max_length=120, unique=True)
    queues = models.JSONField(default=list, help_text="Names of the queues that it takes from.")
    slots = models.PositiveSmallIntegerField(default=1)
    vitals = models.JSONField(default=dict, help_text="What its engines hold and have done.")
    release = models.CharField(max_length=32, default="", db_default="")
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class Occurrence(models.Model):
    """When something last happened that other processes go by: a sweep, a store that was full."""

    name = models.CharField(max_length=32, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} at {self.at}"
