"""Which images share the next forward."""

from __future__ import annotations

from collections.abc import Iterable

from generation.engine.loop.trajectory import Trajectory


def due_first(active: Iterable[Trajectory], rows_ceiling: int) -> list[Trajectory]:
    """The images of one bucket that are due first, as many as the batch has rows, and at least one.

    Where an interactive one is due first, no others step beside it: each row more makes the step
    longer for the person who waits, and a few steps are soon over.
    """
    queue = sorted(active, key=lambda trajectory: trajectory.order.due_at)
    is_urgent = bool(queue) and queue[0].order.job.is_interactive
    members: list[Trajectory] = []
    rows = 0
    for trajectory in queue:
        if trajectory.bucket != queue[0].bucket:
            continue
        if is_urgent and not trajectory.order.job.is_interactive:
            continue
        rows += len(trajectory.rows)
        if members and rows > rows_ceiling:
            break
        members.append(trajectory)
    return members
