"""Standard Webhooks 1.0.0: signatures, secrets and when to try again. Pure."""
