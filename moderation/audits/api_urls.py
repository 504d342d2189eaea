"""Addresses of the audits' API, below /api/v1/. Runs of suites stand in the room that renders."""

from django.urls import path

from moderation.audits.audit_reports import audit_api
from moderation.audits.lab import lab_api

app_name = "audits-api"
urlpatterns = [
    path("audits/", audit_api.Audits.as_view(), name="audits"),
    path("audits/replay/", lab_api.Replay.as_view(), name="replay"),
    path("audits/<uuid:audit_id>/", audit_api.AuditDetail.as_view(), name="audit"),
    path("audits/<uuid:audit_id>/decisions/", audit_api.Decisions.as_view(), name="decisions"),
    path("audits/<uuid:audit_id>/files/<str:name>", audit_api.AuditFileView.as_view(), name="file"),
]
