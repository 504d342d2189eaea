"""Addresses of the review desk, of statements and appeals, and of the policies."""

from django.urls import path

from moderation.account_status import audience_views, restriction_views
from moderation.appeals import appeal_views
from moderation.cases import detail_views
from moderation.desk import bulk_views, case_views, queue_views, wellbeing_views
from moderation.desk.teamwork import teamwork_views
from moderation.exports import export_views, project_export_views
from moderation.hash_banks import hash_bank_views
from moderation.policy import policy_views
from moderation.public_notices import public_views
from moderation.reports import report_views
from moderation.statements import statement_views

_EXPORTS = "projects/<uuid:project_id>/exports/"

app_name = "moderation"
urlpatterns = [
    path("review/", queue_views.review, name="review"),
    path("review/next/", queue_views.claim_next, name="next"),
    path("review/cases/<uuid:case_id>/", case_views.case, name="case"),
    path("review/cases/<uuid:case_id>/claim/", case_views.claim, name="claim"),
    path("review/cases/<uuid:case_id>/escalate/", case_views.escalate, name="escalate"),
    path("review/cases/<uuid:case_id>/renew/", case_views.renew, name="renew"),
    path("review/cases/<uuid:case_id>/release/", case_views.release, name="release"),
    path("review/cases/<uuid:case_id>/decide/", case_views.decide, name="decide"),
    path("review/cases/<uuid:case_id>/undo/", case_views.undo, name="undo"),
    path("review/cases/<uuid:case_id>/confirm/", case_views.confirm, name="confirm"),
    path("review/cases/<uuid:case_id>/overturn/", case_views.overturn, name="overturn"),
    path("review/cases/<uuid:found_id>/reveal/", detail_views.reveal, name="reveal"),
    path(
        "review/cases/<uuid:found_id>/derivative/",
        detail_views.derivative,
        name="derivative",
    ),
    path("review/cases/<uuid:found_id>/picture/", detail_views.picture, name="picture"),
    path("review/bulk/", bulk_views.preview, name="bulk"),
    path("review/bulk/decide/", bulk_views.decide, name="bulk-decide"),
    path("review/bulk/<uuid:batch>/undo/", bulk_views.undo, name="bulk-undo"),
    path("review/views/save/", teamwork_views.save_view, name="view-save"),
    path("review/views/<int:view_id>/forget/", teamwork_views.forget_view, name="view-forget"),
    path("review/cases/<uuid:case_id>/note/", teamwork_views.note, name="note"),
    path("review/cases/<uuid:case_id>/assign/", teamwork_views.assign, name="assign"),
    path("review/cases/<uuid:case_id>/viewers/", teamwork_views.viewers_page, name="viewers"),
    path("review/blind/", queue_views.blind, name="blind"),
    path("review/wellbeing/", wellbeing_views.wellbeing_page, name="wellbeing"),
    path("review/wellbeing/break/", wellbeing_views.rest, name="rest"),
    path("review/wellbeing/blur/", wellbeing_views.blur, name="blur"),
    path("statements/<uuid:statement_id>/", statement_views.statement, name="statement"),
    path("statements/<uuid:statement_id>/appeal/", appeal_views.lodge, name="lodge"),
    path("r/<str:token>", public_views.notice, name="public-notice"),
    path("r/<str:token>/words", public_views.words, name="public-words"),
    path("r/<str:token>/appeal", public_views.appeal, name="public-appeal"),
    path("r/<str:token>/withdraw", public_views.withdraw, name="public-withdraw"),
    path("r/<str:token>/logo", public_views.logo, name="public-logo"),
    path(
        "r/<str:token>/pictures/<uuid:image_id>",
        public_views.picture,
        name="public-picture",
    ),
    path("report/", report_views.report, name="report"),
    path("images/<uuid:image_id>/report/", report_views.report_by_number),
    path("reported/", report_views.mine, name="reported"),
    path("reported/<uuid:receipt_key>/", report_views.receipt, name="receipt"),
    path("reported/<uuid:receipt_key>/appeal/", report_views.lodge, name="contest"),
    path("appeals/", appeal_views.appeal_list, name="appeals"),
    path("appeals/<uuid:appeal_id>/", appeal_views.appeal, name="appeal"),
    path("appeals/<uuid:appeal_id>/hear/", appeal_views.hear, name="hear"),
    path("appeals/<uuid:appeal_id>/withdraw/", appeal_views.withdraw, name="withdraw"),
    path("appeals/<uuid:found_id>/reveal/", appeal_views.reveal, name="appeal-reveal"),
    path(
        "appeals/<uuid:found_id>/derivative/",
        appeal_views.derivative,
        name="appeal-derivative",
    ),
    path("appeals/<uuid:found_id>/picture/", appeal_views.picture, name="appeal-picture"),
    path("account/standing/", restriction_views.standing_page, name="standing"),
    path("audience/", audience_views.audience, name="audience"),
    path("review/banks/", hash_bank_views.bank_list, name="banks"),
    path("review/banks/new/", hash_bank_views.create, name="bank-create"),
    path("review/banks/<slug:name>/fill/", hash_bank_views.fill, name="bank-fill"),
    path("review/banks/<slug:name>/enforce/", hash_bank_views.enforce, name="bank-enforce"),
    path("review/banks/<slug:name>/export/", hash_bank_views.export, name="bank-export"),
    path("reports/exports/", export_views.export_list, name="exports"),
    path("reports/exports/make/", export_views.export, name="export"),
    path(_EXPORTS, project_export_views.project_exports_page, name="project-exports"),
    path(f"{_EXPORTS}ask/", project_export_views.ask, name="ask-project-export"),
    path(f"{_EXPORTS}<uuid:export_id>/", project_export_views.fetch, name="project-export"),
    path("policies/", policy_views.versions, name="policies"),
    path("policies/draft/<slug:profile>/", policy_views.draft, name="policy-draft"),
    path("policies/made/<slug:version>/", policy_views.version, name="policy-version"),
    path("policies/made/<slug:version>/propose/", policy_views.propose, name="policy-propose"),
    path("policies/made/<slug:version>/activate/", policy_views.activate, name="policy-activate"),
    path("policies/made/<slug:version>/discard/", policy_views.discard, name="policy-discard"),
    path("policies/<slug:version>/", policy_views.policy_page, name="policy"),
]
