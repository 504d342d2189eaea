"""Proof bundles: made by `bundle_export`, checked by `python -m provenance.offline` without Django.

Others call `bundle_export.bundle_of`; the checker is run by whoever got a bundle.
"""
