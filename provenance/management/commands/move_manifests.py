"""`manage.py move_manifests`: from rows of an older release into the storage."""

from typing import Any

from django.core.management.base import BaseCommand

from provenance.assets import manifest_move


class Command(BaseCommand):
    help = (
        "Move the manifests that an older release kept in the database into the storage. The house "
        "may serve meanwhile; stopped, it goes on where it was when it is called again."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        moved, staying = 0, 0
        for batch in manifest_move.move():
            moved += batch.moved
            staying += len(batch.staying)
            for asset_id in batch.staying:
                self.stderr.write(f"{asset_id} stays: its manifest is not the one that it names.")
            self.stdout.write(f"{moved} moved")
        if not moved and not staying:
            self.stdout.write("All manifests are in the storage.")
