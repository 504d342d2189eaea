"""Whose lines are changed, how many of them, and whose tests have to notice. The one place to
change when a module moves.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Module:
    """`name` stays when the module moves to another `place`: the mutants drawn follow from it."""

    name: str
    place: str
    tests: tuple[str, ...]
    mutants: int = 12

    @property
    def path(self) -> str:
        return f"{self.place.replace('.', '/')}.py"

    @property
    def is_pure(self) -> bool:
        """Whether its tests need no server."""
        return all(test.startswith("tests/pure/") for test in self.tests)


MODULES = (
    Module(
        "header",
        "adapters.formats.safetensors_header",
        ("tests/pure/adapters/test_header.py",),
        mutants=13,
    ),
    Module(
        "weights",
        "moderation.audits.statistics.weights",
        (
            "tests/pure/audits/test_weighted_rates.py",
            "tests/pure/audits/test_published_examples.py",
            "tests/pure/audits/test_empty_and_extreme.py",
        ),
        mutants=13,
    ),
    Module(
        "merkle",
        "provenance.log.formats.merkle",
        ("tests/pure/provenance/test_merkle.py",),
        mutants=21,
    ),
    Module(
        "fair_share",
        "generation.request_rules.deficit_round_robin",
        ("tests/pure/generation/test_rounds.py",),
        mutants=3,
    ),
    Module(
        "word_rules",
        "moderation.policy.rulebook.word_rules",
        ("tests/pure/moderation/test_word_rules.py",),
    ),
    Module(
        "slots",
        "generation.engine.adapters.adapter_slots",
        ("tests/engine/test_slots.py",),
        mutants=13,
    ),
    Module("log", "provenance.log.transparency_log", ("tests/provenance/test_log.py",), mutants=13),
    Module(
        "queue",
        "generation.line.claims",
        (
            "tests/generation/test_queue.py",
            "tests/generation/test_sweeper.py",
            "tests/generation/test_hardware.py",
        ),
        mutants=13,
    ),
    Module("admission", "generation.requests.admission", ("tests/generation/test_admission.py",)),
    Module(
        "decisions",
        "moderation.decisions.enforcing",
        (
            "tests/moderation/test_decisions.py",
            "tests/moderation/test_further_decisions.py",
            "tests/moderation/test_appeals.py",
        ),
        mutants=13,
    ),
    Module(
        "pending_decisions",
        "moderation.decisions.pending_decisions",
        (
            "tests/moderation/test_pending_decisions.py",
            "tests/moderation/audits/test_blind_labels.py",
        ),
    ),
    Module("api_keys", "config.accounts.api_keys.key_issuing", ("tests/house/test_keys.py",)),
)
