"""Addresses of the room's API, below /api/v1/."""

from django.urls import path

from moderation import api, content_notice_api

urlpatterns = [
    path("statements/", api.StatementList.as_view(), name="api-statements"),
    path("statements/<uuid:statement_id>/", api.StatementDetail.as_view(), name="api-statement"),
    path("appeals/", api.AppealList.as_view(), name="api-appeals"),
    path("appeals/<uuid:appeal_id>/", api.AppealDetail.as_view(), name="api-appeal"),
    path("notices/", content_notice_api.NoticeList.as_view(), name="api-notices"),
    path(
        "notices/<uuid:receipt_key>/",
        content_notice_api.NoticeDetail.as_view(),
        name="api-notice",
    ),
    path(
        "notices/<uuid:receipt_key>/appeal/",
        content_notice_api.NoticeAppeal.as_view(),
        name="api-notice-appeal",
    ),
    path("review/cases/", api.CaseList.as_view(), name="api-cases"),
    path("review/next/", api.ClaimNext.as_view(), name="api-next"),
    path("review/cases/<uuid:case_id>/decide/", api.Decide.as_view(), name="api-decide"),
]
