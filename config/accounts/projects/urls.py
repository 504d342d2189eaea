"""Addresses of the pages of projects."""

from django.urls import path

from config.accounts.projects import end_user_views, overlay_views, project_views

urlpatterns = [
    path("", project_views.projects, name="projects"),
    path("make/", project_views.make, name="make-project"),
    path("choose/", project_views.choose, name="choose-project"),
    path("<uuid:project_id>/", project_views.project, name="project"),
    path("<uuid:project_id>/change/", project_views.change, name="change-project"),
    path(
        "<uuid:project_id>/organisation/",
        project_views.set_organisation,
        name="project-organisation",
    ),
    path("<uuid:project_id>/logo/", project_views.set_logo, name="project-logo"),
    path("<uuid:project_id>/grant/", project_views.grant, name="grant-project"),
    path("<uuid:project_id>/close/", project_views.close, name="close-project"),
    path("<uuid:project_id>/members/", project_views.set_member, name="project-member"),
    path("<uuid:project_id>/keys/make/", project_views.make_key, name="make-project-key"),
    path(
        "<uuid:project_id>/keys/<int:key_id>/rotate/",
        project_views.rotate_key,
        name="rotate-project-key",
    ),
    path(
        "<uuid:project_id>/keys/<int:key_id>/revoke/",
        project_views.revoke_key,
        name="revoke-project-key",
    ),
    path(
        "<uuid:project_id>/end-users/<uuid:end_user_id>/export/",
        end_user_views.export,
        name="export-end-user",
    ),
    path(
        "<uuid:project_id>/end-users/<uuid:end_user_id>/erase/",
        end_user_views.erase,
        name="erase-end-user",
    ),
    path("<uuid:project_id>/overlays/propose/", overlay_views.propose, name="propose-overlay"),
    path(
        "<uuid:project_id>/overlays/<int:overlay_number>/activate/",
        overlay_views.activate,
        name="activate-overlay",
    ),
    path(
        "<uuid:project_id>/overlays/<int:overlay_number>/retire/",
        overlay_views.retire,
        name="retire-overlay",
    ),
]
