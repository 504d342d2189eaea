"""A witness of somebody else's log: `python -m provenance.witness`. It needs no Django; nothing of
the house calls it.
"""
