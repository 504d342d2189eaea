"""The Celery application; its settings and their reasons: config/settings/task_queues.py."""

import os

from celery import Celery

from config.launch import private_files
from config.runtime import broker_loss, ticket_expiry

private_files.begin()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

broker_loss.endure()
app = Celery("proofsheet", task_cls=ticket_expiry.TimedTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
