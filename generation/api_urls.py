"""Addresses of the API of requests, images and models."""

from django.urls import path

from generation import api, audit_api, image_api

app_name = "generation-api"
urlpatterns = [
    path("generations/", api.Generations.as_view(), name="generations"),
    path("generations/estimate/", api.Estimate.as_view(), name="estimate"),
    path("generations/<uuid:request_id>/", api.Generation.as_view(), name="generation"),
    path("generations/<uuid:request_id>/cancel/", api.Cancel.as_view(), name="cancel"),
    path("images/", image_api.Images.as_view(), name="images"),
    path("images/<uuid:image_id>/", image_api.Image.as_view(), name="image"),
    path("images/<uuid:image_id>/file/", image_api.ImageFile.as_view(), name="image-file"),
    path("images/<uuid:image_id>/show/", image_api.ShowImage.as_view(), name="image-show"),
    path("audits/suites/", audit_api.Suites.as_view(), name="audit-suites"),
    path("audits/runs/", audit_api.Runs.as_view(), name="audit-runs"),
    path("audits/runs/<uuid:run_id>/", audit_api.RunDetail.as_view(), name="audit-run"),
    path("audits/runs/<uuid:run_id>/cancel/", audit_api.CancelRun.as_view(), name="audit-cancel"),
    path("audits/runs/<uuid:run_id>/resume/", audit_api.ResumeRun.as_view(), name="audit-resume"),
    path("models/", api.Models.as_view(), name="models"),
]
