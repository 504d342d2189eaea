"""Who may see an adapter and who may render with it.

Doors: `visibility` (find_model, find_adapter, usable_by, search) and `sharing` (owned, share,
open_link).
"""
