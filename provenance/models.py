"""What is kept about each marked picture, and the transparency log as tables.

A log entry is written once, in the transaction of the business that it records, together with a
`PendingEntry` (the outbox).
The sequencer later gives it a gap-free `Leaf` and removes the pending row. Entries, leaves, nodes
and checkpoints are append-only:
triggers in the migration refuse UPDATE, DELETE and TRUNCATE.
"""

from uuid import uuid4

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q


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
    fingerprint_bands = ArrayField(
        models.IntegerField(), help_text="16 bits each with their place, to search by distance"
    )
    thumbnail = models.BinaryField(
        help_text="small JPEG that crops and screenshots are compared with; never shown"
    )
    manifest = models.BinaryField(
        help_text="C2PA manifest store, so that a stripped file finds it again"
    )
    manifest_sha256 = models.CharField(max_length=64)
    salt = models.BinaryField(
        max_length=32, help_text="key of the commitments in the log entry; erased with the content"
    )
    provider = models.CharField(max_length=200)
    system_name = models.CharField(max_length=200)
    system_version = models.CharField(max_length=100)
    system_model = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    is_altered = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(fields=["created_at"]),
            GinIndex(fields=["fingerprint_bands"], name="asset_fingerprint_bands"),
        ]

    def __str__(self) -> str:
        return f"asset {self.id}"


class LogEntry(models.Model):
    """Canonical bytes of one recorded fact: digests, commitments and types only."""

    kind = models.CharField(max_length=64)
    subject = models.UUIDField(db_index=True)
    body = models.BinaryField(help_text="canonical bytes; the leaf hash is made of exactly these")
    at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "log entries"

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"


class PendingEntry(models.Model):
    """Outbox row: an entry that the sequencer has not yet given a leaf index."""

    entry = models.OneToOneField(
        LogEntry, on_delete=models.PROTECT, primary_key=True, related_name="pending"
    )

    class Meta:
        verbose_name_plural = "pending entries"

    def __str__(self) -> str:
        return f"pending {self.entry_id}"


class Leaf(models.Model):
    """The place of an entry in the tree."""

    index = models.BigIntegerField(primary_key=True)
    entry = models.OneToOneField(LogEntry, on_delete=models.PROTECT, related_name="leaf")

    class Meta:
        verbose_name_plural = "leaves"
        constraints = [
            models.CheckConstraint(condition=Q(index__gte=0), name="leaf_index_not_negative")
        ]

    def __str__(self) -> str:
        return f"leaf {self.index}"


class Node(models.Model):
    """Digest of one complete subtree: level 0 holds leaf hashes, level n covers 2**n of them."""

    level = models.PositiveSmallIntegerField()
    position = models.BigIntegerField()
    digest = models.BinaryField(max_length=32)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["level", "position"], name="one_node_per_place")
        ]

    def __str__(self) -> str:
        return f"node {self.level}/{self.position}"


class Checkpoint(models.Model):
    """A signed statement of the tree's size and root, as a C2SP signed note."""

    tree_size = models.BigIntegerField(unique=True)
    root_hash = models.BinaryField(max_length=32)
    note = models.TextField()
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"checkpoint {self.tree_size}"
