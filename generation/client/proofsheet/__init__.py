"""Ask a Proofsheet for pictures, contest its refusals, verify files.

import proofsheet

with proofsheet.Client("http://127.0.0.1:8000", "ps_key_…") as house:
    house.generate("a red apple").images[0].save("apple.png")
"""

from proofsheet.answers import Answer, Generation, Picture, Refusal, Report, State
from proofsheet.client import Client
from proofsheet.errors import (
    Conflict,
    Damaged,
    Failed,
    Held,
    HouseError,
    Invalid,
    NotAllowed,
    NotFound,
    Refused,
    TimedOut,
    TooMany,
    Unavailable,
    WebhookRejected,
)
from proofsheet.webhooks import Event, check_webhook

__version__ = "0.1.0"
__all__ = [
    "Answer", "Client", "Conflict", "Damaged", "Event", "Failed", "Generation", "Held",
    "HouseError", "Invalid", "NotAllowed", "NotFound", "Picture", "Refusal", "Refused", "Report",
    "State", "TimedOut", "TooMany", "Unavailable", "WebhookRejected", "check_webhook",
]  # fmt: skip
