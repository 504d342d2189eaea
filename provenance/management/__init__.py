"""What operators run: `manage.py` finds it in `commands`."""
