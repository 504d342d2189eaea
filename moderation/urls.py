"""Addresses of the review desk, of statements and appeals, and of the policies."""

from django.urls import path

from moderation import appeal_views, audience_views, case_views, review_views, statement_views

app_name = "moderation"
urlpatterns = [
    path("review/", review_views.review, name="review"),
    path("review/next/", review_views.claim_next, name="next"),
    path("review/cases/<uuid:case_id>/", case_views.case, name="case"),
    path("review/cases/<uuid:case_id>/claim/", case_views.claim, name="claim"),
    path("review/cases/<uuid:case_id>/escalate/", case_views.escalate, name="escalate"),
    path("review/cases/<uuid:case_id>/renew/", case_views.renew, name="renew"),
    path("review/cases/<uuid:case_id>/release/", case_views.release, name="release"),
    path("review/cases/<uuid:case_id>/decide/", case_views.decide, name="decide"),
    path("review/cases/<uuid:case_id>/undo/", case_views.undo, name="undo"),
    path("review/cases/<uuid:case_id>/confirm/", case_views.confirm, name="confirm"),
    path("review/cases/<uuid:case_id>/overturn/", case_views.overturn, name="overturn"),
    path("review/cases/<uuid:case_id>/reveal/", case_views.reveal, name="reveal"),
    path("review/cases/<uuid:case_id>/derivative/", case_views.derivative, name="derivative"),
    path("review/cases/<uuid:case_id>/picture/", case_views.picture, name="picture"),
    path("statements/<uuid:statement_id>/", statement_views.statement, name="statement"),
    path("statements/<uuid:statement_id>/appeal/", statement_views.lodge, name="lodge"),
    path("appeals/", appeal_views.appeal_list, name="appeals"),
    path("appeals/<uuid:appeal_id>/", appeal_views.appeal, name="appeal"),
    path("appeals/<uuid:appeal_id>/hear/", appeal_views.hear, name="hear"),
    path("appeals/<uuid:appeal_id>/withdraw/", appeal_views.withdraw, name="withdraw"),
    path("appeals/<uuid:appeal_id>/reveal/", appeal_views.reveal, name="appeal-reveal"),
    path("appeals/<uuid:appeal_id>/derivative/", appeal_views.derivative, name="appeal-derivative"),
    path("appeals/<uuid:appeal_id>/picture/", appeal_views.picture, name="appeal-picture"),
    path("audience/", audience_views.audience, name="audience"),
    path("policies/<slug:version>/", statement_views.policy_page, name="policy"),
]
