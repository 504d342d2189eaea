"""Requests, their sources and images, workers, and whose turn it is, by story.

Rows change only through the domain modules (``requests``, ``gallery``, ``work``, …), which hold the
row's lock and call the transition methods.
"""

from config.core.storage import private_storage  # migrations name it here
from config.core.transitions import WrongState
from generation.models.fair_shares import Allowance, FairQueueRing, FairShare
from generation.models.images import GeneratedImage, ImageState, Restriction
from generation.models.init_images import SourcePicture, SourceState
from generation.models.requests import (
    ACTIVE,
    SEEDS,
    GenerationRequest,
    IdempotencyKey,
    LeaseTerm,
    RequestAdapter,
    RequestStatus,
)
from generation.models.workers import SWEEP, Occurrence, Worker

__all__ = [
    "ACTIVE",
    "SEEDS",
    "SWEEP",
    "Allowance",
    "FairQueueRing",
    "FairShare",
    "GeneratedImage",
    "GenerationRequest",
    "IdempotencyKey",
    "ImageState",
    "LeaseTerm",
    "Occurrence",
    "RequestAdapter",
    "RequestStatus",
    "Restriction",
    "SourcePicture",
    "SourceState",
    "Worker",
    "WrongState",
    "private_storage",
]
