"""Who has opened an adapter's link."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class AdapterShare(models.Model):
    """A person who opened the link of an adapter that its owner shares by link."""

    adapter = models.ForeignKey("adapters.Adapter", on_delete=models.CASCADE, related_name="shares")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="shared_adapters"
    )
    share_key = models.UUIDField()
    opened_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["adapter", "user"], name="adapters_shared_once"),
        ]

    def __str__(self) -> str:
        return f"{self.adapter_id} with {self.user_id}"
