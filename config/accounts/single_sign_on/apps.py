from django.apps import AppConfig


class SingleSignOnConfig(AppConfig):
    """What the house keeps of identity providers."""

    name = "config.accounts.single_sign_on"
    label = "single_sign_on"
    default_auto_field = "django.db.models.BigAutoField"
