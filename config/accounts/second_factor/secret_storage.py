"""What second factors are made of lies sealed in the database."""

from __future__ import annotations

from allauth.mfa.adapter import DefaultMFAAdapter

from config.core.secrets.seal import Seal

_SEAL = Seal(b"proofsheet: second factors")
_MARK = "gAAAA"  # how every Fernet token begins


class Secrets(DefaultMFAAdapter):  # type: ignore[misc] # allauth has no types
    """Second factors' secrets lie encrypted in the database."""

    def encrypt(self, text: str) -> str:
        return _SEAL.close(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Secrets of before are in clear: no base32 secret or seed begins as a token does."""
        if not encrypted_text.startswith(_MARK):
            return encrypted_text
        return _SEAL.open(encrypted_text.encode()).decode()
