"""Who may do what, and how two people change it.

Doors: `role_permissions` for the roles, `role_changes` (ask, confirm, appoint, shut_out).
"""
