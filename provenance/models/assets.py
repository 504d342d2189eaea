"""What is kept about each marked picture."""

from uuid import uuid4

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from config.core import content_files
from provenance.manifests import manifest_stores

MANIFESTS = "manifests"
"""The folder of the private storage in which each manifest lies under its digest."""


class Asset(models.Model):
    """One marked picture, as the public may learn of it; never its prompt, never its owner."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    watermark_id = models.CharField(
        max_length=16, unique=True, help_text="64-bit identifier in the pixels, 16 hex digits"
    )
    sha256 = models.CharField(max_length=64, db_index=True, help_text="digest of the sealed file")
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    fingerprint = models.BinaryField(max_length=32, help_text="PDQ, 256 bits")
    image_code = models.CharField(
        max_length=80, blank=True, db_index=True, help_text="ISCC Image-Code, 256 bits"
    )
    fingerprint_bands = ArrayField(
        models.IntegerField(), help_text="16 bits each with their place, to search by distance"
    )
    thumbnail = models.BinaryField(
        blank=True, default=b"", help_text="of rows from before manifests lay in the storage"
    )
    manifest = models.BinaryField(
        blank=True, default=b"", help_text="of rows from before manifests lay in the storage"
    )
    manifest_sha256 = models.CharField(
        max_length=64, help_text="digest of the C2PA manifest store, and where the storage has it"
    )
    salt = models.BinaryField(
        max_length=32, help_text="key of the commitments in the log entry; erased with the content"
    )
    provider = models.CharField(max_length=200)
    system_name = models.CharField(max_length=200)
    system_version = models.CharField(max_length=100)
    system_model = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    is_altered = models.BooleanField(default=False)
    is_observed = models.BooleanField(
        default=True, help_text="false for a picture of an archive that was marked late"
    )
    is_timestamped = models.BooleanField(
        default=False, help_text="whether the manifest's signature carries a trusted time"
    )

    class Meta:
        indexes = [
            models.Index(fields=["created_at"]),
            GinIndex(fields=["fingerprint_bands"], name="asset_fingerprint_bands"),
        ]

    def __str__(self) -> str:
        return f"asset {self.id}"

    def manifest_store(self) -> bytes:
        """The C2PA manifest store, so that a stripped file finds it again.

        Raises ContentMissing, ContentAltered.
        """
        if self.manifest:
            return content_files.checked(bytes(self.manifest), self.manifest_sha256)
        return content_files.read(MANIFESTS, self.manifest_sha256)

    def small_picture(self) -> bytes:
        """The small JPEG that crops and screenshots are compared with, which the manifest carries;
        never shown. Raises ContentMissing, ContentAltered.
        """
        return bytes(self.thumbnail) or manifest_stores.thumbnail(self.manifest_store())


class ManifestName(models.Model):
    """The name of an asset's active manifest: random, and in no entry of the log, so only who has
    the picture, or a part of it, learns it.
    """

    asset = models.OneToOneField(Asset, on_delete=models.CASCADE, related_name="manifest_name")
    urn = models.CharField(max_length=200, help_text="as it stands in the store")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["urn"], name="manifest_named_once")]

    def __str__(self) -> str:
        return self.urn


class Copy(models.Model):
    """A picture in another format as it was delivered, until it has its timestamp and some time
    after. It goes with its asset.
    """

    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="copies")
    mime = models.CharField(max_length=20)
    data = models.BinaryField(help_text="the signed file")
    draft = models.BinaryField(
        blank=True, help_text="what its manifest is made of anew; empty once it is timestamped"
    )
    is_timestamped = models.BooleanField(default=False)
    attempts = models.PositiveIntegerField(
        default=0, help_text="how often the authority answered, but with no time that is trusted"
    )
    made_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name_plural = "copies"
        constraints = [
            models.UniqueConstraint(fields=["asset", "mime"], name="one_copy_per_format"),
            models.CheckConstraint(
                condition=Q(is_timestamped=True) | ~Q(draft=b""), name="copy_waits_with_a_draft"
            ),
        ]
        indexes = [
            models.Index(
                fields=["attempts", "made_at"],
                condition=Q(is_timestamped=False),
                name="copy_waiting",
            )
        ]

    def __str__(self) -> str:
        return f"{self.mime} of {self.asset_id}"


class VerifyFeedback(models.Model):
    """Whether somebody found a verdict right. No address, no file, no time of day."""

    is_right = models.BooleanField()
    said_ours = models.BooleanField(help_text="whether the verdict was that the picture is ours")
    comment = models.TextField(blank=True)
    on = models.DateField()

    class Meta:
        verbose_name_plural = "verify feedback"

    def __str__(self) -> str:
        return f"{'right' if self.is_right else 'wrong'} on {self.on}"
