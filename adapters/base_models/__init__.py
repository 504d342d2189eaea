"""Base models as operators register them, and their layers.

Doors: `registration` (register_model, register_adapter) and `inspection_base` (of_model, find).
"""
