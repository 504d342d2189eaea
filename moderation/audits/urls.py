"""Addresses of the audits: reports, the threshold lab."""

from django.urls import path

from moderation.audits.audit_reports import audit_views
from moderation.audits.lab import lab_views

app_name = "audits"
urlpatterns = [
    path("audits/", audit_views.audit_list, name="audits"),
    path("audits/make/", audit_views.make, name="make"),
    path("audits/lab/", lab_views.lab, name="lab"),
    path("audits/lab/propose/", lab_views.propose, name="propose"),
    path("audits/<uuid:audit_id>/", audit_views.audit, name="audit"),
    path("audits/<uuid:audit_id>/decide/", audit_views.decide, name="decide"),
    path("audits/<uuid:audit_id>/<str:name>", audit_views.audit_file, name="file"),
]
