"""The view of what belongs to whoever asks."""

from __future__ import annotations

from django.contrib.auth.models import User

from config.core.api.view import ApiView


class SignedInView(ApiView):
    """The permission class leaves only signed-in people through."""

    def user(self) -> User:
        """Who asks."""
        user = self.request.user
        assert isinstance(user, User)
        return user
