"""Addresses of the room's API, below /api/v1/."""

from django.urls import path

from moderation import api

urlpatterns = [
    path("statements/", api.StatementList.as_view(), name="api-statements"),
    path("statements/<uuid:statement_id>/", api.StatementDetail.as_view(), name="api-statement"),
    path("appeals/", api.AppealList.as_view(), name="api-appeals"),
    path("appeals/<uuid:appeal_id>/", api.AppealDetail.as_view(), name="api-appeal"),
    path("review/cases/", api.CaseList.as_view(), name="api-cases"),
    path("review/next/", api.ClaimNext.as_view(), name="api-next"),
    path("review/cases/<uuid:case_id>/decide/", api.Decide.as_view(), name="api-decide"),
]
