"""Base models, the LoRA adapters that fit them, who opened their links and their example pictures.

Rows change only through the domain modules (``uploads``, ``access``, ``publishing``), which
hold the row's lock and call the transition methods.
"""

from adapters.models.adapter import REFUSED, STOPPED, Adapter, AdapterRows
from adapters.models.adapter_example import AdapterExample
from adapters.models.adapter_share import AdapterShare
from adapters.models.base_model import Architecture, BaseModel, Family, Tier
from adapters.models.conditions import AdapterWrongState, SizeNotOffered
from config.core.storage import private_storage  # migrations name it here

__all__ = [
    "REFUSED",
    "STOPPED",
    "Adapter",
    "AdapterExample",
    "AdapterRows",
    "AdapterShare",
    "AdapterWrongState",
    "SizeNotOffered",
    "Architecture",
    "BaseModel",
    "Family",
    "Tier",
    "private_storage",
]
