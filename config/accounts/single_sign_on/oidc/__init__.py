"""OpenID Connect: the code flow with PKCE and a nonce, and tokens that are always verified."""
