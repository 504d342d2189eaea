"""Starts a house on one host; needs no Django.

Doors: `supervisor.main`, `embedded_servers` (embedded, state_dir, ROOT), `private_files`.
"""
