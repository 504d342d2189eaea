"""Addresses of the audits: reports, the threshold lab."""

from django.urls import path

from moderation.audits import lab_views, views

app_name = "audits"
urlpatterns = [
    path("audits/", views.audit_list, name="audits"),
    path("audits/make/", views.make, name="make"),
    path("audits/lab/", lab_views.lab, name="lab"),
    path("audits/lab/propose/", lab_views.propose, name="propose"),
    path("audits/<uuid:audit_id>/", views.audit, name="audit"),
    path("audits/<uuid:audit_id>/decide/", views.decide, name="decide"),
    path("audits/<uuid:audit_id>/<str:name>", views.audit_file, name="file"),
]
