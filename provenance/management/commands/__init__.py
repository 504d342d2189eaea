"""Commands of `manage.py` for keys, marks, the log and the roles of its database."""
