"""Marked pictures, the log as tables, and what people thought of verdicts."""

from provenance.models.assets import (
    MANIFESTS,
    Asset,
    Copy,
    ManifestName,
    VerifyFeedback,
)
from provenance.models.log import (
    Checkpoint,
    Cosignature,
    Freshness,
    Leaf,
    LogEntry,
    Node,
    PendingEntry,
    Timestamp,
)

__all__ = [
    "MANIFESTS",
    "Asset",
    "Checkpoint",
    "Copy",
    "Cosignature",
    "Freshness",
    "Leaf",
    "LogEntry",
    "ManifestName",
    "Node",
    "PendingEntry",
    "Timestamp",
    "VerifyFeedback",
]
