from django.apps import AppConfig

from config.core import retention
from config.core.watching import house_gauges


class WebhooksConfig(AppConfig):
    """Endpoints of projects, their secrets and what was delivered to them."""

    name = "config.webhooks"
    label = "webhooks"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen to what projects are told, tell how much waits, and keep none of it for ever."""
        from config.webhooks import outbox_metrics  # needs the models, which are loaded by now
        from config.webhooks.deliveries import cleaning, writing  # likewise

        writing.connect()
        house_gauges.register(outbox_metrics.families)
        retention.register(
            "what was sent to an endpoint, and one that was deleted",
            cleaning.forget,
            kept=f"{cleaning.KEPT.days} days; with an endpoint, a day after it was deleted",
            due=cleaning.due,
        )
