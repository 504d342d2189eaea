"""Addresses of the studio, the gallery and the account page."""

from django.urls import path

from generation import account_views, capacity_views, events, image_views, views

app_name = "generation"
urlpatterns = [
    path("", views.home, name="home"),
    path("studio/", views.studio, name="studio"),
    path("studio/submit/", views.submit, name="submit"),
    path("studio/events/", events.stream, name="events"),
    path("requests/<uuid:request_id>/", views.request_page, name="request"),
    path("requests/<uuid:request_id>/cancel/", views.cancel, name="cancel"),
    path("requests/<uuid:request_id>/remove/", views.remove, name="remove"),
    path("requests/<uuid:request_id>/preview/", views.preview, name="preview"),
    path("gallery/", image_views.gallery, name="gallery"),
    path("gallery/delete/", image_views.delete_selected, name="delete-selected"),
    path("images/<uuid:image_id>/", image_views.image, name="image"),
    path("images/<uuid:image_id>/file/", image_views.image_file, name="image-file"),
    path("images/<uuid:image_id>/again/", image_views.again, name="again"),
    path("images/<uuid:image_id>/vary/", image_views.vary, name="vary"),
    path("images/<uuid:image_id>/delete/", image_views.delete, name="delete"),
    path("capacity/", capacity_views.capacity, name="capacity"),
    path("account/", account_views.account, name="account"),
    path("account/token/make/", account_views.make_token, name="make-token"),
    path("account/token/revoke/", account_views.revoke_token, name="revoke-token"),
]
