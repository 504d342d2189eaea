"""Addresses of the room's API, below /api/v1/."""

from django.urls import path

from moderation.appeals import appeal_api
from moderation.desk import bulk_api, case_api, queue_api
from moderation.desk.teamwork import teamwork_api
from moderation.exports import project_export_api
from moderation.public_notices import notice_api
from moderation.reports import report_api
from moderation.statements import statement_api

urlpatterns = [
    path("statements/", statement_api.StatementList.as_view(), name="api-statements"),
    path(
        "statements/<uuid:statement_id>/",
        statement_api.StatementDetail.as_view(),
        name="api-statement",
    ),
    path(
        "statements/<uuid:statement_id>/notice/",
        notice_api.StatementNotice.as_view(),
        name="api-statement-notice",
    ),
    path(
        "statements/<uuid:statement_id>/appeal/",
        notice_api.StatementAppeal.as_view(),
        name="api-statement-appeal",
    ),
    path("appeals/", appeal_api.AppealList.as_view(), name="api-appeals"),
    path("appeals/<uuid:appeal_id>/", appeal_api.AppealDetail.as_view(), name="api-appeal"),
    path(
        "appeals/<uuid:appeal_id>/withdraw/",
        appeal_api.Withdraw.as_view(),
        name="api-appeal-withdraw",
    ),
    path("review/appeals/", appeal_api.ToHear.as_view(), name="api-appeals-to-hear"),
    path("review/appeals/<uuid:appeal_id>/hear/", appeal_api.Hear.as_view(), name="api-hear"),
    path("notices/", report_api.ReportList.as_view(), name="api-notices"),
    path(
        "notices/<uuid:receipt_key>/",
        report_api.ReportDetail.as_view(),
        name="api-notice",
    ),
    path(
        "notices/<uuid:receipt_key>/appeal/",
        report_api.ReportAppeal.as_view(),
        name="api-notice-appeal",
    ),
    path("review/cases/", queue_api.CaseList.as_view(), name="api-cases"),
    path("review/next/", queue_api.ClaimNext.as_view(), name="api-next"),
    path("review/cases/<uuid:case_id>/", case_api.CaseDetail.as_view(), name="api-case"),
    path("review/cases/<uuid:case_id>/claim/", case_api.ClaimCase.as_view(), name="api-claim"),
    path("review/cases/<uuid:case_id>/renew/", case_api.Renew.as_view(), name="api-renew"),
    path("review/cases/<uuid:case_id>/release/", case_api.Release.as_view(), name="api-release"),
    path("review/cases/<uuid:case_id>/escalate/", case_api.Escalate.as_view(), name="api-escalate"),
    path("review/cases/<uuid:case_id>/decide/", queue_api.Decide.as_view(), name="api-decide"),
    path("review/cases/<uuid:case_id>/undo/", case_api.Undo.as_view(), name="api-undo"),
    path("review/cases/<uuid:case_id>/confirm/", case_api.Confirm.as_view(), name="api-confirm"),
    path("review/cases/<uuid:case_id>/overturn/", case_api.Overturn.as_view(), name="api-overturn"),
    path("review/cases/<uuid:case_id>/notes/", teamwork_api.Notes.as_view(), name="api-notes"),
    path("review/cases/<uuid:case_id>/assign/", teamwork_api.Assign.as_view(), name="api-assign"),
    path(
        "projects/<uuid:project_id>/exports/",
        project_export_api.ProjectExports.as_view(),
        name="api-project-exports",
    ),
    path(
        "projects/<uuid:project_id>/exports/<uuid:export_id>/",
        project_export_api.ProjectExportFile.as_view(),
        name="api-project-export",
    ),
    path("review/bulk/preview/", bulk_api.BulkPreview.as_view(), name="api-bulk-preview"),
    path("review/bulk/decide/", bulk_api.BulkDecide.as_view(), name="api-bulk-decide"),
    path("review/bulk/<uuid:batch>/undo/", bulk_api.BulkUndo.as_view(), name="api-bulk-undo"),
]
