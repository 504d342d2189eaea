"""What may happen to the rows of each table: evidence is written once, state changes. Pure.

Evidence is what a person, a court or an auditor is later shown. `privileges.py` makes triggers and
grants of this table after every migration; a test compares it with the models, so that none comes
without its rule.
"""

from dataclasses import dataclass
from typing import Literal

ERASED = "evidence.erased"
"""Kind of the log's entry without which nothing is erased; its subject is the row's id."""


@dataclass(frozen=True, slots=True)
class RecordRule:
    """`state` and `other` (a library's own) rows are free. Of `evidence` no column changes, but

    `changes`: state that belongs to the row. `once`: from empty to a value. `forgets`: to empty,
    such as who it was. `erases`: to empty, or for JSON to a part of what it was, once the log holds
    a `tombstone` for the row's id. `shrinks`: to a part of what it was where `shrinks_when` holds.
    `moves`: to empty where `moves_when` holds, because the storage has it by a digest of the row's.
    After `sealed_by` has a value, `changes` and `once` are over.

    No row is deleted, but where `deleted_when` holds, or with `is_deleted_with_tombstone` once the
    log holds the tombstone. Conditions are SQL over the old row, `($1)`. Of a table that
    `is_cascaded`, Django asks to delete what belongs to a row that goes, even where that is none.
    """

    kind: Literal["evidence", "log", "state", "other"]
    changes: tuple[str, ...] = ()
    once: tuple[str, ...] = ()
    forgets: tuple[str, ...] = ()
    erases: tuple[str, ...] = ()
    shrinks: tuple[str, ...] = ()
    shrinks_when: str = "false"
    moves: tuple[str, ...] = ()
    moves_when: str = "false"
    sealed_by: str = ""
    deleted_when: str = "false"
    tombstone: str = ERASED
    is_deleted_with_tombstone: bool = False
    is_cascaded: bool = False

    @property
    def is_updated(self) -> bool:
        """Whether the application needs UPDATE at all; a lock asks for it too."""
        ways = (self.changes, self.once, self.forgets, self.erases, self.shrinks, self.moves)
        return any(ways) or self.is_deleted_with_tombstone

    @property
    def is_deleted(self) -> bool:
        is_ever = self.deleted_when != "false" or self.is_deleted_with_tombstone
        return is_ever or self.is_cascaded


LOG, STATE, OTHER, EVIDENCE = (
    RecordRule("log"),
    RecordRule("state"),
    RecordRule("other"),
    RecordRule("evidence"),
)
_MANIFEST_IS_NAMED = (  # and carries the thumbnail
    "encode(sha256(($1).manifest), 'hex') = ($1).manifest_sha256"
    " AND position(($1).thumbnail IN ($1).manifest) > 0"
)
_WITHDRAWN = "($1).is_sampled AND ($1).decided_at IS NULL"  # nobody waited for it

