"""Addresses of the audits' API, below /api/v1/. Runs of suites stand in the room that renders."""

from django.urls import path

from moderation.audits import api

app_name = "audits-api"
urlpatterns = [
    path("audits/", api.Audits.as_view(), name="audits"),
    path("audits/replay/", api.Replay.as_view(), name="replay"),
    path("audits/<uuid:audit_id>/", api.AuditDetail.as_view(), name="audit"),
    path("audits/<uuid:audit_id>/decisions/", api.Decisions.as_view(), name="decisions"),
    path("audits/<uuid:audit_id>/files/<str:name>", api.AuditFileView.as_view(), name="file"),
]
