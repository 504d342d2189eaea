"""News that travels upward: who owns a subject listens here and enforces the outcome.

``decision_enforced`` is sent inside the transaction that writes the decision, with the keywords
``subject_kind`` ("prompt", "image" or "adapter"), ``subject_id`` (UUID), ``outcome`` and
``decision`` (a ``moderation.models.Decision``). The outcome is "allow" or "refuse", for a picture
"blur" or "age_restrict" too, for an adapter "withdraw", and "restore" once that is reversed. A
receiver that raises undoes the decision.

``case_labelled`` is sent inside the transaction that ends a blind case's first answer, with
``case``, ``by``, ``truth`` ("acceptable", "violates" or "unclear"), ``at`` and, where a decision
said so, ``reason`` and ``perceived``.
"""

from django.dispatch import Signal

decision_enforced = Signal()
case_labelled = Signal()
