"""Files with Content Credentials as other tools make them, also ones that name a server to call."""

import io
import json
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import c2pa

from provenance.keys.key_folder import Keyring
from provenance.pictures.decoder import Mime
from tests.provenance.files import chunk

SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_CONTEXT: dict[str, Any] = {
    "builder": {"thumbnail": {"enabled": False}},
    "core": {"decode_identity_assertions": False},
    "verify": {"verify_after_sign": False, "remote_manifest_fetch": False},
}


def created(source_type: str = "digitalCapture", agent: Any = "Elsewhere") -> dict[str, Any]:
    """The actions assertion of a picture that was made from nothing."""
    action = {"action": "c2pa.created", "softwareAgent": agent}
    told = {"digitalSourceType": SOURCE_TYPES + source_type} if source_type else {}
    return {"label": "c2pa.actions.v2", "data": {"actions": [action | told]}}


def opened(*more: dict[str, Any]) -> dict[str, Any]:
    """The actions assertion of a picture that was made from its first parent."""
    action = {"action": "c2pa.opened", "parameters": {"ingredientIds": ["parent-0"]}}
    return {"label": "c2pa.actions.v2", "data": {"actions": [action, *more]}}


def signed(
    data: bytes,
    mime: Mime,
    *,
    by: Keyring,
    assertions: Sequence[dict[str, Any]] = (),
    parents: Sequence[tuple[bytes, Mime]] = (),
    generator: str = "Elsewhere",
    thumbnails: bool = False,
) -> bytes:
    """A file that a stranger with these keys signed; parents become ingredients as they are, with
    the whole picture as thumbnail where they are to have one.
    """
    definition = {
        "claim_generator_info": [{"name": generator, "version": "1"}],
        "title": "a picture",
        "assertions": list(assertions) or [created()],
    }
    with c2pa.Context(c2pa.Settings.from_dict(_CONTEXT)) as context:
        builder = c2pa.Builder(definition, context=context)
        for number, (parent, kind) in enumerate(parents):
            relationship = "componentOf" if number else "parentOf"
            said = {"title": f"parent {number}", "relationship": relationship}
            told: dict[str, Any] = said | {"label": f"parent-{number}"}
            if thumbnails:
                told["thumbnail"] = {"format": kind, "identifier": f"thumbnail-{number}"}
                builder.add_resource(f"thumbnail-{number}", io.BytesIO(parent))
            builder.add_ingredient(told, kind, io.BytesIO(parent))
        info = c2pa.C2paSignerInfo(
            alg=c2pa.C2paSigningAlg.ES256,
            sign_cert=by.certificate_chain_pem.encode(),
            private_key=by.signer_key_pem.encode(),
            ta_url=None,
        )
        target = io.BytesIO()
        builder.sign(c2pa.Signer.from_info(info), mime, io.BytesIO(data), target)
    return target.getvalue()


def identity(issuer: str) -> dict[str, Any]:
    """An identity assertion (CAWG) by an aggregator that is named by this DID.

    It refers to no assertion that is there and its signature is nothing: its DID is resolved before
    that is looked at.
    """
    binding = {"url": "self#jumbf=c2pa.assertions/c2pa.hash.data"}
    kind = "cawg.identity_claims_aggregation"
    credential = {
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://cawg.io/identity/1.1/ica/context/",
        ],
        "type": ["VerifiableCredential", "IdentityClaimsAggregationCredential"],
        "issuer": issuer,
        "validFrom": "2024-01-01T00:00:00Z",
        "credentialSubject": {
            "verifiedIdentities": [
                {
                    "type": "cawg.social_media",
                    "username": "somebody",
                    "uri": "https://example.org/somebody",
                    "verifiedAt": "2024-01-01T00:00:00Z",
                    "provider": {"id": "https://example.org", "name": "Example"},
                }
            ],
            "c2paAsset": {
                "referenced_assertions": [binding | {"hash": "AAAA"}],
                "sig_type": kind,
            },
        },
    }
    protected = _cbor({1: -8, 3: "application/vc"})
    signature = b"\xd2" + _cbor([protected, {}, json.dumps(credential).encode(), bytes(64)])
    return {
        "label": "cawg.identity",
        "data": {
            "signer_payload": {
                "referenced_assertions": [binding | {"hash": [0] * 32}],
                "sig_type": kind,
            },
            "signature": list(signature),
            "pad1": [0],
        },
    }


def pointing(png: bytes, port: int) -> bytes:
    """A picture whose credentials lie elsewhere."""
    xmp = (
        b"XML:com.adobe.xmp\0\0\0\0\0"
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf='
        b'"http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        b'xmlns:dcterms="http://purl.org/dc/terms/" '
        b'dcterms:provenance="http://127.0.0.1:%d/manifest.c2pa"/></rdf:RDF></x:xmpmeta>' % port
    )
    return png[:33] + chunk(b"iTXt", xmp) + png[33:]


def _cbor(value: Any) -> bytes:
    """RFC 8949, as much of it as COSE needs here."""
    match value:
        case int():
            return _head(0, value) if value >= 0 else _head(1, -1 - value)
        case bytes():
            return _head(2, len(value)) + value
        case str():
            return _head(3, len(value.encode())) + value.encode()
        case list():
            return _head(4, len(value)) + b"".join(_cbor(each) for each in value)
        case dict():
            pairs = (_cbor(name) + _cbor(each) for name, each in value.items())
            return _head(5, len(value)) + b"".join(pairs)
    raise TypeError(value)


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    size = next(size for size in (1, 2, 4, 8) if number < 256**size)
    return bytes([major << 5 | {1: 24, 2: 25, 4: 26, 8: 27}[size]]) + number.to_bytes(size)


@contextmanager
def listener() -> Iterator[tuple[int, list[str]]]:
    """A port on loopback, and who connected to it; each is cut off at once."""
    came: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            while True:
                try:
                    connection, address = server.accept()
                except OSError:
                    return
                came.append(str(address))
                connection.close()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield server.getsockname()[1], came
        server.shutdown(socket.SHUT_RDWR)
    thread.join(timeout=5)
