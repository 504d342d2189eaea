"""One trace from the answer to an HTTP request through rows of the database to what follows it.

By OpenTelemetry's API, which records nothing until `config.watching` exports it; the ids are there
in any case, and are in the log's lines. Rows keep a `traceparent` (W3C), for a ticket of Celery's
is anybody's: whoever works on a row goes on in the row's trace. Spans say names, sizes and times,
and of an error its class: never what people wrote.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from random import getrandbits

from opentelemetry import trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind
from opentelemetry.trace.propagation import set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

TRACEPARENT_CHARACTERS = 55
Attributes = Mapping[str, str | int | float]
_tracer = trace.get_tracer("proofsheet")
_w3c = TraceContextTextMapPropagator()


@contextmanager
def apart() -> Iterator[None]:
    """In no trace, until `follow` says in which; afterwards in that of before."""
    token = attach(Context())
    try:
        yield
    finally:
        detach(token)


def follow(traceparent: str) -> None:
    """Go on in the trace of a row, or of a proxy's header, until `apart` ends. Without one, or with
    what is none, in a new one.
    """
    attach(_w3c.extract({"traceparent": traceparent}, context=Context()))


@contextmanager
def step(
    name: str, attributes: Attributes | None = None, *, kind: SpanKind = SpanKind.INTERNAL
) -> Iterator[Span]:
    """A span of the trace that one is in; the first of a new one where there is none."""
    with _tracer.start_as_current_span(
        name,
        kind=kind,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as begun:
        # Where nobody records, lines and rows have ids all the same.
        token = None if begun.get_span_context().is_valid else attach(_unrecorded())
        try:
            yield begun
        except BaseException as error:
            begun.set_attribute("error.type", type(error).__name__)
            raise
        finally:
            if token is not None:
                detach(token)


def _unrecorded() -> Context:
    above = trace.get_current_span().get_span_context()
    trace_id = above.trace_id if above.is_valid else getrandbits(128) or 1
    return set_span_in_context(
        NonRecordingSpan(SpanContext(trace_id, getrandbits(64) or 1, is_remote=False))
    )


def traceparent() -> str:
    """Of what is done now, for a row that others go on with; empty in no trace."""
    carrier: dict[str, str] = {}
    _w3c.inject(carrier)
    return carrier.get("traceparent", "")


def ids() -> dict[str, object]:
    """For a line of the log; empty in no trace."""
    now = trace.get_current_span().get_span_context()
    if not now.is_valid:
        return {}
    return {"trace_id": f"{now.trace_id:032x}", "span_id": f"{now.span_id:016x}"}
