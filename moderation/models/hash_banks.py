"""Banks of fingerprints of known bad pictures, and what matched them."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q

from moderation.models.screenings import Screening


class HashBank(models.Model):
    """A list of fingerprints that stand for one policy category.

    `enforced_percent` of them act; the others match in the shadow and are only counted.
    """

    name = models.SlugField(max_length=64, unique=True)
    category = models.CharField(max_length=32)
    distance = models.PositiveSmallIntegerField(validators=[MaxValueValidator(64)])
    enforced_percent = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(enforced_percent__lte=100), name="enforced_percent_is_one"
            ),
            models.CheckConstraint(condition=Q(distance__lte=64), name="bank_distance_is_near"),
        ]

    def __str__(self) -> str:
        return self.name


class BankedHash(models.Model):
    """One fingerprint; `bucket` (0 to 99) says from which percentage on it acts."""

    bank = models.ForeignKey(HashBank, on_delete=models.CASCADE, related_name="hashes")
    fingerprint = models.BinaryField(max_length=32)
    bands = ArrayField(models.IntegerField())
    bucket = models.PositiveSmallIntegerField()
    note = models.CharField(max_length=200, blank=True)
    added_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "banked hashes"
        constraints = [
            models.UniqueConstraint(fields=["bank", "fingerprint"], name="one_hash_per_bank"),
            models.CheckConstraint(condition=Q(bucket__lt=100), name="bucket_is_below_100"),
        ]
        indexes = [GinIndex(fields=["bands"], name="banked_hash_bands")]

    def __str__(self) -> str:
        return bytes(self.fingerprint).hex()


class BankMatch(models.Model):
    """A screened picture that was near a fingerprint, whether that acted or only watched."""

    screening = models.ForeignKey(Screening, on_delete=models.CASCADE, related_name="bank_matches")
    banked = models.ForeignKey(BankedHash, on_delete=models.CASCADE, related_name="matches")
    distance = models.PositiveSmallIntegerField()
    is_enforced = models.BooleanField()
    matched_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "bank matches"

    def __str__(self) -> str:
        return f"{self.banked_id} at {self.distance}"
