"""Addresses of the studio, the gallery and the account page."""

from django.urls import path

from generation import (
    account_views,
    audit_views,
    capacity_views,
    events,
    image_views,
    live_views,
    views,
)

app_name = "generation"
urlpatterns = [
    path("", views.home, name="home"),
    path("studio/", views.studio, name="studio"),
    path("studio/submit/", views.submit, name="submit"),
    path("studio/estimate/", views.estimate, name="estimate"),
    path("studio/live/", live_views.live_page, name="live"),
    path("studio/live/draw/", live_views.draw, name="live-draw"),
    path("studio/live/<uuid:request_id>/", live_views.picture, name="live-picture"),
    path("studio/events/", events.stream, name="events"),
    path("requests/<uuid:request_id>/", views.request_page, name="request"),
    path("requests/<uuid:request_id>/cancel/", views.cancel, name="cancel"),
    path("requests/<uuid:request_id>/remove/", views.remove, name="remove"),
    path("requests/<uuid:request_id>/source/", views.source, name="source"),
    path("requests/<uuid:request_id>/preview/", views.preview, name="preview"),
    path("gallery/", image_views.gallery, name="gallery"),
    path("gallery/delete/", image_views.delete_selected, name="delete-selected"),
    path("images/<uuid:image_id>/", image_views.image, name="image"),
    path("images/<uuid:image_id>/file/", image_views.image_file, name="image-file"),
    path("images/<uuid:image_id>/show/", image_views.show, name="show"),
    path("images/<uuid:image_id>/again/", image_views.again, name="again"),
    path("images/<uuid:image_id>/vary/", image_views.vary, name="vary"),
    path("images/<uuid:image_id>/from/", image_views.start_from, name="start-from"),
    path("images/<uuid:image_id>/delete/", image_views.delete, name="delete"),
    path("audits/runs/", audit_views.start, name="audit-start"),
    path("audits/runs/<uuid:run_id>/", audit_views.run_page, name="audit-run"),
    path("audits/runs/<uuid:run_id>/cancel/", audit_views.cancel, name="audit-cancel"),
    path("audits/runs/<uuid:run_id>/resume/", audit_views.resume, name="audit-resume"),
    path("capacity/", capacity_views.capacity, name="capacity"),
    path("account/", account_views.account, name="account"),
]
