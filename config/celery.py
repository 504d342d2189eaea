"""The Celery application; its settings stand in config/settings.py with their reasons."""

import os

from celery import Celery
from kombu.transport.redis import Channel

from config.launch import private_files

private_files.begin()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# When the broker goes away, kombu 5.7 tries to put back the tickets that a worker holds over the
# very connection that is gone, and the AttributeError that comes of it ends the worker. The sweeper
# replaces lost tickets, so nothing need be put back.
Channel.do_restore = False

app = Celery("proofsheet")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
