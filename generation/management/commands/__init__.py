"""Commands of `manage.py`: `generate`, `plan_memory`, `register_starter`, `run_audit`."""
