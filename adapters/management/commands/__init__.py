"""Commands of `manage.py`: `inspect_adapter`, `register_model`."""
