"""What kombu 5.7 needs so that a worker outlives its broker, told in one place."""

from typing import Any

from kombu import Connection
from kombu.transport.redis import Channel
from redis.exceptions import ConnectionError as BrokerAway

_channel: Any = Channel  # kombu's stubs know no private names
_connparams = _channel._connparams
_connection: Any = Connection
_ensure_connection = _connection._ensure_connection
RETRY_MAX_S = 5.0


def endure() -> None:
    """For every process that takes tickets.

    A worker whose broker went away would put back the tickets that it holds over the very
    connection that is gone. The sweeper replaces lost tickets, so nothing need be put back.

    A ticket that ends meanwhile is acknowledged over a channel that has no connection any more. The
    AttributeError that comes of it ended the worker; as a lost connection, which it is, it is
    written to the log and the worker connects again.

    It tries so every few seconds, however long the broker is away. The library's own pauses grow to
    half a minute, for which everybody would wait after an outage of some minutes.
    """
    _channel.do_restore = False
    _channel._connparams = _of_open_channels
    _connection._ensure_connection = _with_short_pauses


def _with_short_pauses(connection: Any, *args: Any, interval_max: float = 30, **said: Any) -> Any:
    return _ensure_connection(
        connection, *args, interval_max=min(interval_max, RETRY_MAX_S), **said
    )


def _of_open_channels(channel: Any, asynchronous: bool = False) -> Any:
    if channel.connection is None:
        raise BrokerAway("The channel was closed with its connection.")
    return _connparams(channel, asynchronous)
