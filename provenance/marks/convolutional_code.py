"""Rate-1/2 convolutional code, constraint length 7, generators 171 and 133 octal, with a soft
Viterbi decoder. Pure.

The code of the Voyager probes (CCSDS 131.0-B); six zero bits end each message in the zero state.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

GENERATORS = (0o171, 0o133)
MEMORY = 6
STATES = 1 << MEMORY


def coded_length(message_bits: int) -> int:
    """How many code bits carry a message."""
    return 2 * (message_bits + MEMORY)


def encode(bits: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Code bits (0 or 1), uint8 [2 * (n + 6)], of message bits uint8 [n]."""
    register, coded = 0, []
    for bit in [*bits.tolist(), *[0] * MEMORY]:
        register = (register >> 1) | (bit << MEMORY)
        coded += [(register & generator).bit_count() & 1 for generator in GENERATORS]
    return np.array(coded, np.uint8)


def decode(soft: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The likeliest message, uint8 [n], for soft code bits float32 [2 * (n + 6)]; above 0 is 1."""
    outputs, previous = _trellis()
    pairs = soft.reshape(-1, 2)
    metric = np.full(STATES, -np.inf)
    metric[0] = 0.0
    choices = np.empty((len(pairs), STATES), np.uint8)
    for step, pair in enumerate(pairs):
        candidates = metric[previous] + outputs @ pair
        choices[step] = candidates.argmax(axis=1)
        metric = candidates.max(axis=1)
    return _trace_back(choices, previous)[:-MEMORY]


def _trace_back(choices: NDArray[np.uint8], previous: NDArray[np.intp]) -> NDArray[np.uint8]:
    """Walk from the zero state at the end; a state's top bit is the bit that led to it."""
    bits = np.empty(len(choices), np.uint8)
    state = 0
    for step in range(len(choices) - 1, -1, -1):
        bits[step] = state >> (MEMORY - 1)
        state = int(previous[state, choices[step, state]])
    return bits


@cache
def _trellis() -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """For each state and each of its two predecessors: the code bits as ±1 [64, 2, 2]; the state
    [64, 2].
    """
    outputs = np.empty((STATES, 2, len(GENERATORS)))
    previous = np.empty((STATES, 2), np.intp)
    for state in range(STATES):
        for dropped in (0, 1):
            register = (state << 1) | dropped
            previous[state, dropped] = register & (STATES - 1)
            for place, generator in enumerate(GENERATORS):
                outputs[state, dropped, place] = 1 - 2 * (
                    1 ^ ((register & generator).bit_count() & 1)
                )
    return outputs, previous
