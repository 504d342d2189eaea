"""The keys that sign and mark, in one folder or outside, and the certificates of their owners.

Others call `installed_keys.keyring`; all but that module is pure.
"""
