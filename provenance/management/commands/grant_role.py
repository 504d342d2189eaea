"""`manage.py grant_role NAME`: let the application's database role work, but not change the log."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from provenance.database import privileges


class Command(BaseCommand):
    help = "Give a database role what the application needs; run by the owner of the tables."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("role", help="a role that owns no table")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            wanted = privileges.statements(options["role"])
        except ValueError as error:
            raise CommandError(str(error)) from error
        with connection.cursor() as cursor:
            for statement in wanted:
                cursor.execute(statement)
        self.stdout.write(f"{options['role']} may use the tables, and of the log's append only.")
