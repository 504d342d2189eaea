"""`manage.py check_witnesses`: whether the log is behind what witnesses saw; exit 1 where it is."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from config.core import clock
from provenance.log import cosigning, rollback, transparency_log
from provenance.log.formats import checkpoint


class Command(BaseCommand):
    help = (
        "Ask each witness of LOG_WITNESSES for the largest tree of this log that it cosigned. "
        "Where one is larger than the database's, which a restore from an older backup leads to, "
        "print it as the proof, with exit status 1: the log signs nothing until the newest backup "
        "is back."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        ours = transparency_log.latest_checkpoint().tree_size
        for witness in cosigning.witnesses():
            note = cosigning.look(witness, at=clock.now())
            size = checkpoint.parse(note).tree_size if note else None
            self.stdout.write(
                f"{witness.name} shows no checkpoint by both keys."
                if size is None
                else f"{witness.name} cosigned {size} entries; the log has {ours}."
            )
            if note and size is not None and size > ours:
                self.stdout.write(note)
        try:
            rollback.require_whole()
        except rollback.LogBehind as stopped:
            self.stderr.write(f"{stopped.message} {stopped.advice}")
            sys.exit(1)
        self.stdout.write("The log lacks nothing that a witness cosigned.")
