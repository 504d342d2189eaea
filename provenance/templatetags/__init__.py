"""Filters of templates: `moments`."""
