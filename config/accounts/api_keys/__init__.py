"""Keys that let programs act for their owner.

Doors: `key_issuing` (make, find, revoke_all) and `key_authentication.KeyAuthentication`.
"""
