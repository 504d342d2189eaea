"""Commands of `manage.py`: `appoint`, `make_key`, `prepare_house`."""
