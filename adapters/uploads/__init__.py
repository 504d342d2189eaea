"""An upload from its first byte to its verdict, and what its owner may do with it.

Doors: `owner_actions` for people, `check_job` for workers.
"""
