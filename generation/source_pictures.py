"""The address by which migration 0007 knows the private storage."""

from generation.models import private_storage

__all__ = ["private_storage"]
