"""The command `manage.py export_audit`."""
