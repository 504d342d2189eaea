"""Base models, the LoRA adapters that fit them, who opened their links and their example pictures.

Rows change only through the domain modules (``uploads``, ``validating``, ``publishing``, …), which
hold the row's lock and call the transition methods.
"""

from adapters.models.adapter import REFUSED, STOPPED, Adapter
from adapters.models.adapter_example import AdapterExample
from adapters.models.adapter_share import AdapterShare
from adapters.models.base_model import Architecture, BaseModel, Family, Tier
from adapters.models.conditions import WrongState, private_storage

__all__ = [
    "REFUSED",
    "STOPPED",
    "Adapter",
    "AdapterExample",
    "AdapterShare",
    "Architecture",
    "BaseModel",
    "Family",
    "Tier",
    "WrongState",
    "private_storage",
]
