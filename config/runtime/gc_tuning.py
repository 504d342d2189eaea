"""Spares a process the long pauses of the garbage collector.

A full collection walks through every object that lives, and no thread runs meanwhile; a web process
has 300,000 of them, a worker more. Nearly all are modules and models that were loaded for good, so
they are walked through once and then left out (ADR 60).
"""

import gc


def settle() -> None:
    """Leave out of further collections what lives now; call it once all is loaded that stays."""
    gc.collect()
    gc.freeze()
