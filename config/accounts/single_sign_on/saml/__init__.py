"""SAML 2.0: only what the house asked for, with message and assertion signed."""
