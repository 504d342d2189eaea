"""What the house keeps of accounts and groups that arrive by SCIM (RFC 7643)."""

from __future__ import annotations

from typing import ClassVar
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower


class ProvisioningToken(models.Model):
    """Lets an identity provider speak SCIM, and nothing else. Kept is its SHA-256 alone."""

    name = models.CharField(max_length=80)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(max_length=16)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"


class ProvisionedUser(models.Model):
    """An account that SCIM made. SCIM sees these and no other account.

    One that the provider deleted is closed and stays: the same `scim_external_id` finds it again.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    account = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="provisioned"
    )
    scim_external_id = models.CharField(max_length=254, blank=True)
    user_name = models.CharField(max_length=254)
    display_name = models.CharField(max_length=254, blank=True)
    email = models.CharField(max_length=254, blank=True)
    made_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                Lower("user_name"),
                condition=Q(deleted_at=None),
                name="single_sign_on_user_name_once",
            ),
            models.UniqueConstraint(
                fields=["scim_external_id"],
                condition=~Q(scim_external_id=""),
                name="single_sign_on_external_id_once",
            ),
        ]

    def __str__(self) -> str:
        return self.user_name


class ProvisionedGroup(models.Model):
    """A provider's group. What follows from it stands in the map of SIGN_ON_FILE."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    scim_external_id = models.CharField(max_length=254, blank=True)
    display_name = models.CharField(max_length=254, unique=True)
    members = models.ManyToManyField(ProvisionedUser, related_name="scim_groups")
    made_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.display_name
