"""Keeps a claimed request leased from a thread of its own while its worker is busy."""

from __future__ import annotations

from threading import Event, Thread
from time import monotonic
from types import TracebackType

from django.db import InterfaceError, OperationalError, connection

from config.core.clock import Clock
from generation.line import claims


class Lease:
    """Renews the lease of `claim` every few seconds and listens for a cancellation in between.
    `now` is the database's clock, by which the sweeper judges too.

    The thread dies with the process, so a killed worker's lease runs out and the sweeper takes the
    request back. `was_cut_off` is true once the database was out of reach, `should_stop` once the
    lease is lost or the owner asked to cancel.
    """

    def __init__(self, claim: claims.Claim, *, now: Clock) -> None:
        self._claim = claim
        self._now = now
        self._renewed_at_s = monotonic()  # claimed a moment ago
        self.was_cut_off = False
        self._done = Event()
        self._stop = Event()
        self._thread = Thread(target=self._keep, name="lease", daemon=True)

    def __enter__(self) -> Lease:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        self._thread.join()

    def should_stop(self) -> bool:
        return self._stop.is_set()

    def _keep(self) -> None:
        while not self._done.wait(claims.HEARTBEAT_S):
            self._beat()

    def _beat(self) -> None:
        began_s = monotonic()
        try:
            heartbeat = self._renewed() if self._is_due() else claims.look(self._claim)
        except (OperationalError, InterfaceError):
            self.was_cut_off = True
            return  # the database may be back at the next beat; the token still fences
        finally:
            connection.close()  # back to the pool, which has fewer than all leases would hold
            # The pool waits for a connection that fails to come, and may get it in the end.
            self.was_cut_off |= monotonic() - began_s > claims.RENEW_S
        if heartbeat.is_cancel_requested or not heartbeat.is_held:
            self._stop.set()

    def _is_due(self) -> bool:
        return monotonic() - self._renewed_at_s >= claims.RENEW_S

    def _renewed(self) -> claims.Heartbeat:
        heartbeat = claims.extend_lease(self._claim, at=self._now())
        self._renewed_at_s = monotonic()
        return heartbeat
