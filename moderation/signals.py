"""News that travels upward: who owns a subject listens here and enforces the outcome.

``decision_enforced`` is sent inside the transaction that writes the decision, with the keywords
``subject_kind`` ("prompt", "image" or "adapter"), ``subject_id`` (UUID), ``outcome`` ("allow" or
"refuse") and ``decision`` (a ``moderation.models.Decision``). A receiver that raises undoes the
decision.
"""

from django.dispatch import Signal

decision_enforced = Signal()
