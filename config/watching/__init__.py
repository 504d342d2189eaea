"""How a process is watched: its own port, and what Celery does in it."""
