"""Content Credentials (C2PA 2.x) through c2pa-python, which only this module imports. No Django.

No prompt and no person goes into a manifest. Remote manifests are never fetched. The local
authority is the trust anchor.
"""

import hashlib
import io
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import c2pa

from provenance import containers, manifest_reading
from provenance.errors import ProofsheetError
from provenance.keys import Keyring
from provenance.manifest_reading import ASSET_LABEL, ManifestReading
from provenance.pictures import Mime

SOFT_BINDING_ALGORITHM = "app.proofsheet.tile.1"
CREATED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
MAX_MANIFEST_BYTES = 1_000_000


class SigningFailed(ProofsheetError):
    default_code = "signing_failed"
    default_message = "The picture could not be signed."
    default_advice = "Nothing was released; try again, or tell the operator if it happens again."
    default_status = 503


class AuthorityUnusable(ProofsheetError):
    default_code = "authority_unusable"
    default_message = "The certificate that is to be trusted cannot be read."
    default_advice = "Give it as PEM text."
    default_status = 422


@dataclass(frozen=True, slots=True)
class ManifestClaim:
    """What a manifest says about its asset: ids and names of systems only."""

    asset_id: str
    system_name: str
    system_version: str
    model: str
    created_at: datetime
    watermark_id: str
    is_altered: bool = False


@dataclass(frozen=True, slots=True)
class SignedFile:
    """The file with its manifest inside, and the manifest store by itself."""

    data: bytes
    manifest: bytes


class Reader:
    """Reads manifests and vouches for signers whose certificate this authority issued."""

    def __init__(self, authority_pem: str) -> None:
        settings = {
            "builder": {"thumbnail": {"enabled": False}},
            "trust": {"user_anchors": authority_pem},
            "verify": {"verify_after_sign": False, "remote_manifest_fetch": False},  # `sign` reads
        }
        try:
            self._context = c2pa.Context(c2pa.Settings.from_dict(settings))
        except c2pa.C2paError as error:
            raise AuthorityUnusable from error

    def read(self, data: bytes, mime: Mime) -> ManifestReading:
        """Read the active manifest of a file; never raises for what an upload may hold."""
        if len(containers.manifest_store(data, mime)) > MAX_MANIFEST_BYTES:
            return ManifestReading("unreadable", ("manifest.too_large",))
        try:
            reader = c2pa.Reader.try_create(mime, io.BytesIO(data), context=self._context)
            if reader is None:
                return ManifestReading("absent")
            with reader:
                report = json.loads(reader.json())
                return manifest_reading.read(report, str(reader.get_validation_state()))
        except (c2pa.C2paError, ValueError, KeyError, TypeError, AttributeError) as error:
            return manifest_reading.refused(str(error))


class Signer(Reader):
    """One signing key with its chain. Reused by a whole process."""

    def __init__(self, keyring: Keyring) -> None:
        super().__init__(keyring.authority_pem)
        info = c2pa.C2paSignerInfo(
            alg=c2pa.C2paSigningAlg.ES256,
            sign_cert=keyring.certificate_chain_pem.encode(),
            private_key=keyring.signer_key_pem.encode(),
            ta_url=None,
        )
        try:
            self._signer = c2pa.Signer.from_info(info)
        except c2pa.C2paError as error:
            raise SigningFailed(message=f"The signing key cannot be used: {error}.") from error

    def sign(self, data: bytes, mime: Mime, *, claim: ManifestClaim) -> SignedFile:
        """The file with a signed manifest, already verified against the local authority.

        Raises:
            SigningFailed: c2pa refused, or the signed file does not read as trusted.
        """
        target = io.BytesIO()
        try:
            builder = c2pa.Builder(definition_of(claim), context=self._context)
            manifest = builder.sign(self._signer, mime, io.BytesIO(data), target)
        except c2pa.C2paError as error:
            raise SigningFailed(message=f"The picture could not be signed: {error}.") from error
        signed = SignedFile(target.getvalue(), manifest)
        reading = self.read(signed.data, mime)
        if reading.state != "trusted" or reading.asset_id != claim.asset_id:
            raise SigningFailed(message=f"The signed picture reads as {reading.state}.")
        return signed


def definition_of(claim: ManifestClaim) -> dict[str, Any]:
    """The manifest definition that the builder signs."""
    agent = {"name": claim.system_name, "version": claim.system_version}
    created = {
        "action": "c2pa.created",
        "when": claim.created_at.isoformat(),
        "digitalSourceType": CREATED,
        "softwareAgent": agent,
        "parameters": {"app.proofsheet.model": claim.model},
    }
    edited = {"action": "c2pa.edited", "when": claim.created_at.isoformat(), "softwareAgent": agent}
    binding = {
        "alg": SOFT_BINDING_ALGORITHM,
        "blocks": [{"scope": {}, "value": claim.watermark_id}],
    }
    training = {
        "entries": {
            f"cawg.{use}": {"use": "notAllowed"}
            for use in ("ai_inference", "ai_generative_training", "ai_training", "data_mining")
        }
    }
    asset = {"id": claim.asset_id, "created_at": claim.created_at.isoformat()}
    return {
        "claim_generator_info": [agent],
        "title": f"{claim.asset_id}.png",
        "assertions": [
            _assertion(
                "c2pa.actions.v2", {"actions": [created, edited] if claim.is_altered else [created]}
            ),
            _assertion("c2pa.soft-binding", binding),
            _assertion("cawg.training-mining", training),
            _assertion(ASSET_LABEL, asset),
        ],
    }


def _assertion(label: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"label": label, "data": data}


def digest(manifest: bytes) -> str:
    """SHA-256 of a manifest store, hexadecimal."""
    return hashlib.sha256(manifest).hexdigest()
