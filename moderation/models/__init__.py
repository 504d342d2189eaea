"""Policies, screenings, review cases, reports, decisions, statements and appeals, by story.

Rows change only through the domain modules (``review_cases``, ``enforcing``, ``hearing``, …), which
hold the row's lock and call the transition methods. ``Decision`` rows never change; a trigger
repeats that.
"""

from moderation.models.appeals import Appeal
from moderation.models.cases import ReviewCase
from moderation.models.conditions import Perceived, SubjectKind
from moderation.models.decisions import Decision, PendingDecision, Statement
from moderation.models.desk import CaseNote, SavedView
from moderation.models.exports import Export
from moderation.models.hash_banks import BankedHash, BankMatch, HashBank
from moderation.models.overlays import PolicyOverlay
from moderation.models.policies import AudienceChoice, Policy
from moderation.models.public_addresses import PublicAddress
from moderation.models.reports import Report
from moderation.models.screenings import Screening
from moderation.models.suspensions import Suspension
from moderation.models.wellbeing import BlurChoice, Break, Reveal

__all__ = [
    "Appeal",
    "AudienceChoice",
    "BankMatch",
    "BankedHash",
    "BlurChoice",
    "Break",
    "CaseNote",
    "Report",
    "Decision",
    "Export",
    "HashBank",
    "PendingDecision",
    "Perceived",
    "Policy",
    "PolicyOverlay",
    "PublicAddress",
    "Reveal",
    "ReviewCase",
    "SavedView",
    "Screening",
    "Statement",
    "SubjectKind",
    "Suspension",
]
