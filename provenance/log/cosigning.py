"""Asking witnesses to cosign the log's checkpoints (C2SP tlog-witness), and keeping their lines.

A witness belongs to somebody else and remembers the largest tree that it has seen: with its line, a
checkpoint cannot be taken back later without that showing. A witness that does not answer holds up
nothing; it is asked again, from the size that it last cosigned.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import re
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from urllib.parse import urljoin

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from config.core.errors import ProofsheetError
from config.core.net import http_post
from config.core.net.circuit_breaker import Patience
from config.core.net.http_post import Answer
from provenance.keys.installed_keys import keyring
from provenance.log import rollback, transparency_log
from provenance.log.formats import checkpoint, merkle, witness_protocol
from provenance.models import Checkpoint, Cosignature

SECONDS, MAX_ANSWER_BYTES = 2.0, 16 * 1024
_asking = threading.Lock()
_has_looked = threading.Event()
logger = logging.getLogger(__name__)


class WitnessRefused(ProofsheetError):
    """A witness answered with something else than a cosignature that holds."""

    default_code = "witness_refused"
    default_message = "A witness did not cosign the checkpoint."
    default_advice = "Ask the witness's operator whether it knows the log's key."
    default_status = 502


class WitnessSawMore(WitnessRefused):
    """The log was rolled back, or somebody else signs with its key."""

    default_code = "witness_saw_more"
    default_message = "A witness has seen a larger or another tree of this log than there is now."
    default_advice = "Run `manage.py verify_log`, and look for a database restored from a backup."


@dataclass(frozen=True, slots=True)
class AskedWitness:
    """A witness as settings name it: its key, and where it is asked."""

    name: str
    key: Ed25519PublicKey
    url: str

    @property
    def verifier_key(self) -> str:
        return checkpoint.witness_key(self.name, self.key)


def witnesses() -> list[AskedWitness]:
    """Those of `LOG_WITNESSES`. Raises `ImproperlyConfigured` where one cannot be read."""
    return [_witness(said) for said in settings.PROOFSHEET_LOG_WITNESSES]


@cache
def _witness(said: str) -> AskedWitness:
    key, _, url = said.partition(" ")
    try:
        name, public = checkpoint.parse_witness_key(key)
    except checkpoint.NoteInvalid as error:
        raise ImproperlyConfigured(f"LOG_WITNESSES: {error.message}") from error
    if not re.fullmatch(r"https?://\S+/", url):
        raise ImproperlyConfigured(f"LOG_WITNESSES: {url!r} is no address that ends with a slash.")
    return AskedWitness(name, public, url)


def collect(*, at: datetime) -> int:
    """Ask every witness that has not cosigned the newest checkpoint lately; returns how many did.

    A witness that is away is left alone for a minute; what one refuses is kept with its row and
    written to the log of the process.
    """
    if not _asking.acquire(blocking=False):
        return 0  # one thread of a worker may wait for a witness, the others have other work
    try:
        head = Checkpoint.objects.order_by("-tree_size").first()
        if head is None or rollback.missing():
            return 0
        due = [witness for witness in witnesses() if _is_due(witness, head, at)]
        return sum(_ask(witness, head, at=at) for witness in due)
    finally:
        _asking.release()


def lines_for(tree_size: int) -> str:
    """The cosignatures of the tree of that size, by witnesses that settings still name."""
    named = [witness.verifier_key for witness in witnesses()]
    rows = Cosignature.objects.filter(tree_size=tree_size, witness__in=named).exclude(line="")
    return "".join(row.line for row in rows.order_by("witness"))


def lines_in(note: str) -> list[tuple[AskedWitness, str]]:
    """The lines of a note by witnesses that settings still name, each checked."""
    found = []
    for line in note.partition("\n\n")[2].splitlines():
        alone = checkpoint.with_lines(note, [line])
        for witness in witnesses():
            with contextlib.suppress(checkpoint.NoteInvalid):
                checkpoint.cosigned_at(alone, name=witness.name, key=witness.key)
                found.append((witness, line))
    return found


def best_head(index: int) -> Checkpoint | None:
    """The largest cosigned checkpoint that covers a leaf; None where no witness has seen it yet."""
    named = [witness.verifier_key for witness in witnesses()]
    sizes = Cosignature.objects.filter(witness__in=named, tree_size__gt=index).values("tree_size")
    return Checkpoint.objects.filter(tree_size__in=sizes).order_by("-tree_size").first()


def look_once(*, at: datetime) -> None:
    """Before a process signs for the first time: after a restore nobody else knows what is missing.
    A witness that is away holds up nothing.
    """
    if not _has_looked.is_set():
        for witness in witnesses():
            look(witness, at=at)
        _has_looked.set()


def look(witness: AskedWitness, *, at: datetime) -> str | None:
    """The note that a witness shows to monitors, where it is by both keys; None where it shows
    none. One that is ahead of the database is kept, and stops the log.
    """
    note = _shown(witness)
    if note is None:
        return None
    size = checkpoint.parse(note).tree_size
    newest = Checkpoint.objects.order_by("-tree_size").first()
    if size > (newest.tree_size if newest else 0):
        line = next(line for by, line in lines_in(note) if by == witness)
        Cosignature.objects.update_or_create(
            witness=witness.verifier_key,
            defaults={
                **{"tree_size": size, "line": f"{line}\n", "at": at},
                "problem": rollback.LogBehind.default_code,
            },
        )
    return note


def _shown(witness: AskedWitness) -> str | None:
    origin = settings.PROOFSHEET_LOG_ORIGIN
    path = f"{hashlib.sha256(origin.encode()).hexdigest()}/checkpoint"
    answer = _patience(witness.name, witness.url).attempt(
        lambda: http_post.get(
            urljoin(witness.url, path), seconds=SECONDS, max_bytes=MAX_ANSWER_BYTES
        )
    )
    if answer is None or answer.status != 200:
        return None
    note = answer.body.decode(errors="replace")
    try:
        checkpoint.verify_by_any(note, origin=origin, keys=keyring().log_verifiers())
        checkpoint.cosigned_at(note, name=witness.name, key=witness.key)
    except checkpoint.NoteInvalid:
        return None
    return note


def _is_due(witness: AskedWitness, head: Checkpoint, at: datetime) -> bool:
    age = timedelta(seconds=settings.PROOFSHEET_CHECKPOINT_SECONDS)
    fresh = Cosignature.objects.filter(
        witness=witness.verifier_key, tree_size=head.tree_size, at__gt=at - age
    )
    return not fresh.exists()


def _ask(witness: AskedWitness, head: Checkpoint, *, at: datetime) -> bool:
    row = Cosignature.objects.filter(witness=witness.verifier_key).first()
    old_size = row.tree_size if row else 0
    try:
        line = _cosigned(witness, head, old_size)
    except WitnessRefused as error:
        logger.error("witness %s: %s", witness.name, error.message)
        _note(witness, error.code, at=at)
        if isinstance(error, WitnessSawMore):
            look(witness, at=at)
        return False
    if line is None:
        _note(witness, http_post.Unanswered.default_code, at=at)
        return False
    Cosignature.objects.update_or_create(
        witness=witness.verifier_key,
        defaults={"tree_size": head.tree_size, "line": line, "at": at, "problem": ""},
    )
    return True


def _note(witness: AskedWitness, problem: str, *, at: datetime) -> None:
    """For operators, who see each witness in the admin, also one that has cosigned nothing yet."""
    Cosignature.objects.update_or_create(
        witness=witness.verifier_key,
        defaults={"problem": problem},
        create_defaults={"problem": problem, "tree_size": 0, "line": "", "at": at},
    )


def _cosigned(witness: AskedWitness, head: Checkpoint, old_size: int) -> str | None:
    """The witness's line, None when it does not answer. It is told another old size once.

    Raises:
        WitnessRefused: it will not cosign, or its line does not verify.
        WitnessSawMore: it has seen what this log no longer has.
    """
    answer = _post(witness, head, old_size)
    if answer is not None and answer.status == 409:
        seen = int(answer.body) if re.fullmatch(rb"[0-9]{1,19}\n?", answer.body) else -1
        if seen > head.tree_size or seen in (-1, old_size):
            raise WitnessSawMore
        answer = _post(witness, head, seen)
    if answer is None:
        return None
    if answer.status in (409, 422):
        raise WitnessSawMore
    if answer.status != 200:
        raise WitnessRefused(message=f"The witness answered {answer.status}.")
    return _line_of(witness, head, answer.body)


def _line_of(witness: AskedWitness, head: Checkpoint, body: bytes) -> str:
    """The one line of the answer that is the witness's, alone: others would be served unread."""
    for line in body.decode(errors="replace").splitlines():
        note = f"{head.note}{line}\n"
        try:
            checkpoint.cosigned_at(note, name=witness.name, key=witness.key)
        except checkpoint.NoteInvalid:
            continue
        return f"{line}\n"
    raise WitnessRefused(message="The witness's cosignature does not verify.")


def _post(witness: AskedWitness, head: Checkpoint, old_size: int) -> Answer | None:
    asked = witness_protocol.write(
        witness_protocol.AddCheckpoint(old_size, tuple(_proof(old_size, head.tree_size)), head.note)
    )
    return _patience(witness.name, witness.url).attempt(
        lambda: http_post.post(
            urljoin(witness.url, "add-checkpoint"),
            asked,
            content_type="text/plain; charset=utf-8",
            seconds=SECONDS,
            max_bytes=MAX_ANSWER_BYTES,
        )
    )


def _proof(old_size: int, size: int) -> list[bytes]:
    if old_size in (0, size):
        return []
    ranges = merkle.consistency_ranges(old_size, size)
    return merkle.proof_from(ranges, transparency_log.nodes(merkle.places_of(ranges)))


@cache
def _patience(name: str, url: str) -> Patience[Answer]:
    return Patience(f"the witness {name} at {url}", 2 * SECONDS)


def time_of(line: str) -> datetime:
    """When a witness says that it saw the tree: its clock, not ours."""
    unix_time = checkpoint.time_in(line)
    return datetime.fromtimestamp(unix_time, UTC)
