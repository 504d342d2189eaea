from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    """Endpoints of projects, their secrets and what was delivered to them."""

    name = "config.webhooks"
    label = "webhooks"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen to what projects are told."""
        from config.webhooks.deliveries import writing  # needs the models, which are loaded by now

        writing.connect()
