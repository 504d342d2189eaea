"""Policies as data, one file a version, checked against schema.json when read."""
