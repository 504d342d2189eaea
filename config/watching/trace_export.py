"""Sends traces to a collector (OTLP over HTTP), where settings name one."""

from __future__ import annotations

from django.conf import settings
from opentelemetry import trace

MISSING = (
    "OTEL_EXPORTER_OTLP_ENDPOINT is set, and the packages that send traces are not installed: "
    "pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http"
)


def begin(kind: str) -> None:
    """Once in a process of that kind. Ends it with one sentence where the packages are missing."""
    if not settings.PROOFSHEET_TRACES_TO:
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise SystemExit(MISSING) from error
    said = {"service.name": f"proofsheet-{kind}", "service.version": settings.PROOFSHEET_VERSION}
    provider = TracerProvider(resource=Resource.create(said))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
