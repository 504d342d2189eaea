"""Rows behind fairness: whose turn it is in each priority class, and what one user may use."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import Q

from config.core.projects.models import Project
from generation.request_rules import deficit_round_robin

IN_TURN = ("turn_ms", "queued_at", "id")
"""The order in which a project's requests of one priority are served."""


class FairQueueRing(models.Model):
    """How far the ring of `deficit_round_robin` has come round for one priority. A claim moves it
    on after its own transaction, so that no claim waits for another here."""

    priority = models.SmallIntegerField(primary_key=True)
    round = models.BigIntegerField(default=0)

    class Meta:
        db_table = "generation_rota"  # its first name; the table stays where it is

    def __str__(self) -> str:
        return f"ring {self.priority}"


class FairShare(models.Model):
    """A project's place in the ring of one priority, for as long as it has a request that waits
    there. Its lock is the right to serve that project next; `id` is its place in a round."""

    priority = models.SmallIntegerField()
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    spent_ms = models.BigIntegerField(help_text="Of what its rounds since the first paid in.")
    due_round = models.BigIntegerField(help_text="In which its next request is paid.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["priority", "project"], name="generation_one_share_a_project"
            ),
        ]
        indexes = [
            models.Index(fields=["priority", "due_round", "id"], name="generation_turns"),
        ]

    def __str__(self) -> str:
        return f"{self.project_id} in ring {self.priority}"


# One that is there already is locked: a claim that is about to drop it, because it saw nothing
# wait, ends first. One that was left behind, because what waited was cancelled, begins anew.
_JOIN = """
    INSERT INTO generation_fairshare AS share (priority, project_id, spent_ms, due_round)
    VALUES (%(priority)s, %(project)s, %(spent_ms)s, %(due_round)s)
    ON CONFLICT (priority, project_id) DO UPDATE
    SET spent_ms = EXCLUDED.spent_ms, due_round = EXCLUDED.due_round
    WHERE NOT EXISTS (
        SELECT FROM generation_generationrequest AS other
        WHERE other.priority = share.priority AND other.project_id = share.project_id
            AND other.status = 'queued' AND other.id <> %(request)s
    )
"""
_TURN = """
    UPDATE generation_generationrequest AS own SET turn_ms = own.predicted_ms + GREATEST(
        0,
        (
            SELECT turn_ms - predicted_ms FROM generation_generationrequest
            WHERE status = 'queued' AND priority = own.priority AND project_id = own.project_id
                AND id <> own.id
            ORDER BY turn_ms, queued_at, id LIMIT 1
        ),
        (
            SELECT max(turn_ms) FROM generation_generationrequest
            WHERE status = 'queued' AND priority = own.priority AND project_id = own.project_id
                AND id <> own.id AND {whose}
        )
    )
    WHERE own.id = %s RETURNING own.turn_ms
"""
_FORGOTTEN = """
    SELECT DISTINCT ON (priority, project_id) priority, project_id, predicted_ms, id
    FROM generation_generationrequest AS waiting
    WHERE status = 'queued' AND NOT EXISTS (
        SELECT FROM generation_fairshare AS share
        WHERE share.priority = waiting.priority AND share.project_id = waiting.project_id
    )
    ORDER BY priority, project_id, turn_ms, queued_at
"""
_LEFT = """
    SELECT id FROM generation_fairshare AS share WHERE NOT EXISTS (
        SELECT FROM generation_generationrequest AS waiting
        WHERE waiting.status = 'queued' AND waiting.priority = share.priority
            AND waiting.project_id = share.project_id
    )
"""


def join(priority: int, project_id: UUID, *, cost_ms: int, request_id: UUID) -> None:
    """Have the project stand in the ring, in the transaction that lets this request of it wait."""
    rings = FairQueueRing.objects.filter(priority=priority)
    now = rings.values_list("round", flat=True).first() or 0
    spent_ms = deficit_round_robin.spent_at(now)
    asked: dict[str, Any] = {
        "priority": priority,
        "project": project_id,
        "spent_ms": spent_ms,
        "due_round": deficit_round_robin.due_round(spent_ms, cost_ms, now=now),
        "request": request_id,
    }
    with connection.cursor() as cursor:
        cursor.execute(_JOIN, asked)


def turn(request_id: UUID, *, is_of_end_user: bool) -> int:
    """Where it stands among its project's: behind what waits of the same end user, whichever member
    asked, or else of the same member, and level with what others wait for. Self-clocked fair
    queueing in predicted device milliseconds (Golestani, INFOCOM 1994): each is due when its own
    ones before it would have been served and it too, from where the project's first is now.
    """
    of_member = "end_user_id IS NULL AND owner_id = own.owner_id"
    whose = "end_user_id = own.end_user_id" if is_of_end_user else of_member
    with connection.cursor() as cursor:
        cursor.execute(_TURN.format(whose=whose), [request_id])
        return int(cursor.fetchone()[0])


def mend() -> None:
    """Let in what waits without a place in its ring, and drop the places of those who left without
    being served. Looked at twice: what was locked may have got something to wait meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGOTTEN)
        forgotten = cursor.fetchall()
    for priority, project_id, cost_ms, request_id in forgotten:
        join(priority, project_id, cost_ms=cost_ms, request_id=request_id)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"{_LEFT} ORDER BY id FOR UPDATE SKIP LOCKED")
        left = [share_id for (share_id,) in cursor.fetchall()]
        if left:
            cursor.execute(
                f"DELETE FROM generation_fairshare WHERE id IN ({_LEFT} AND id = ANY(%s))", [left]
            )


class Allowance(models.Model):
    """What one user may use where it differs from the usual; an empty field means the usual."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="allowance"
    )
    images_a_day = models.PositiveIntegerField(null=True, blank=True)
    device_seconds_a_day = models.PositiveIntegerField(null=True, blank=True)
    in_flight = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(in_flight__isnull=True) | Q(in_flight__gt=0),
                name="generation_allowance_lets_one_through",
            ),
        ]

    def __str__(self) -> str:
        return f"allowance of {self.user_id}"
