"""PDQ banks of known bad pictures: import, export, gradual enforcement, and matching.

The files are those that hash exchanges pass around: one fingerprint a line as 64 hexadecimal
digits, a note after a comma if there is one. A percentage of a bank acts, chosen by the fingerprint
itself; raising it only adds to what acts (as HMA's ``enabled_ratio`` does).
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, F, Q, QuerySet
from django.utils.text import slugify
from numpy.typing import NDArray

from config.core.errors import ProofsheetError
from moderation.models import BankedHash, BankMatch, HashBank, Screening
from moderation.policy.rulebook import policy_document
from provenance.marks import fingerprint
from provenance.pictures import decoder

LONGEST_FILE_BYTES = 16 * 1024 * 1024
MOST_HASHES = 200_000  # a file
MOST_CANDIDATES = 500  # whose distance is measured for one picture
NOTE_MAX = 200


class BankNotFound(ProofsheetError):
    """There is no bank of that name."""

    default_code = "bank_not_found"
    default_message = "There is no such bank."
    default_advice = "Go back to the list of banks."
    default_status = 404


class BankInvalid(ProofsheetError):
    """The name, category or percentage is none."""

    default_code = "bank_invalid"
    default_message = "A bank needs a new name, a category of the policy and 0 to 100 per cent."
    default_advice = "Correct it and send it again."
    default_status = 422


class HashFileInvalid(ProofsheetError):
    """A line is no fingerprint, or there are too many; nothing of the file was taken."""

    default_code = "hash_file_invalid"
    default_message = "The file holds something that is no PDQ fingerprint."
    default_advice = "Give one fingerprint a line, 64 hexadecimal digits, then a comma and a note."
    default_status = 422


class NotAKeeper(ProofsheetError):
    """Banks are kept by senior moderators."""

    default_code = "not_a_bank_keeper"
    default_message = "Banks of known pictures are kept by senior moderators."
    default_advice = "Ask one of them."
    default_status = 403


@dataclass(frozen=True, slots=True)
class Near:
    """A fingerprint that a picture is near to."""

    banked: BankedHash
    distance: int

    @property
    def is_enforced(self) -> bool:
        return self.banked.bucket < self.banked.bank.enforced_percent


def check_keeper(by: User) -> None:
    """Raises NotAKeeper."""
    if not by.has_perm("moderation.govern_policies"):
        raise NotAKeeper


def overview(*, by: User) -> QuerySet[HashBank]:
    """Every bank with its number of hashes (`size`), matches, and those that acted."""
    check_keeper(by)
    return HashBank.objects.annotate(
        size=Count("hashes", distinct=True),
        acting=Count("hashes", distinct=True, filter=Q(hashes__bucket__lt=F("enforced_percent"))),
        matches=Count("hashes__matches", distinct=True),
        enforced=Count(
            "hashes__matches", distinct=True, filter=Q(hashes__matches__is_enforced=True)
        ),
    ).order_by("name")


def find(name: str, *, by: User) -> HashBank:
    """Raises NotAKeeper, BankNotFound."""
    check_keeper(by)
    found = HashBank.objects.filter(name=name).first()
    if found is None:
        raise BankNotFound
    return found


def create(name: str, *, category: str, by: User, at: datetime) -> HashBank:
    """Begin an empty bank that acts on nothing yet. Raises NotAKeeper, BankInvalid."""
    check_keeper(by)
    slug = slugify(name)[:64]
    is_known = category in policy_document.active("general").categories
    if not slug or not is_known:
        raise BankInvalid
    distance = fingerprint.SAME_PICTURE_DISTANCE
    new = {"category": category, "distance": distance, "created_at": at}
    bank, is_new = HashBank.objects.get_or_create(name=slug, defaults=new)
    if not is_new:
        raise BankInvalid
    return bank


@transaction.atomic
def enforce(bank: HashBank, percent: int, *, by: User) -> HashBank:
    """Let this share of the bank act from now on. Raises NotAKeeper, BankInvalid."""
    check_keeper(by)
    if not 0 <= percent <= 100:
        raise BankInvalid
    row = HashBank.objects.select_for_update().get(pk=bank.pk)
    row.enforced_percent = percent
    row.save(update_fields=["enforced_percent"])
    return row


@transaction.atomic
def take_in(bank: HashBank, data: bytes, *, by: User, at: datetime) -> int:
    """Add the fingerprints of a file; how many were new. Raises NotAKeeper, HashFileInvalid."""
    check_keeper(by)
    before = bank.hashes.count()
    rows = [_row(bank, value, note, at=at) for value, note in _lines(data)]
    BankedHash.objects.bulk_create(rows, batch_size=1000, ignore_conflicts=True)
    return bank.hashes.count() - before


def add_picture(bank: HashBank, data: bytes, *, note: str, by: User, at: datetime) -> int:
    """Add the fingerprint of a picture, which is not kept; 0 when it was there already.

    Raises NotAKeeper, decoder.PictureUnreadable.
    """
    check_keeper(by)
    row = _row(bank, fingerprint.pdq(_pixels(data)), note, at=at)
    _, is_new = BankedHash.objects.get_or_create(
        bank=bank,
        fingerprint=row.fingerprint,
        defaults={"bands": row.bands, "bucket": row.bucket, "note": row.note, "added_at": at},
    )
    return int(is_new)


def export(bank: HashBank, *, by: User) -> bytes:
    """The bank as a file that `take_in` reads; the same hashes give the same bytes."""
    check_keeper(by)
    rows = bank.hashes.values_list("fingerprint", "note")
    lines = sorted(
        f"{bytes(value).hex()},{note}" if note else bytes(value).hex() for value, note in rows
    )
    return "".join(f"{line}\n" for line in lines).encode()


def near(data: bytes) -> list[Near]:
    """Banked fingerprints near an encoded picture, turned and mirrored versions included, nearest
    first.
    """
    if not BankedHash.objects.exists():
        return []
    turned = fingerprint.pdq_orientations(_pixels(data))
    wanted = sorted({band for each in turned for band in fingerprint.near_bands(each)})
    found = BankedHash.objects.filter(bands__overlap=wanted).select_related("bank")
    measured = [
        Near(row, min(fingerprint.distance(each, bytes(row.fingerprint)) for each in turned))
        for row in found[:MOST_CANDIDATES]
    ]
    matches = [match for match in measured if match.distance <= match.banked.bank.distance]
    return sorted(matches, key=lambda match: (match.distance, match.banked.pk))


def record(matches: Iterable[Near], *, screening: Screening, at: datetime) -> None:
    """Keep what matched, whether it acted or only watched."""
    BankMatch.objects.bulk_create(
        BankMatch(
            screening=screening,
            banked=match.banked,
            distance=match.distance,
            is_enforced=match.is_enforced,
            matched_at=at,
        )
        for match in matches
    )


def _row(bank: HashBank, value: bytes, note: str, *, at: datetime) -> BankedHash:
    return BankedHash(
        bank=bank,
        fingerprint=value,
        bands=fingerprint.bands(value),
        bucket=int.from_bytes(hashlib.sha256(value).digest()[:4]) % 100,
        note=_line(note),
        added_at=at,
    )


def _line(note: str) -> str:
    """A note that stays on its line of an exported file."""
    return " ".join(note.replace("\0", " ").split())[:NOTE_MAX]


def _lines(data: bytes) -> list[tuple[bytes, str]]:
    """(fingerprint, note) of each line; a fingerprint given twice counts once."""
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise HashFileInvalid(message="The file is not UTF-8 text.") from error
    if len(lines) > MOST_HASHES:
        raise HashFileInvalid(message=f"The file has more than {MOST_HASHES:,} lines.")
    found: dict[bytes, str] = {}
    for number, line in enumerate(lines, 1):
        digits, _, note = line.strip().partition(",")
        if not digits or digits.startswith("#"):
            continue
        value = _fingerprint(digits.strip())
        if value is None:
            raise HashFileInvalid(message=f"Line {number} is no PDQ fingerprint.")
        found.setdefault(value, note)
    return list(found.items())


def _fingerprint(digits: str) -> bytes | None:
    try:
        value = bytes.fromhex(digits)
    except ValueError:
        return None
    return value if len(value) * 8 == fingerprint.BITS else None


def _pixels(data: bytes) -> NDArray[np.uint8]:
    return decoder.read(data).pixels
