"""Handing out everything that proves one picture, for a check without this system."""

from dataclasses import replace
from hashlib import sha256
from uuid import UUID

from cryptography import x509
from django.conf import settings

from config.core.errors import ProofsheetError
from provenance.keys import certificates
from provenance.keys.installed_keys import keyring
from provenance.log import cosigning, proofs, timestamping
from provenance.log.formats import canonical_json, checkpoint, proof_file
from provenance.manifests.signing_context import timestamp_authority
from provenance.models import Asset
from provenance.offline import bundle_format
from provenance.pictures import decoder


class NoSuchAsset(ProofsheetError):
    """No record has that id, or it was erased."""

    default_code = "no_such_asset"
    default_message = "No picture with that id was marked here."
    default_advice = "Copy the id from the picture's page."
    default_status = 404


class AnotherFile(ProofsheetError):
    """The picture that was given has another digest than the one that was signed."""

    default_code = "another_file"
    default_message = "That file is not the one that was signed."
    default_advice = "Give the file as it was downloaded, byte for byte."
    default_status = 422


def bundle_of(asset_id: UUID, *, image: bytes | None = None) -> bytes:
    """The proof bundle of an asset, with the picture when `image` is given.

    Raises:
        NoSuchAsset: nothing was marked under that id.
        AnotherFile: `image` is not the signed file, byte for byte.
        NotInLog: its entry still waits for its place.
        ContentMissing, ContentAltered: its manifest is not in the storage as it was kept.
    """
    asset = Asset.objects.filter(id=asset_id).first()
    if asset is None:
        raise NoSuchAsset
    if image is not None and sha256(image).hexdigest() != asset.sha256:
        raise AnotherFile
    proof, policy = _proof_and_signers(asset_id)
    manifest = asset.manifest_store()
    authority = _authority_of(manifest)
    dated = _timestamp_of(proof)
    files = {
        bundle_format.MANIFEST: manifest,
        bundle_format.PROOF: proof_file.write(proof).encode(),
        bundle_format.AUTHORITY: authority,
        bundle_format.POLICY: canonical_json.encode(
            policy
            | {
                "v": 1,
                "authority_sha256": bundle_format.digest_of_pem(authority),
                "timestamp": bundle_format.digests_of_timestamp(dated),
            }
        ),
        bundle_format.README: bundle_format.EXPLANATION.encode(),
        **dated,
    }
    if image is not None:
        files[bundle_format.IMAGES[decoder.mime_of(image)]] = image
    return bundle_format.write(files)


def _proof_and_signers(asset_id: UUID) -> tuple[proof_file.Proof, dict[str, object]]:
    """The proof under the signatures that the policy names, and no others: the newest of the log's
    keys that signed, and witnesses.
    """
    proof = proof_file.read(proofs.of_asset(asset_id))
    origin = settings.PROOFSHEET_LOG_ORIGIN
    _, key = checkpoint.verify_by_any(proof.note, origin=origin, keys=keyring().log_verifiers())
    own = checkpoint.lines_by(proof.note, name=origin, key=key)[:1]
    witnessed = cosigning.lines_in(proof.note)
    policy: dict[str, object] = {
        "log_key": checkpoint.verifier_key(origin, key),
        "witnesses": [witness.verifier_key for witness, _ in witnessed],
    }
    note = checkpoint.with_lines(proof.note, [*own, *(line for _, line in witnessed)])
    return replace(proof, note=note), policy


def _authority_of(manifest: bytes) -> bytes:
    """Those of our anchors, or of our authorities of earlier, that vouch for the manifest's signer,
    as PEM.

    The active manifest is the last of a store (C2PA 2.x, section 11.1), after those of its parents.
    """
    pem = f"{keyring().anchors_pem}\n{keyring().authorities_pem}"
    anchors = list(dict.fromkeys(x509.load_pem_x509_certificates(pem.encode())))
    known = list(certificates.embedded_in(manifest))
    for signer in reversed([each for each in known if certificates.may_sign(each)]):
        vouching = [
            anchor
            for anchor in anchors
            if certificates.leads_to(signer, known=known, anchors=[anchor])
        ]
        if vouching:
            return b"".join(certificates.public_pem(anchor) for anchor in vouching)
    return certificates.public_pem(anchors[0])


def _timestamp_of(proof: proof_file.Proof) -> dict[str, bytes]:
    """The token that dates the proof's checkpoint and the certificates that vouch for it."""
    dated, authority = timestamping.of_leaf(proof.index), timestamp_authority()
    is_about_it = dated is not None and dated.tree_size == checkpoint.parse(proof.note).tree_size
    if dated is None or authority is None or not is_about_it:
        return {}
    plain = x509.load_pem_x509_certificates(authority.anchors_pem.encode())
    return {
        bundle_format.TIMESTAMP: bytes(dated.token),
        bundle_format.TIMESTAMP_AUTHORITY: b"".join(
            certificates.public_pem(each) for each in plain
        ),
    }
