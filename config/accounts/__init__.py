"""Accounts: coming in, the second factor, roles, and keys for programs."""
