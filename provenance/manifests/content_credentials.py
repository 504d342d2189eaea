"""Content Credentials (C2PA 2.x) through c2pa-python, which only this module imports. No Django.

No prompt and no person goes into a manifest. The local authorities are trust anchors, and so is
whoever vouches for a certificate from outside.

Nothing in a submitted file ever causes traffic: see `_CLOSED`, which every context is made with.
"""

import hashlib
import io
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import c2pa
from cryptography import x509

from config.core.errors import ProofsheetError
from config.core.net.circuit_breaker import Patience
from provenance.keys import certificates
from provenance.keys.key_folder import Keyring
from provenance.manifests import (
    containers,
    definition,
    embedded_xmp,
    manifest_reading,
    store_limits,
)
from provenance.manifests.definition import ManifestClaim as ManifestClaim
from provenance.manifests.definition import Parent as Parent
from provenance.manifests.manifest_reading import ManifestReading
from provenance.manifests.other_formats import AssetMime
from provenance.pictures.decoder import Mime

ALGORITHMS = {
    "es256": c2pa.C2paSigningAlg.ES256,
    "es384": c2pa.C2paSigningAlg.ES384,
    "es512": c2pa.C2paSigningAlg.ES512,
    "ps256": c2pa.C2paSigningAlg.PS256,
    "ps384": c2pa.C2paSigningAlg.PS384,
    "ps512": c2pa.C2paSigningAlg.PS512,
    "ed25519": c2pa.C2paSigningAlg.ED25519,
}
_THUMBNAIL = "thumbnail.jpg"
# Purposes of certificates that may sign: email, documents, timestamps, C2PA's own. With a purpose
# that is not listed c2pa signs in silence and then reads what it signed as invalid.
_PURPOSES = "1.3.6.1.5.5.7.3.4\n1.3.6.1.5.5.7.3.36\n1.3.6.1.5.5.7.3.8\n1.3.6.1.4.1.62558.2.1\n"
# What would make c2pa call out by itself: manifests that lie elsewhere, identities (CAWG) whose
# issuer is `did:web:…`, revocation responders (OCSP), and timestamps that it fetches unasked.
# `allowed_network_hosts` closes whatever else there may be. The timestamping authority that the
# operator names is asked by the signer, not by a context.
_CLOSED: dict[str, dict[str, Any]] = {
    "core": {"allowed_network_hosts": [], "decode_identity_assertions": False},
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
}
logger = logging.getLogger(__name__)


class SigningFailed(ProofsheetError):
    """c2pa could not sign, or what it signed did not verify; nothing of it may be released."""

    default_code = "signing_failed"
    default_message = "The picture could not be signed."
    default_advice = "Nothing was released; try again, or tell the operator if it happens again."
    default_status = 503


class AuthorityUnusable(ProofsheetError):
    """A certificate that settings or a bundle name as trusted is no PEM that c2pa reads."""

    default_code = "authority_unusable"
    default_message = "The certificate that is to be trusted cannot be read."
    default_advice = "Give it as PEM text."
    default_status = 422


@dataclass(frozen=True, slots=True)
class SignedFile:
    """The file with its manifest inside, and the manifest store by itself.

    `draft`, where it was asked for, is what `Signer.sign_again` makes the same manifest of.
    """

    data: bytes
    manifest: bytes
    is_timestamped: bool = False
    draft: bytes = b""


