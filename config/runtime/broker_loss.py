"""What kombu 5.7 needs so that a worker outlives its broker, told in one place."""

from typing import Any

from kombu.transport.redis import Channel
from redis.exceptions import ConnectionError as BrokerAway

_channel: Any = Channel  # kombu's stubs know no private names
_connparams = _channel._connparams


def endure() -> None:
    """For every process that takes tickets.

    A worker whose broker went away would put back the tickets that it holds over the very
    connection that is gone. The sweeper replaces lost tickets, so nothing need be put back.

    A ticket that ends meanwhile is acknowledged over a channel that has no connection any more. The
    AttributeError that comes of it ended the worker; as a lost connection, which it is, it is
    written to the log and the worker connects again.
    """
    _channel.do_restore = False
    _channel._connparams = _of_open_channels


def _of_open_channels(channel: Any, asynchronous: bool = False) -> Any:
    if channel.connection is None:
        raise BrokerAway("The channel was closed with its connection.")
    return _connparams(channel, asynchronous)
