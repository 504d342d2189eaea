"""`manage.py verify_log`: recompute the whole log; exit 1 and name the first bad index."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from provenance.log import recomputation


class Command(BaseCommand):
    help = "Recompute every leaf, node and checkpoint of the log from the entries' own bytes."

    def handle(self, *args: Any, **options: Any) -> None:
        found = recomputation.audit()
        if found.fault is None:
            self.stdout.write(
                f"The log holds: {found.leaves} entries, {found.checkpoints} checkpoints, "
                f"{found.waiting} waiting for their place."
            )
            return
        where = "the log as a whole" if found.fault.index is None else f"index {found.fault.index}"
        self.stderr.write(f"The log does not hold at {where}: {found.fault.sentence}")
        sys.exit(1)
