#!/usr/bin/env python
"""Django's command line. Without DATABASE_URL it uses (or starts) the embedded servers."""

import os
import sys

NO_DATABASE = {"help", "makemigrations", "spectacular", "collectstatic", "--help", "--version"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from config.launch import embedded_servers, private_files
    from config.launch.child_processes import CannotStart

    private_files.begin()
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    wants_help = "--help" in sys.argv or "-h" in sys.argv
    if command not in NO_DATABASE and not wants_help:
        try:
            embedded_servers.ensure_running()
        except CannotStart as error:
            sys.exit(f"Proofsheet cannot run. {error}")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
