"""The room in the admin: look at how it runs, change nothing; evidence and words that people wrote
stay at the desk."""

from django.contrib import admin

from config.core.admin_pages import LargeTableAdmin, ReadOnlyAdmin, RecentValues
from config.core.projects.admin_filter import OfProject
from moderation.models import (
    Appeal,
    AudienceChoice,
    BankedHash,
    BankMatch,
    BlurChoice,
    Break,
    CaseNote,
    Decision,
    Export,
    HashBank,
    PendingDecision,
    Policy,
    PolicyOverlay,
    PublicAddress,
    Report,
    Reveal,
    ReviewCase,
    SavedView,
    Screening,
    Statement,
    Suspension,
)


class ReadOnly(ReadOnlyAdmin):
    """Looked at alone; each of its filters acts at once."""

    list_filter_submit = False


@admin.register(Policy)
class PolicyAdmin(ReadOnly):
    """Which policy versions there are, and since when one was used."""

    list_display = ("version", "profile", "status", "sha256", "first_used_at")
    list_filter = ("profile", "status")


@admin.register(PolicyOverlay)
class PolicyOverlayAdmin(ReadOnly):
    """Which projects tighten the policy, and since when; what they tighten stays with them."""

    list_display = ("__str__", "project", "status", "proposed_at", "activated_at", "retired_at")
    list_filter = ("status", OfProject)
    list_select_related = ("project",)
    exclude = ("document", "rationale")


@admin.register(Screening)
class ScreeningAdmin(LargeTableAdmin):
    """Verdicts by stage and classifier; neither scores nor matches."""

    list_display = ("screened_at", "stage", "verdict", "policy", "classifier", "is_from_cache")
    list_filter = ("stage", "verdict", ("profile", RecentValues))
    list_filter_submit = False
    list_select_related = ("policy",)
    ordering = ("-pk",)
    exclude = ("matched", "learned", "categories", "cache_key")


@admin.register(ReviewCase)
class ReviewCaseAdmin(ReadOnly):
    """Where cases stand and who holds them; never their evidence."""

    list_display = ("id", "subject_kind", "category", "severity", "status", "due_at", "leased_by")
    list_filter = ("status", "subject_kind", "category", "severity", OfProject)
    list_select_related = ("leased_by",)
    exclude = ("evidence", "lease_token")


@admin.register(Decision)
class DecisionAdmin(ReadOnly):
    """What was decided by whom; neither evidence nor explanations."""

    list_display = ("decided_at", "subject_kind", "action", "reason", "is_automated", "decided_by")
    list_filter = ("action", "subject_kind", "reason", "is_automated", OfProject)
    list_select_related = ("decided_by",)
    exclude = ("evidence", "explanation", "categories")
    date_hierarchy = "decided_at"


@admin.register(PendingDecision)
class PendingDecisionAdmin(ReadOnly):
    """Decisions that wait for their undo window or a second person."""

    list_display = ("decided_at", "case", "action", "reason", "decided_by", "is_severe", "due_at")
    list_select_related = ("case", "decided_by")
    exclude = ("explanation", "perceived")


@admin.register(Statement)
class StatementAdmin(ReadOnly):
    """That a statement was written; it is its owner's to read."""

    list_display = ("id", "decision", "created_at")
    list_filter = (OfProject,)
    list_select_related = ("decision",)
    exclude = ("owner", "fields")


@admin.register(Appeal)
class AppealAdmin(ReadOnly):
    """How far appeals are and who heard them; never their words."""

    list_display = ("id", "status", "lodged_at", "due_at", "hearer", "heard_at")
    list_filter = ("status", OfProject)
    list_select_related = ("hearer",)
    exclude = ("grounds", "reasons", "email")


@admin.register(PublicAddress)
class PublicAddressAdmin(ReadOnly):
    """Which refusals and holds can be read without an account; never under which address."""

    list_display = ("made_at", "case", "decision", "number", "withdrawn_at")
    list_select_related = ("case", "decision")
    exclude = ("digest",)


@admin.register(Reveal)
class RevealAdmin(ReadOnly):
    """Who looked at which picture in full, and when."""

    list_display = ("revealed_at", "revealed_by", "subject_kind", "subject_id", "severity")
    list_filter = ("subject_kind", "severity")
    list_select_related = ("revealed_by",)


@admin.register(Suspension)
class SuspensionAdmin(ReadOnly):
    """Who is suspended, from when and until when."""

    list_display = ("user", "began_at", "ends_at", "lifted_at", "decision")
    list_select_related = ("user", "decision")
    date_hierarchy = "began_at"


@admin.register(AudienceChoice)
class AudienceChoiceAdmin(ReadOnly):
    """Which audience people chose, and when they said that they are of age."""

    list_display = ("user", "profile", "chosen_at", "attested_at")
    list_filter = ("profile",)
    list_select_related = ("user",)


@admin.register(Report)
class ReportAdmin(ReadOnly):
    """Who sent a report, and its receipt, are for nobody here."""

    list_display = ("received_at", "case", "category", "is_trusted")
    list_filter = ("category", "is_trusted")
    list_select_related = ("case",)
    exclude = ("receipt_key", "notifier", "sender", "name", "email", "explanation")
    date_hierarchy = "received_at"


@admin.register(Export)
class ExportAdmin(ReadOnly):
    """Which exports were made, with their digests."""

    list_display = ("kind", "first", "last", "project", "sha256", "made_by", "made_at")
    list_filter = ("kind", OfProject)
    list_select_related = ("made_by", "project")
    exclude = ("file",)


@admin.register(HashBank)
class HashBankAdmin(ReadOnly):
    """Banks of known pictures, and how much of each acts."""

    list_display = ("name", "category", "distance", "enforced_percent", "created_at")
    list_filter = ("category",)


@admin.register(BankedHash)
class BankedHashAdmin(ReadOnly):
    """Fingerprints by bank; never their bits."""

    list_display = ("__str__", "bank", "bucket", "note", "added_at")
    list_filter = ("bank",)
    list_select_related = ("bank",)
    exclude = ("fingerprint", "bands")


@admin.register(BankMatch)
class BankMatchAdmin(ReadOnly):
    """Which fingerprints a screened picture came near to."""

    list_display = ("matched_at", "banked", "distance", "is_enforced")
    list_filter = ("is_enforced", "banked__bank")
    list_select_related = ("banked",)


@admin.register(CaseNote)
class CaseNoteAdmin(ReadOnly):
    """That a note was written, and by whom; not its text."""

    list_display = ("written_at", "case", "author")
    list_select_related = ("case", "author")
    exclude = ("text",)


@admin.register(SavedView)
class SavedViewAdmin(ReadOnly):
    """Which filters of the queue reviewers keep."""

    list_display = ("owner", "name", "wanted", "saved_at")
    list_select_related = ("owner",)


@admin.register(Break)
class BreakAdmin(ReadOnly):
    """When reviewers rested."""

    list_display = ("reviewer", "began_at", "ends_at")
    list_select_related = ("reviewer",)


@admin.register(BlurChoice)
class BlurChoiceAdmin(ReadOnly):
    """How strongly reviewers want pictures blurred, by category."""

    list_display = ("reviewer", "category", "level")
    list_select_related = ("reviewer",)
