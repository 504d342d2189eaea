"""Filters of the audits' templates: `audits`."""
