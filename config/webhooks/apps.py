from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    """Endpoints of projects, their secrets and what was delivered to them."""

    name = "config.webhooks"
    label = "webhooks"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen to what projects are told, and tell how much waits."""
        from config.webhooks import outbox_metrics  # needs the models, which are loaded by now
        from config.webhooks.deliveries import writing  # likewise

        writing.connect()
        outbox_metrics.register()
