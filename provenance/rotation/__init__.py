"""New keys and authorities for old, each told to the log: `manage.py rotate_keys`.

Called by that command alone.
"""
