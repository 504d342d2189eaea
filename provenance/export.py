"""Handing out everything that proves one picture, for a check without this system."""

from hashlib import sha256
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django.conf import settings

from provenance import bundle, canonical, checkpoint, proofs
from provenance.errors import ProofsheetError
from provenance.installation import keyring
from provenance.models import Asset


class NoSuchAsset(ProofsheetError):
    default_code = "no_such_asset"
    default_message = "No picture with that id was marked here."
    default_advice = "Copy the id from the picture's page."
    default_status = 404


class AnotherFile(ProofsheetError):
    default_code = "another_file"
    default_message = "That file is not the one that was signed."
    default_advice = "Give the file as it was downloaded, byte for byte."
    default_status = 422


def bundle_of(asset_id: UUID, *, image: bytes | None = None) -> bytes:
    """The proof bundle of an asset, with the picture when `image` is given.

    Raises:
        NoSuchAsset: nothing was marked under that id.
        AnotherFile: `image` is not the signed file, byte for byte.
        log.NotInLog: its entry still waits for its place.
    """
    asset = Asset.objects.filter(id=asset_id).first()
    if asset is None:
        raise NoSuchAsset
    authority = x509.load_pem_x509_certificate(keyring().authority_pem.encode())
    log_key = keyring().log_key.public_key()
    policy = {
        "v": 1,
        "log_key": checkpoint.verifier_key(settings.PROOFSHEET_LOG_ORIGIN, log_key),
        "authority_sha256": sha256(authority.public_bytes(Encoding.DER)).hexdigest(),
    }
    files = {
        bundle.MANIFEST: bytes(asset.manifest),
        bundle.PROOF: proofs.of_asset(asset_id).encode(),
        bundle.AUTHORITY: authority.public_bytes(Encoding.PEM),
        bundle.POLICY: canonical.encode(policy),
        bundle.README: bundle.EXPLANATION.encode(),
    }
    if image is not None:
        if sha256(image).hexdigest() != asset.sha256:
            raise AnotherFile
        files[bundle.IMAGE] = image
    return bundle.write(files)
