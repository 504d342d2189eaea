"""The denoising thread: one per device, for many callers and all models on that device.

Callers prepare adapters and wait; they never touch a model. So a slow caller holds up nobody.
"""

from __future__ import annotations

import logging
from queue import Empty, SimpleQueue
from threading import Thread

import torch

from generation.engine.loop.decoder import Decoder, use_cores
from generation.engine.loop.denoiser import Denoiser
from generation.engine.loop.trajectory import Order

logger = logging.getLogger(__name__)


class Runner:
    """Steps the model whose image is due first; decoding goes on beside it.

    `threads` cores of the CPU serve the steps, one the decoding.
    """

    def __init__(self, threads: int = 1) -> None:
        self._threads = threads
        self.decoder = Decoder()
        self._inbox: SimpleQueue[tuple[Denoiser, Order] | None] = SimpleQueue()
        self._busy: list[Denoiser] = []
        self._is_open = True
        self._thread = Thread(target=self._run, name="denoiser", daemon=True)
        self._thread.start()

    def submit(self, denoiser: Denoiser, order: Order) -> None:
        order.future.set_running_or_notify_cancel()  # giving up goes by `order.is_cancelled`
        self._inbox.put((denoiser, order))

    def close(self) -> None:
        """Finish what was submitted, then stop."""
        self._inbox.put(None)
        self._thread.join()
        self.decoder.close()

    def _run(self) -> None:
        use_cores(self._threads)
        with torch.inference_mode():
            while self._is_open or self._busy:
                self._receive()
                if self._busy:
                    self._step(min(self._busy, key=lambda denoiser: denoiser.due_at))
                self._busy = [denoiser for denoiser in self._busy if not denoiser.is_idle]

    def _receive(self) -> None:
        """Take in what was submitted; wait for it when there is nothing else to do."""
        while self._is_open and self._receive_one():
            pass

    def _receive_one(self) -> bool:
        """Whether there was one. A call of its own, so that a thread that waits holds no model."""
        try:
            taken = self._inbox.get(block=not self._busy)
        except Empty:
            return False
        if taken is None:
            self._is_open = False
            return False
        denoiser, order = taken
        denoiser.enqueue(order)
        if denoiser not in self._busy:
            self._busy.append(denoiser)
        return True

    def _step(self, denoiser: Denoiser) -> None:
        try:
            self.decoder.finish(denoiser.model, denoiser.step())
        except Exception as error:  # a fault of the engine itself: its orders fail, it lives on
            logger.exception("a step failed")
            denoiser.abandon(error)
