"""What audits stand on: the sampling frame, labels, renders of suites, and the reports made.

The frame says of every screening with which probability it was drawn, whether it was drawn or
not: without that nothing can be estimated from the labels.
"""

from moderation.audits.models.frame import FrameEntry, SampledItem
from moderation.audits.models.labels import Label, Presentation
from moderation.audits.models.reports import Audit, AuditDecision, AuditFile
from moderation.audits.models.runs import AuditRender, AuditRun

__all__ = [
    "Audit",
    "AuditDecision",
    "AuditFile",
    "AuditRender",
    "AuditRun",
    "FrameEntry",
    "Label",
    "Presentation",
    "SampledItem",
]
