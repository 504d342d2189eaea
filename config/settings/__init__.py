"""All settings, by what they are about; each part imports the ones that it builds on.

Every variable that one of them reads is listed in the README's table.
"""

# ruff: noqa: F403 - what the parts say are settings of this module
from config.settings.admin_theme import *
from config.settings.app_settings import *
from config.settings.applications import *
from config.settings.data_servers import *
from config.settings.instance import *
from config.settings.log_output import *
from config.settings.people import *
from config.settings.rest_api import *
from config.settings.stored_files import *
from config.settings.task_queues import *
from config.settings.transport import *
