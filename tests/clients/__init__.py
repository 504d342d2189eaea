"""Clients that other people made, and our own, against a whole house: `make test-clients`."""
