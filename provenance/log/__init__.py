"""The transparency log: what happened, as entries that nobody can change unnoticed.

Others call `transparency_log.append` and `commitment` inside their transaction, and
`asset_entries.check`. Everything else serves who reads the log, or witnesses it.
"""
