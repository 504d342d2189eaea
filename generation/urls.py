"""Addresses of the studio, the gallery and the account page."""

from django.urls import path

from generation.capacity import capacity_views
from generation.gallery import file_views, image_views
from generation.live import live_views
from generation.studio import account_views, progress_stream, studio_views
from generation.suite_runs import suite_run_views

app_name = "generation"
urlpatterns = [
    path("", studio_views.home, name="home"),
    path("studio/", studio_views.studio, name="studio"),
    path("studio/submit/", studio_views.submit, name="submit"),
    path("studio/estimate/", studio_views.estimate, name="estimate"),
    path("studio/live/", live_views.live_page, name="live"),
    path("studio/live/draw/", live_views.draw, name="live-draw"),
    path("studio/live/<uuid:request_id>/", live_views.picture, name="live-picture"),
    path("studio/events/", progress_stream.stream, name="events"),
    path("requests/<uuid:request_id>/", studio_views.request_page, name="request"),
    path("requests/<uuid:request_id>/cancel/", studio_views.cancel, name="cancel"),
    path("requests/<uuid:request_id>/remove/", studio_views.remove, name="remove"),
    path("requests/<uuid:request_id>/source/", studio_views.source, name="source"),
    path("requests/<uuid:request_id>/preview/", studio_views.preview, name="preview"),
    path("gallery/", image_views.gallery, name="gallery"),
    path("gallery/delete/", image_views.delete_selected, name="delete-selected"),
    path("gallery/download/", file_views.download_selected, name="download-selected"),
    path("images/<uuid:image_id>/", image_views.image, name="image"),
    path("images/<uuid:image_id>/file/", file_views.image_file, name="image-file"),
    path("images/<uuid:image_id>/thumbnail/<int:width>/", file_views.thumbnail, name="thumbnail"),
    path("images/<uuid:image_id>/show/", image_views.show, name="show"),
    path("images/<uuid:image_id>/again/", image_views.again, name="again"),
    path("images/<uuid:image_id>/vary/", image_views.vary, name="vary"),
    path("images/<uuid:image_id>/from/", image_views.start_from, name="start-from"),
    path("images/<uuid:image_id>/delete/", image_views.delete, name="delete"),
    path("audits/runs/", suite_run_views.start, name="audit-start"),
    path("audits/runs/<uuid:run_id>/", suite_run_views.run_page, name="audit-run"),
    path("audits/runs/<uuid:run_id>/cancel/", suite_run_views.cancel, name="audit-cancel"),
    path("audits/runs/<uuid:run_id>/resume/", suite_run_views.resume, name="audit-resume"),
    path("capacity/", capacity_views.capacity, name="capacity"),
    path("account/", account_views.account, name="account"),
]
