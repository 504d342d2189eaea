"""The statistics of audits over plain arrays: no database, no Django."""
