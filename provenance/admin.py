"""The admin looks at assets and the log; nobody edits either there."""

from django.contrib import admin

from config.core.admin_pages import LargeTableAdmin, ReadOnlyAdmin, RecentValues
from provenance.models import (
    Asset,
    Checkpoint,
    Copy,
    Cosignature,
    LogEntry,
    Timestamp,
    VerifyFeedback,
)


@admin.register(Asset)
class AssetAdmin(LargeTableAdmin):
    """Marked pictures, by what is public of them; thumbnails and manifests are not shown."""

    list_display = ("id", "watermark_id", "system_model", "is_altered", "created_at")
    list_filter = (("system_model", RecentValues), "is_altered")
    search_fields = ("id", "watermark_id", "sha256")
    ordering = ("-created_at",)
    fields = (
        "id",
        "watermark_id",
        "sha256",
        "manifest_sha256",
        "width",
        "height",
        "provider",
        "system_name",
        "system_version",
        "system_model",
        "created_at",
        "is_altered",
        "is_observed",
        "is_timestamped",
    )


@admin.register(LogEntry)
class LogEntryAdmin(LargeTableAdmin):
    """Entries of the log with their canonical text and their place, once they have one."""

    list_display = ("id", "kind", "subject", "place", "at")
    list_filter = (("kind", RecentValues),)
    search_fields = ("subject",)
    list_select_related = ("leaf",)
    ordering = ("-id",)
    fields = ("kind", "subject", "at", "place", "text")
    readonly_fields = ("place", "text")

    @admin.display(description="leaf index")
    def place(self, entry: LogEntry) -> str:
        return str(entry.leaf.index) if hasattr(entry, "leaf") else "waiting"

    @admin.display(description="body")
    def text(self, entry: LogEntry) -> str:
        return bytes(entry.body).decode()


@admin.register(Checkpoint)
class CheckpointAdmin(ReadOnlyAdmin):
    """Signed heads of the log's tree, the largest first."""

    list_display = ("tree_size", "root", "made_at")
    ordering = ("-tree_size",)
    fields = ("tree_size", "root", "note", "made_at")
    readonly_fields = ("root",)

    @admin.display(description="root hash")
    def root(self, checkpoint: Checkpoint) -> str:
        return bytes(checkpoint.root_hash).hex()


@admin.register(Cosignature)
class CosignatureAdmin(ReadOnlyAdmin):
    """What each witness saw last, and the code of its refusal where it refused."""

    list_display = ("name", "tree_size", "at", "problem")
    ordering = ("witness",)
    fields = ("witness", "tree_size", "line", "at", "problem")

    @admin.display(description="witness")
    def name(self, cosignature: Cosignature) -> str:
        return cosignature.witness.partition("+")[0]


@admin.register(Timestamp)
class TimestampAdmin(ReadOnlyAdmin):
    """Checkpoints that an authority dated or still has to, with what went wrong."""

    list_display = ("tree_size", "dated_at", "authority", "attempts", "problem")
    ordering = ("-tree_size",)
    fields = (
        "tree_size",
        "dated_at",
        "authority",
        "first_asked_at",
        "asked_at",
        "attempts",
        "problem",
        "note",
    )


@admin.register(Copy)
class CopyAdmin(ReadOnlyAdmin):
    """Copies in other formats that wait for a timestamp; their bytes are not shown."""

    list_display = ("asset_id", "mime", "is_timestamped", "attempts", "made_at")
    list_filter = ("mime", "is_timestamped")
    ordering = ("-made_at",)
    fields = ("asset_id", "mime", "is_timestamped", "attempts", "made_at")


@admin.register(VerifyFeedback)
class VerifyFeedbackAdmin(ReadOnlyAdmin):
    """What visitors of the verify page thought of its verdicts."""

    list_display = ("on", "is_right", "said_ours", "comment")
    list_filter = ("is_right", "said_ours")
    ordering = ("-on", "-id")
    fields = ("on", "is_right", "said_ours", "comment")