RULES: dict[str, RecordRule] = {
    # -------------------------------------------------------------- provenance
    "provenance_logentry": LOG,
    "provenance_leaf": LOG,
    "provenance_node": LOG,
    "provenance_checkpoint": LOG,
    "provenance_asset": RecordRule(
        "evidence",
        moves=("manifest", "thumbnail"),
        moves_when=_MANIFEST_IS_NAMED,
        tombstone="asset.erased",
        is_deleted_with_tombstone=True,
    ),
    "provenance_timestamp": RecordRule(
        "evidence",
        changes=("tree_size", "note", "asked_at", "attempts", "problem", "authority"),
        once=("token", "dated_at"),
        sealed_by="dated_at",
    ),
    "provenance_verifyfeedback": EVIDENCE,
    "provenance_copy": STATE,
    "provenance_manifestname": STATE,
    "provenance_pendingentry": STATE,
    "provenance_freshness": STATE,
    "provenance_cosignature": STATE,
    # -------------------------------------------------------------- moderation
    "moderation_reviewcase": RecordRule(
        "evidence",
        changes=(
            *("status", "category", "severity", "due_at", "leased_by_id", "assigned_to_id"),
            *("lease_token", "lease_expires_at", "is_blind"),
        ),
        once=("decided_at",),
        forgets=("owner_id", "leased_by_id", "assigned_to_id", "not_for_id"),
        erases=("evidence",),
        shrinks=("evidence",),
        shrinks_when="($1).is_sampled",
        sealed_by="decided_at",
        deleted_when=_WITHDRAWN,
    ),
    "moderation_decision": RecordRule(
        "evidence",
        forgets=("owner_id", "decided_by_id", "confirmed_by_id"),
        erases=("evidence", "explanation"),
    ),
    "moderation_statement": RecordRule("evidence", forgets=("owner_id",)),
    "moderation_contentnotice": RecordRule(
        "evidence",
        forgets=("notifier_id", "sender", "name", "email"),
        erases=("explanation",),
    ),
    "moderation_appeal": RecordRule(
        "evidence",
        changes=("status",),
        once=("hearer_id", "reasons", "heard_at"),
        forgets=("appellant_id", "decider_id", "hearer_id", "email"),
        erases=("grounds", "reasons"),
        sealed_by="heard_at",
    ),
    "moderation_policy": RecordRule(
        "evidence",
        changes=("status",),
        once=(
            *("first_used_at", "proposed_by_id", "proposed_at", "activated_by_id"),
            *("activated_at", "retired_at"),
        ),
        forgets=("drafted_by_id", "proposed_by_id", "activated_by_id"),
        sealed_by="retired_at",
    ),
    "moderation_publicaddress": RecordRule(
        "evidence", once=("withdrawn_at",), sealed_by="withdrawn_at"
    ),
    "moderation_policyoverlay": RecordRule(
        "evidence",
        changes=("status",),
        once=("activated_by_id", "activated_at", "retired_at"),
        forgets=("proposed_by_id", "activated_by_id"),
        sealed_by="retired_at",
    ),
    "moderation_screening": EVIDENCE,
    "moderation_bankmatch": RecordRule("evidence", is_cascaded=True),
    "moderation_casenote": RecordRule(
        "evidence",
        forgets=("author_id",),
        deleted_when="EXISTS (SELECT 1 FROM public.moderation_reviewcase c WHERE c.id ="
        " ($1).case_id AND c.is_sampled AND c.decided_at IS NULL)",
    ),
    "moderation_export": RecordRule(
        "evidence",
        changes=("sha256", "size_bytes"),
        once=("ready_at", "file"),
        forgets=("made_by_id", "file"),
        sealed_by="ready_at",
    ),
    "moderation_reveal": RecordRule("evidence", forgets=("revealed_by_id",)),
    "moderation_suspension": RecordRule(
        "evidence", once=("lifted_at",), forgets=("user_id",), sealed_by="lifted_at"
    ),
    "moderation_intent": STATE,
    "moderation_audiencechoice": STATE,
    "moderation_hashbank": STATE,
    "moderation_bankedhash": STATE,
    "moderation_savedview": STATE,
    "moderation_break": STATE,
    "moderation_blurchoice": STATE,
    # -------------------------------------------------------------- audits
    "audits_frameentry": EVIDENCE,
    "audits_label": RecordRule("evidence", forgets=("reviewer_id",)),
    "audits_presentation": EVIDENCE,
    "audits_audit": RecordRule("evidence", forgets=("made_by_id",)),
    "audits_auditfile": EVIDENCE,
    "audits_auditdecision": RecordRule("evidence", forgets=("recorded_by_id",)),
    "audits_auditrun": RecordRule(
        "evidence",
        changes=(
            *("status", "is_queued", "asked_by_id", "stop_code", "stop_message", "stint"),
            *("failures", "leased_until", "prompt_classifier", "image_classifier"),
        ),
        once=("finished_at",),
        forgets=("asked_by_id",),
    ),
    "audits_auditrender": RecordRule(
        "evidence",
        changes=(
            *("prompt_scores", "prompt_verdict", "image_scores", "image_verdict"),
            "image_sha256",
        ),
        once=("rendered_at",),
        sealed_by="rendered_at",
    ),
    "audits_sampleditem": STATE,
    # -------------------------------------------------------------- adapters, generation
    "adapters_basemodel": STATE,
    "adapters_architecture": STATE,
    "adapters_adapter": STATE,
    "adapters_adapterexample": STATE,
    "adapters_adaptershare": STATE,
    "generation_generationrequest": STATE,
    "generation_requestadapter": STATE,
    "generation_idempotencykey": STATE,
    "generation_generatedimage": STATE,
    "generation_rota": STATE,
    "generation_fairshare": STATE,
    "generation_leaseterm": STATE,
    "generation_allowance": STATE,
    "generation_sourcepicture": STATE,
    "generation_worker": STATE,
    "generation_occurrence": STATE,
    # -------------------------------------------------------------- config
    "projects_organisation": STATE,
    "projects_project": STATE,
    "projects_membership": STATE,
    "projects_enduser": STATE,
    "outbox_outboxrow": STATE,
    "holds_legalhold": RecordRule(
        "evidence",
        changes=("until",),
        once=("ended_at", "ended_by"),
        sealed_by="ended_at",
    ),
    "webhooks_endpoint": STATE,
    "webhooks_signingsecret": STATE,
    "webhooks_delivery": STATE,
    "webhooks_deliveryattempt": STATE,
    "house_apikey": STATE,
    "house_notificationsread": STATE,
    "house_rolechange": RecordRule(
        "evidence",
        changes=("status",),
        once=("decided_by_id", "decided_at"),
        sealed_by="decided_at",
    ),
    "single_sign_on_provisioningtoken": STATE,
    "single_sign_on_provisioneduser": STATE,
    "single_sign_on_provisionedgroup": STATE,
    "single_sign_on_provisionedgroup_members": STATE,
    # -------------------------------------------------------------- libraries
    "django_admin_log": RecordRule("evidence", is_cascaded=True),
    "auth_permission": OTHER,
    "auth_group": OTHER,
    "auth_group_permissions": OTHER,
    "auth_user": OTHER,
    "auth_user_groups": OTHER,
    "auth_user_user_permissions": OTHER,
    "django_content_type": OTHER,
    "django_session": OTHER,
    "account_emailaddress": OTHER,
    "account_emailconfirmation": OTHER,
    "mfa_authenticator": OTHER,
    "socialaccount_socialaccount": OTHER,
    "socialaccount_socialapp": OTHER,
    "socialaccount_socialtoken": OTHER,
}


def evidence() -> dict[str, RecordRule]:
    """The tables whose rows triggers hold; the log's own triggers are its migration's."""
    return {table: rule for table, rule in RULES.items() if rule.kind == "evidence"}


def log_tables() -> tuple[str, ...]:
    """The log's own tables: append-only for everybody, the application's role included."""
    return tuple(table for table, rule in RULES.items() if rule.kind == "log")
