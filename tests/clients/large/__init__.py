"""Clients that weigh gigabytes: `make test-clients-large` alone runs them."""
