from typing import Any

from django.apps import AppConfig
from django.db.models.signals import pre_delete


class HoldsConfig(AppConfig):
    """Holds, and that no account goes which is under one."""

    name = "config.core.holds"
    label = "holds"
    verbose_name = "Legal holds"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """An account takes along what is the person's: it is asked for whoever deletes it."""
        from django.contrib.auth.models import User  # models, which are loaded by now

        pre_delete.connect(_require_free, sender=User, dispatch_uid="holds.require_free")


def _require_free(instance: Any, **_: Any) -> None:
    from config.core import clock  # the database's, which is there by now
    from config.core.holds import asking  # models, likewise
    from config.core.holds.models import HeldKind  # likewise

    asking.require_free({HeldKind.ACCOUNT: [instance.pk]}, at=clock.now())
