from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    """Projects, who belongs to them, and the people whom they serve."""

    name = "config.core.projects"
    label = "projects"
    default_auto_field = "django.db.models.BigAutoField"
