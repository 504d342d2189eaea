from django.apps import AppConfig


class OutboxConfig(AppConfig):
    """Tasks that are rows until they are done, such as mails."""

    name = "config.core.outbox"
    label = "outbox"
    default_auto_field = "django.db.models.BigAutoField"
