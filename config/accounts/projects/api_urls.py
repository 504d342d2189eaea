"""Addresses of the API of projects."""

from django.urls import path

from config.accounts.projects import overlay_api, project_api

urlpatterns = [
    path("", project_api.ProjectList.as_view(), name="api-projects"),
    path("<uuid:project_id>/", project_api.ProjectDetail.as_view(), name="api-project"),
    path(
        "<uuid:project_id>/organisation/",
        project_api.ProjectOrganisation.as_view(),
        name="api-project-organisation",
    ),
    path(
        "<uuid:project_id>/members/",
        project_api.ProjectMembers.as_view(),
        name="api-project-members",
    ),
    path("<uuid:project_id>/keys/", project_api.ProjectKeys.as_view(), name="api-project-keys"),
    path("<uuid:project_id>/end-users/", project_api.EndUsers.as_view(), name="api-end-users"),
    path(
        "<uuid:project_id>/end-users/<uuid:end_user_id>/",
        project_api.EndUserDetail.as_view(),
        name="api-end-user",
    ),
    path(
        "<uuid:project_id>/overlays/",
        overlay_api.ProjectOverlays.as_view(),
        name="api-overlays",
    ),
    path(
        "<uuid:project_id>/overlays/<int:overlay_number>/",
        overlay_api.OverlayInForce.as_view(),
        name="api-overlay",
    ),
]
