from django.apps import AppConfig


class AuditsConfig(AppConfig):
    """Listens for blind labels that are given at the desk."""

    name = "moderation.audits"
    label = "audits"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Audits"

    def ready(self) -> None:
        from moderation.audits.sampling import blind_labels  # needs the models, loaded by now

        blind_labels.connect()