@dataclass(frozen=True, slots=True)
class TimestampAuthority:
    """Who is asked for the time of a signature (RFC 3161), and which authorities vouch for that."""

    url: str
    anchors_pem: str
    seconds: float = 2.0


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom a reader relies on: authorities of signers and of timestamps as PEM, which certificates
    were revoked, by serial number, since when, and which authorities are distrusted, as PEM, since
    when. `listed_pem` are authorities whose signers are known, but sign for others than this
    system.
    """

    signers_pem: str
    timestamps_pem: str = ""
    revoked: tuple[tuple[str, str], ...] = ()
    distrusted: tuple[tuple[str, str], ...] = ()
    listed_pem: str = ""


class Reader:
    """Reads manifests and vouches for signers whose certificate one of the authorities issued."""

    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        anchors = f"{self._trust.signers_pem}\n{self._trust.timestamps_pem}"
        told = {
            "builder": {
                "thumbnail": {"enabled": False},
                "created_assertion_labels": list(definition.CREATED_ASSERTIONS),
            },
            "trust": {"user_anchors": anchors, "trust_config": _PURPOSES},
            "core": _CLOSED["core"],
            "verify": {"verify_after_sign": False, **_CLOSED["verify"]},  # `sign` reads
        }
        try:
            self._anchors = x509.load_pem_x509_certificates(self._trust.signers_pem.encode())
            self._context = c2pa.Context(c2pa.Settings.from_dict(told))
        except (c2pa.C2paError, ValueError) as error:
            raise AuthorityUnusable from error
        alone = replace(trust, distrusted=(), listed_pem="")
        self._distrusted = [
            (Reader(replace(alone, signers_pem=f"{pem}\n{trust.signers_pem}")), since)
            for pem, since in trust.distrusted
        ]
        self._listed = (
            Reader(replace(alone, signers_pem=trust.listed_pem)) if trust.listed_pem else None
        )

    def read(self, data: bytes, mime: AssetMime) -> ManifestReading:
        """Read the active manifest of a file; never raises for what an upload may hold.

        Where only a distrusted authority vouches for the signer, a trusted timestamp of before is
        what the file needs, or `manifest_reading.as_seen`.
        """
        reading = self._read(data, mime)
        if reading.signature != "unknown":
            return reading
        for reader, since in self._distrusted:
            relied_on = reader.read(data, mime)
            if relied_on.signature == "revoked":
                return relied_on
            if relied_on.signature == "trusted":
                told = manifest_reading.as_distrusted(relied_on, since)
                return _timed_before(told, by=reading)
        return self._known_elsewhere(data, mime) or reading

    def crjson(self, data: bytes, mime: AssetMime) -> str:
        """Everything that c2pa says of a file's manifests, as C2PA's conformance tools read it.

        Raises:
            ManifestUnreadable: it has none, or one that is not given to c2pa.
        """
        stores = containers.manifest_stores(data, mime)
        if not stores or _refusal(data, stores):
            raise containers.ManifestUnreadable
        try:
            with c2pa.Reader(mime, io.BytesIO(data), context=self._context) as reader:
                return str(reader.crjson())
        except c2pa.C2paError as error:
            raise containers.ManifestUnreadable(message=f"It cannot be read: {error}.") from error

    def _known_elsewhere(self, data: bytes, mime: AssetMime) -> ManifestReading | None:
        """The reading by the trust list, where that vouches for the signer."""
        found = self._listed.read(data, mime) if self._listed else None
        if found is None or found.signature != "trusted":
            return None
        return manifest_reading.as_listed(found)

    def _read(self, data: bytes, mime: AssetMime) -> ManifestReading:
        stores = containers.manifest_stores(data, mime)
        if refusal := _refusal(data, stores):
            return manifest_reading.unreadable(refusal)
        try:
            reader = c2pa.Reader.try_create(mime, io.BytesIO(data), context=self._context)
            if reader is None:
                if not stores:
                    return ManifestReading("absent")
                return manifest_reading.unreadable("unreadable")
            with reader:
                report = json.loads(reader.json())
                reading = manifest_reading.read(report, str(reader.get_validation_state()))
        except (c2pa.C2paError, ValueError, KeyError, TypeError, AttributeError) as error:
            return manifest_reading.refused(str(error), has_store=bool(stores))
        return self._judged(reading, b"".join(stores))

    def _judged(self, reading: ManifestReading, store: bytes) -> ManifestReading:
        """What c2pa does not look at: revocations that the operator knows of, and that whoever
        vouches for timestamps does not vouch for signers.
        """
        if reading.signature != "trusted":
            return reading
        if not self._vouches_for_signer(reading, store):
            return manifest_reading.as_unknown(reading)
        since = dict(self._trust.revoked).get(reading.serial_number or "")
        return manifest_reading.as_revoked(reading, since) if since else reading

    def _vouches_for_signer(self, reading: ManifestReading, store: bytes) -> bool:
        """c2pa trusts a signer by any anchor, whatever kind it is said to be of."""
        if not self._trust.timestamps_pem:
            return True
        known = list(certificates.embedded_in(store))
        signers = [each for each in known if str(each.serial_number) == reading.serial_number]
        return any(
            certificates.leads_to(each, known=known, anchors=self._anchors) for each in signers
        )


def _refusal(data: bytes, stores: list[bytes]) -> str:
    """Why a file is not given to c2pa, empty where it is: what c2pa reads must be what was bounded.

    A store is as large as its file, for pictures are in it; only what is parsed has a bound.
    """
    if len(stores) > 1:
        return "several"
    if containers.count_starts(data) > len(stores):
        return "unreadable"
    try:
        for store in stores:
            store_limits.check(store)
    except store_limits.StoreTooLarge:
        return "too_large"
    except store_limits.StoreBroken:
        return "unreadable"
    return ""


def _timed_before(told: ManifestReading, *, by: ManifestReading) -> ManifestReading:
    """What a timestamp adds. Whether it is trusted says a reading that does not rely on the
    distrusted authority: that could issue itself a clock, too.
    """
    if by.timestamp != "trusted" or by.signed_at is None:
        return replace(told, timestamp=by.timestamp)
    return manifest_reading.as_seen(told, datetime.fromisoformat(by.signed_at))


class Signer(Reader):
    """One signing key with its chain. Reused by a whole process."""

    def __init__(
        self,
        keyring: Keyring,
        *,
        timestamps: TimestampAuthority | None = None,
        listed_pem: str = "",
    ) -> None:
        super().__init__(
            Trust(
                keyring.anchors_pem,
                timestamps.anchors_pem if timestamps else "",
                tuple(keyring.revoked.items()),
                keyring.distrusted,
                listed_pem,
            )
        )
        self._keyring = keyring
        self._plain = self._c2pa_signer(None)
        self._timed = self._c2pa_signer(timestamps.url) if timestamps else None
        seconds = timestamps.seconds if timestamps else 0.0
        self._patience: Patience[SignedFile] = Patience("the timestamping authority", seconds)

    def _c2pa_signer(self, timestamp_url: str | None) -> Any:
        keyring = self._keyring
        try:
            algorithm = ALGORITHMS[keyring.algorithm]
            if keyring.sign is not None:
                return c2pa.Signer.from_callback(
                    _told(keyring.sign), algorithm, keyring.certificate_chain_pem, timestamp_url
                )
            info = c2pa.C2paSignerInfo(
                alg=algorithm,
                sign_cert=keyring.certificate_chain_pem.encode(),
                private_key=keyring.signer_key_pem.encode(),
                ta_url=timestamp_url.encode() if timestamp_url else None,
            )
            return c2pa.Signer.from_info(info)
        except (c2pa.C2paError, KeyError) as error:
            raise SigningFailed(message=f"The signing key cannot be used: {error}.") from error

    def sign(
        self,
        data: bytes,
        mime: Mime,
        *,
        claim: ManifestClaim,
        parent: Parent | None = None,
        thumbnail: bytes = b"",
        is_timed: bool = True,
        has_draft: bool = False,
    ) -> SignedFile:
        """The file with XMP and a signed manifest, verified against the trusted authorities.

        A parent becomes an ingredient; its own manifest is kept inside, valid or not. With a
        timestamping authority the signature carries its time; where none is to be had within a
        short while, or with `is_timed` false, it does without.

        Raises:
            SigningFailed: c2pa refused, or the signed file does not read as trusted.
        """
        data = embedded_xmp.put(data, mime, definition.xmp_of(claim))

        def signed_by(signer: Any) -> SignedFile:
            try:
                builder = self._builder(mime, claim, parent, thumbnail)
                draft = io.BytesIO()
                if has_draft:
                    builder.to_archive(draft)
                signed = _embedded(signer, builder, data, mime)
            except c2pa.C2paError as error:
                raise SigningFailed(message=f"The picture could not be signed: {error}.") from error
            return replace(self._verified(signed, mime, claim.asset_id), draft=draft.getvalue())

        if is_timed and self._timed is not None:
            signed = self._patience.attempt(lambda: signed_by(self._timed))
            if signed is not None:
                return signed
        return signed_by(self._plain)

    def sign_again(
        self, draft: bytes, data: bytes, mime: Mime, *, asset_id: str
    ) -> SignedFile | None:
        """A file that was signed without a time, with a manifest of the same draft and a time; None
        where no time is to be had now.

        Raises:
            SigningFailed: the draft cannot be used, or the signed file does not read as trusted.
        """
        if self._timed is None:
            return None
        try:
            builder = c2pa.Builder({}, context=self._context).with_archive(io.BytesIO(draft))
        except c2pa.C2paError as error:
            raise SigningFailed(message=f"The draft cannot be used: {error}.") from error
        signed = self._patience.attempt(lambda: _embedded(self._timed, builder, data, mime))
        return None if signed is None else self._verified(signed, mime, asset_id)

    def _builder(
        self, mime: Mime, claim: ManifestClaim, parent: Parent | None, thumbnail: bytes
    ) -> Any:
        """Raises `c2pa.C2paError`."""
        told = definition.definition_of(claim, mime=mime, has_parent=parent is not None)
        if thumbnail:
            told["thumbnail"] = {"format": "image/jpeg", "identifier": _THUMBNAIL}
        builder = c2pa.Builder(told, context=self._context)
        if thumbnail:
            builder.add_resource(_THUMBNAIL, io.BytesIO(thumbnail))
        if parent is not None:
            said = {"title": parent.title, "relationship": "parentOf", "label": definition.PARENT}
            builder.add_ingredient(said, parent.mime, io.BytesIO(parent.data))
        return builder

    def _verified(self, signed: SignedFile, mime: Mime, asset_id: str) -> SignedFile:
        reading = self.read(signed.data, mime)
        if reading.state != "trusted" or (reading.asset_id or "") != asset_id:
            raise SigningFailed(message=f"The signed picture reads as {reading.state}.")
        return replace(signed, is_timestamped=reading.timestamp == "trusted")


def _embedded(signer: Any, builder: Any, data: bytes, mime: Mime) -> SignedFile:
    """The file with its manifest inside, in place of one that was there; not verified yet.

    Raises `c2pa.C2paError`.
    """
    target = io.BytesIO()
    manifest = builder.sign(signer, mime, io.BytesIO(data), target)
    return SignedFile(target.getvalue(), manifest)


def _told(sign: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """c2pa hides what a callback raises; it is written down here first."""

    def logged(data: bytes) -> bytes:
        try:
            return sign(data)
        except Exception:
            logger.exception("the key outside did not sign")
            raise

    return logged


def digest(manifest: bytes) -> str:
    """SHA-256 of a manifest store, hexadecimal."""
    return hashlib.sha256(manifest).hexdigest()
