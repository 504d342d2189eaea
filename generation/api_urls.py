"""Addresses of the API of requests, images and models."""

from django.urls import path

from generation.gallery import image_api
from generation.studio import generation_api
from generation.suite_runs import suite_run_api

app_name = "generation-api"
urlpatterns = [
    path("generations/", generation_api.Generations.as_view(), name="generations"),
    path("generations/estimate/", generation_api.EstimateView.as_view(), name="estimate"),
    path(
        "generations/<uuid:request_id>/", generation_api.GenerationView.as_view(), name="generation"
    ),
    path("generations/<uuid:request_id>/cancel/", generation_api.Cancel.as_view(), name="cancel"),
    path("images/", image_api.Images.as_view(), name="images"),
    path("images/<uuid:image_id>/", image_api.Image.as_view(), name="image"),
    path("images/<uuid:image_id>/file/", image_api.ImageFile.as_view(), name="image-file"),
    path("images/<uuid:image_id>/show/", image_api.ShowImage.as_view(), name="image-show"),
    path("audits/suites/", suite_run_api.Suites.as_view(), name="audit-suites"),
    path("audits/runs/", suite_run_api.Runs.as_view(), name="audit-runs"),
    path("audits/runs/<uuid:run_id>/", suite_run_api.RunDetail.as_view(), name="audit-run"),
    path(
        "audits/runs/<uuid:run_id>/cancel/", suite_run_api.CancelRun.as_view(), name="audit-cancel"
    ),
    path(
        "audits/runs/<uuid:run_id>/resume/", suite_run_api.ResumeRun.as_view(), name="audit-resume"
    ),
    path("models/", generation_api.Models.as_view(), name="models"),
]
