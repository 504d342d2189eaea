"""The transparency log as tables.

A log entry is written once, in the transaction of the business that it records, together with a
`PendingEntry` (the outbox). The sequencer later gives it a gap-free `Leaf` and removes the pending
row. Entries, leaves, nodes and checkpoints are append-only: triggers in the migration refuse
UPDATE, DELETE and TRUNCATE.
"""

from django.db import models
from django.db.models import Q


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
        LogEntry,
        on_delete=models.PROTECT,
        primary_key=True,
        related_name="pending",
        db_constraint=False,  # entries are never deleted, and a check for each costs the append
    )

    class Meta:
        verbose_name_plural = "pending entries"

    def __str__(self) -> str:
        return f"pending {self.entry_id}"


class Leaf(models.Model):
    """The place of an entry in the tree."""

    index = models.BigIntegerField(primary_key=True)
    entry = models.OneToOneField(
        LogEntry, on_delete=models.PROTECT, related_name="leaf", db_constraint=False
    )

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


class Freshness(models.Model):
    """The newest timed cosignature of the largest tree: one row, made anew while the log idles."""

    tree_size = models.BigIntegerField(primary_key=True)
    line = models.TextField(help_text="signature line (C2SP tlog-cosignature)")
    at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "freshness"

    def __str__(self) -> str:
        return f"freshness of {self.tree_size}"


class Cosignature(models.Model):
    """The last line that a witness gave: one row a witness, for the largest tree that it has seen.

    `problem` is a code where it refused the newest checkpoint.
    """

    witness = models.CharField(max_length=400, unique=True, help_text="its verifier key")
    tree_size = models.BigIntegerField(db_index=True)
    line = models.TextField(help_text="signature line (C2SP tlog-cosignature)")
    at = models.DateTimeField()
    problem = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return f"cosignature of {self.tree_size} by {self.witness.partition('+')[0]}"


class Timestamp(models.Model):
    """A checkpoint that a timestamping authority dated (RFC 3161), or still has to.

    `note` is the checkpoint with the cosignatures that it had when it was dated. While `token` is
    empty the tree is untimestamped; `problem` says why, and the row is tried again.
    """

    tree_size = models.BigIntegerField(unique=True)
    note = models.TextField()
    token = models.BinaryField(blank=True, help_text="CMS, DER; empty while there is none")
    dated_at = models.DateTimeField(null=True, blank=True, help_text="what the token says")
    authority = models.CharField(max_length=400, blank=True)
    first_asked_at = models.DateTimeField()
    asked_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    problem = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(token=b"", dated_at__isnull=True)
                | ~Q(token=b"") & Q(dated_at__isnull=False),
                name="timestamp_dated_with_token",
            ),
            models.UniqueConstraint(
                fields=["token"], condition=Q(token=b""), name="one_timestamp_is_open"
            ),
        ]

    def __str__(self) -> str:
        return f"timestamp of {self.tree_size}"


class Checkpoint(models.Model):
    """A signed statement of the tree's size and root, as a C2SP signed note."""

    tree_size = models.BigIntegerField(unique=True)
    root_hash = models.BinaryField(max_length=32)
    note = models.TextField()
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"checkpoint {self.tree_size}"
