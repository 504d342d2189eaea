"""Signing up and in; named by the settings, but for `sessions.end_all`."""
