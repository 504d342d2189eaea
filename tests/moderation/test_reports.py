"""Reports of public pictures: taken from anybody, decided by a person, contested, not misused."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import Group, User
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import TestCase, override_settings

from config.core import clock
from config.core.outbox import draining, tasks
from config.core.outbox.models import OutboxRow
from generation.models import GeneratedImage
from moderation.appeals import hearing
from moderation.cases import review_cases
from moderation.decisions import allowed_actions, enforcing
from moderation.desk.teamwork import case_notes
from moderation.exports import transparency_files
from moderation.models import Appeal, Decision, Report, ReviewCase
from moderation.notifications import mails
from moderation.reports import report_limits, report_status, reporting
from moderation.reports.report_limits import Sender
from moderation.reports.reporting import SentReport
from moderation.subjects import reportable_pictures
from provenance.verify import sightings
from tests.factories import make_image, make_model, make_request
from tests.moderation.makers import NOON, claimed
from tests.projects.makers import join, make_project
from tests.rewriting import rewritten

STRANGER = Sender(None, "a" * 64)


@pytest.fixture
def image(alice: User) -> GeneratedImage:
    return make_image(alice, make_model())


@pytest.fixture
def erin(carol: User) -> User:
    person = User.objects.create_user("erin")
    person.groups.set(carol.groups.all())
    return person


@pytest.fixture
def flagger(mallory: User, roles: dict[str, Group]) -> User:
    mallory.groups.add(roles["trusted flaggers"])
    return User.objects.get(pk=mallory.pk)


@pytest.fixture
def post_office(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mails about decisions are written as soon as their transaction is committed."""

    def deliver(*_: object, **__: object) -> None:
        OutboxRow.objects.filter(task="moderation.tasks.mail_receipt").delete()
        draining.drain(now=clock.now)

    monkeypatch.setattr(tasks.drain, "apply_async", deliver)


def sent(image_id: UUID, *, at: datetime = NOON, **said: Any) -> SentReport:
    usual: dict[str, Any] = {
        "category": "nudity",
        "explanation": "She is undressed.",
        "is_in_good_faith": True,
    }
    return SentReport(sighting=sightings.give(image_id, at=at), **usual | said)


def reported(
    image: GeneratedImage, *, sender: Sender = STRANGER, at: datetime = NOON, **said: Any
) -> Report:
    return reporting.submit(sent(image.id, at=at, **said), sender=sender, at=at)


def decided(report: Report, by: User, action: Any, reason: str, *, at: datetime = NOON) -> Decision:
    case, token = claimed(report.case, by, at=at)
    return enforcing.decide(case, by=by, action=action, reason=reason, token=token, at=at)


def fresh(report: Report) -> report_status.Receipt:
    return report_status.receipt(reporting.find(report.receipt_key))


# ------------------------------------------------------------------ taking one
def test_submit_opens_a_case_of_the_picture(image: GeneratedImage, alice: User) -> None:
    case = reported(image).case
    assert (case.subject_kind, case.subject_id, case.owner) == ("image", image.id, alice)
    assert (case.category, case.evidence["prompt"]) == ("nudity", "a red apple")
    assert fresh(Report.objects.get()).state == "waiting"


def test_submit_joins_the_case_that_waits(image: GeneratedImage, mallory: User) -> None:
    first = reported(image)
    second = reported(image, sender=Sender(mallory, ""), category="hate")
    assert first.case_id == second.case_id
    row = ReviewCase.objects.get()
    assert (row.category, row.severity) == ("hate", 4)
    assert row.due_at == NOON + timedelta(hours=4)


def test_submit_never_lowers_a_case(image: GeneratedImage, mallory: User) -> None:
    reported(image, category="hate")
    row = reported(image, sender=Sender(mallory, ""), category="other").case
    assert (row.category, row.severity) == ("hate", 4)


def test_submit_opens_a_new_case_once_the_old_one_is_decided(
    image: GeneratedImage, bob: User
) -> None:
    first = reported(image)
    decided(first, bob, "allow", "within_policy")
    assert reported(image).case_id != first.case_id


def test_submit_takes_a_severe_case_off_the_desk_of_who_may_not_see_it(
    image: GeneratedImage, bob: User, carol: User, mallory: User
) -> None:
    row, _ = claimed(reported(image).case, bob)
    case_notes.assign(row, to="bob", by=carol)
    row = reported(image, sender=Sender(mallory, ""), category="minors").case
    assert not review_cases.visible_to(bob).exists()
    assert review_cases.claim_next(by=carol, at=NOON) == row


def test_submit_leaves_a_case_alone_that_is_decided_but_for_its_window(
    image: GeneratedImage, bob: User, mallory: User
) -> None:
    from moderation.decisions import pending_decisions

    case, token = claimed(reported(image).case, bob)
    pending_decisions.propose(case, by=bob, action="refuse", reason="nudity", token=token, at=NOON)
    late = reported(image, sender=Sender(mallory, ""), category="minors")
    pending_decisions.settle(at=NOON + timedelta(minutes=1))
    assert fresh(late).state == "withheld"


@pytest.mark.parametrize("state", ["held", "withheld"])
def test_submit_refuses_pictures_that_are_not_public(alice: User, state: str) -> None:
    hidden = make_image(alice, make_model(), state=state)
    with pytest.raises(reportable_pictures.PictureNotPublic):
        reported(hidden)


@pytest.mark.parametrize("state", ["released", "held", "withheld", "unknown"])
@pytest.mark.parametrize("token", ["", "forged", "old", "another key's"])
def test_submit_takes_no_number_for_a_picture_and_says_nothing_of_it(
    alice: User, state: str, token: str
) -> None:
    known = state != "unknown"
    image_id = make_image(alice, make_model(), state=state).id if known else uuid4()
    match token:
        case "forged":
            told = sightings.give(uuid4(), at=NOON).replace(":", f"{image_id}:", 1)
        case "old":
            told = sightings.give(image_id, at=NOON - sightings.LASTS - timedelta(seconds=1))
        case "another key's":
            with override_settings(SECRET_KEY="not the house's"):
                told = sightings.give(image_id, at=NOON)
        case _:
            told = token
    said = reporting.SentReport(told, "nudity", "Look.", True)
    with pytest.raises((reporting.PictureNotShown, sightings.SightingInvalid)) as refused:
        reporting.submit(said, sender=STRANGER, at=NOON)
    codes = {"": "picture_not_shown", "old": "sighting_expired"}
    assert refused.value.code == codes.get(token, "sighting_invalid")
    assert not ReviewCase.objects.exists()


def test_submit_refuses_deleted_and_unknown_pictures(image: GeneratedImage) -> None:
    with pytest.raises(reportable_pictures.PictureNotPublic):
        reporting.submit(sent(uuid4()), sender=STRANGER, at=NOON)
    image.mark_deleted(at=NOON)
    with pytest.raises(reportable_pictures.PictureNotPublic):
        reported(image)


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"category": "boring"}, reporting.GroundUnknown),
        ({"explanation": " \n"}, reporting.ExplanationMissing),
        ({"explanation": "\u200b\u2060"}, reporting.ExplanationMissing),
        ({"explanation": "x" * 4001}, reporting.ExplanationMissing),
        ({"is_in_good_faith": False}, reporting.GoodFaithMissing),
    ],
)
def test_submit_refuses_half_a_notice(
    image: GeneratedImage, said: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        reported(image, **said)
    assert not ReviewCase.objects.exists()


def test_submit_takes_one_notice_a_person_and_case(image: GeneratedImage, mallory: User) -> None:
    for sender in (STRANGER, Sender(mallory, "")):
        reported(image, sender=sender)
        with pytest.raises(reporting.AlreadyReported):
            reported(image, sender=sender)


def test_database_takes_no_notice_without_good_faith(image: GeneratedImage) -> None:
    report = reported(image)
    with (
        pytest.raises(IntegrityError, match="notice_is_in_good_faith"),
        transaction.atomic(),
        rewritten(Report),
    ):
        Report.objects.filter(id=report.id).update(is_in_good_faith=False)


# ------------------------------------------------------------------ trusted flaggers
def test_trusted_flagger_comes_before_others(image: GeneratedImage, flagger: User) -> None:
    plain = make_image(image.owner, image.request.model)
    reported(plain)
    urgent = reported(image, sender=Sender(flagger, ""))
    assert urgent.is_trusted
    assert review_cases.queue(by=User(is_superuser=True)).first() == urgent.case
    assert urgent.case.due_at == NOON + timedelta(hours=reporting.TRUSTED_HOURS)


def test_superuser_is_no_trusted_flagger(image: GeneratedImage, mallory: User) -> None:
    mallory.is_superuser = True
    assert not reported(image, sender=Sender(mallory, "")).is_trusted


# ------------------------------------------------------------------ the decision
def test_refusal_withholds_the_picture_and_names_the_notice_as_its_source(
    image: GeneratedImage, bob: User
) -> None:
    report = reported(image, name="Eve", email="eve@example.org")
    statement = decided(report, bob, "refuse", "nudity").statement
    image.refresh_from_db()
    assert image.state == "withheld"
    assert statement.fields["source_type"] == "SOURCE_ARTICLE_16"
    assert statement.fields["automated_detection"] == "No"
    assert "Somebody had reported" in statement.fields["decision_facts"]
    assert "Eve" not in str(statement.fields)
    assert (fresh(report).state, fresh(report).ground) == ("withheld", "Nudity")


def test_refusal_after_a_trusted_notice_says_so(
    image: GeneratedImage, bob: User, flagger: User
) -> None:
    report = reported(image, sender=Sender(flagger, ""))
    fields = decided(report, bob, "refuse", "nudity").statement.fields
    assert fields["source_type"] == "SOURCE_TRUSTED_FLAGGER"


def test_outcome_is_mailed_to_the_notifier_and_a_kept_picture_not_to_its_owner(
    image: GeneratedImage, bob: User
) -> None:
    report = reported(image, email="eve@example.org")
    mails.mail_receipt(report.id)
    decision = decided(report, bob, "allow", "within_policy")
    mail.outbox.clear()
    mails.mail_decision(decision.id)
    mails.mail_notifier(report.id)
    [sent] = mail.outbox
    assert sent.to == ["eve@example.org"]
    assert "stays" in sent.body
    assert "appeal" in sent.body
    assert report.get_absolute_url() in sent.body
    assert "red apple" not in sent.body


def test_reversal_of_the_refusal_shows_on_the_receipt(
    image: GeneratedImage, alice: User, bob: User, carol: User
) -> None:
    report = reported(image)
    refusal = decided(report, bob, "refuse", "nudity")
    appeal = hearing.lodge(refusal, by=alice, grounds="An apple.", at=NOON)
    hearing.hear(appeal, by=carol, outcome="reversed", reasons="An apple.", at=NOON)
    assert (fresh(report).state, fresh(report).deadline) == ("stays", None)


def test_report_that_joins_a_case_found_in_a_sample_is_read_and_answered(
    image: GeneratedImage, bob: User, as_user: Any, post_office: None
) -> None:
    found = reportable_pictures.find(image.id)
    facts = replace(found.evidence, is_found=True)
    case = review_cases.open_case(subject=found.subject, evidence=facts, at=NOON, named="nudity")
    report = reported(image, email="eve@example.org")
    assert report.case == case
    page = as_user(bob).get(case.get_absolute_url()).content.decode()
    assert "She is undressed." in page
    with TestCase.captureOnCommitCallbacks(execute=True):
        decided(report, bob, "allow", "within_policy")
    assert [sent.to for sent in mail.outbox] == [["eve@example.org"]]  # its owner lost nothing


def test_reports_are_kept_from_a_reviewer_whose_picture_it_is(bob: User, as_user: Any) -> None:
    case = reported(make_image(bob, make_model())).case
    page = as_user(bob).get(case.get_absolute_url()).content.decode()
    assert "something of your own" in page
    assert "She is undressed." not in page


# ------------------------------------------------------------------ appeals of notifiers
def test_what_a_notifier_says_is_not_for_the_projects_members(
    alice: User, bob: User, carol: User, mallory: User, as_user: Any
) -> None:
    team = make_project(alice)
    join(team, mallory, "viewer")
    model = make_model()
    request = make_request(alice, model, project=team, status="finished")
    report = reported(make_image(alice, model, request=request), email="eve@example.org")
    decided(report, bob, "allow", "within_policy")
    appeal = hearing.lodge_for_report(report, grounds="It is my face.", at=NOON)
    assert appeal.project_id == team.pk
    for member in (alice, mallory):
        assert as_user(member).get(appeal.get_absolute_url()).status_code == 404
        assert not hearing.of_project(by=member, project=team.pk)
        assert not hearing.lodged_by(member)
    assert "It is my face." in as_user(carol).get(appeal.get_absolute_url()).content.decode()


def test_an_appeals_evidence_is_for_who_hears_it_alone(
    alice: User, bob: User, carol: User, mallory: User, as_user: Any
) -> None:
    team = make_project(alice)
    join(team, mallory, "viewer")
    model = make_model()
    request = make_request(alice, model, project=team, status="finished")
    report = reported(make_image(alice, model, request=request))
    decision = decided(report, bob, "refuse", "nudity")
    appeal = hearing.lodge(decision, by=alice, grounds="It is art.", at=NOON)
    seen = {
        who.username: as_user(who).get(appeal.get_absolute_url()).content.decode()
        for who in (mallory, carol)
    }
    assert "It is art." in seen["mallory"]
    assert "It waits for a senior moderator" in seen["mallory"]
    assert ["She is undressed." in page for page in seen.values()] == [False, True]


def test_notifier_without_account_appeals_and_the_picture_is_withheld(
    image: GeneratedImage, alice: User, bob: User, carol: User
) -> None:
    report = reported(image, email="eve@example.org")
    kept = decided(report, bob, "allow", "within_policy")
    appeal = hearing.lodge_for_report(report, grounds="Look again.", at=NOON)
    hearing.hear(
        appeal, by=carol, outcome="reversed", reasons="Indeed.", category="nudity", at=NOON
    )
    image.refresh_from_db()
    assert image.state == "withheld"
    refusal = Decision.objects.get(reverses=kept)
    assert (refusal.statement.owner, refusal.reason) == (alice, "nudity")
    assert refusal.statement.fields["source_type"] == "SOURCE_ARTICLE_16"
    assert fresh(report).state == "withheld"
    mails.mail_appeal(appeal.id)
    assert mail.outbox[-1].to == ["eve@example.org"]


def test_owner_appeals_against_what_a_notifiers_appeal_withheld(
    image: GeneratedImage, alice: User, bob: User, carol: User
) -> None:
    report = reported(image)
    decided(report, bob, "allow", "within_policy")
    first = hearing.lodge_for_report(report, grounds="Look again.", at=NOON)
    hearing.hear(first, by=carol, outcome="reversed", reasons="Yes.", category="nudity", at=NOON)
    second = hearing.lodge(
        Decision.objects.get(action="refuse"), by=alice, grounds="An apple.", at=NOON
    )
    with pytest.raises(hearing.SameDecider):
        hearing.hear(second, by=carol, outcome="upheld", reasons="Mine.", at=NOON)


def test_notifier_is_told_of_a_reversal_of_the_reversal(
    image: GeneratedImage, alice: User, bob: User, carol: User, erin: User, post_office: None
) -> None:
    report = reported(image, email="eve@example.org")
    decided(report, bob, "allow", "within_policy")
    first = hearing.lodge_for_report(report, grounds="Look again.", at=NOON)
    hearing.hear(first, by=carol, outcome="reversed", reasons="Yes.", category="nudity", at=NOON)
    refusal = Decision.objects.get(action="refuse")
    second = hearing.lodge(refusal, by=alice, grounds="An apple.", at=NOON)
    OutboxRow.objects.all().delete()  # what was told before
    with TestCase.captureOnCommitCallbacks(execute=True):
        hearing.hear(second, by=erin, outcome="reversed", reasons="An apple.", at=NOON)
    assert (fresh(report).state, fresh(report).deadline) == ("stays", None)
    [told] = [sent for sent in mail.outbox if sent.to == ["eve@example.org"]]
    assert "stays" in told.body


def test_hear_needs_a_rule_to_withhold_a_reported_picture(
    image: GeneratedImage, bob: User, carol: User
) -> None:
    report = reported(image, category="other")
    decided(report, bob, "allow", "within_policy")
    appeal = hearing.lodge_for_report(report, grounds="Look again.", at=NOON)
    with pytest.raises(allowed_actions.ReasonUnknown):
        hearing.hear(appeal, by=carol, outcome="reversed", reasons="Yes.", at=NOON)
    assert Appeal.objects.get().status == "lodged"


def test_owner_does_not_hear_the_appeal_about_her_own_picture(bob: User, carol: User) -> None:
    report = reported(make_image(carol, make_model()))
    decided(report, bob, "allow", "within_policy")
    appeal = hearing.lodge_for_report(report, grounds="Look again.", at=NOON)
    assert not hearing.waiting_for(carol).exists()
    with pytest.raises(hearing.SameDecider):
        hearing.hear(appeal, by=carol, outcome="upheld", reasons="Mine.", at=NOON)


def test_lodge_for_report_refuses_too_early_withheld_twice_and_too_late(
    image: GeneratedImage, alice: User, bob: User
) -> None:
    report = reported(image)
    with pytest.raises(hearing.NotAppealable):
        hearing.lodge_for_report(report, grounds="Soon.", at=NOON)
    decided(report, bob, "allow", "within_policy")
    with pytest.raises(hearing.WindowClosed):
        hearing.lodge_for_report(report, grounds="Late.", at=NOON + timedelta(days=185))
    hearing.lodge_for_report(report, grounds="Now.", at=NOON)
    with pytest.raises(hearing.AlreadyAppealed):
        hearing.lodge_for_report(report, grounds="Again.", at=NOON)
    other = reported(make_image(alice, image.request.model))
    decided(other, bob, "refuse", "nudity")
    with pytest.raises(hearing.NotAppealable):
        hearing.lodge_for_report(other, grounds="But it went.", at=NOON)


# ------------------------------------------------------------------ misuse
def _unfounded(owner: User, model: Any, by: User, *, times: int, sender: Sender) -> Report:
    for _ in range(times):
        report = reported(make_image(owner, model), sender=sender)
        decided(report, by, "allow", allowed_actions.UNFOUNDED)
    return report


@pytest.mark.parametrize("is_signed_in", [True, False])
def test_three_unfounded_notices_suspend_the_sender_for_a_month(
    image: GeneratedImage, bob: User, mallory: User, is_signed_in: bool
) -> None:
    sender = Sender(mallory, "") if is_signed_in else STRANGER
    _unfounded(image.owner, image.request.model, bob, times=3, sender=sender)
    with pytest.raises(report_limits.ReportsSuspended) as refused:
        reported(image, sender=sender)
    assert refused.value.code == "notices_suspended"
    reported(image, sender=Sender(None, "b" * 64))
    assert reported(image, sender=sender, at=NOON + report_limits.SUSPENDED_FOR)


def test_a_reversed_finding_does_not_count(image: GeneratedImage, bob: User, carol: User) -> None:
    last = _unfounded(image.owner, image.request.model, bob, times=3, sender=STRANGER)
    appeal = hearing.lodge_for_report(last, grounds="Look again.", at=NOON)
    hearing.hear(appeal, by=carol, outcome="reversed", reasons="Yes.", category="nudity", at=NOON)
    assert reported(image)


def test_unfounded_is_a_reason_for_reported_cases_alone(alice: User, bob: User) -> None:
    from tests.moderation.makers import prompt_case

    case, token = claimed(prompt_case(alice), bob)
    with pytest.raises(allowed_actions.ReasonUnknown):
        enforcing.decide(
            case, by=bob, action="allow", reason=allowed_actions.UNFOUNDED, token=token, at=NOON
        )


def test_who_sent_a_report_is_forgotten_in_the_end(image: GeneratedImage, mallory: User) -> None:
    old = reported(image, name="Eve", email="eve@example.org")
    later = NOON + reporting.KEPT_FOR + timedelta(days=1)
    new = reported(image, sender=Sender(mallory, ""), at=later)
    reporting.forget(at=later)
    old.refresh_from_db()
    new.refresh_from_db()
    assert (old.name, old.email, old.sender) == ("", "", "")
    assert new.notifier == mallory


# ------------------------------------------------------------------ reports for compliance
def test_transparency_report_counts_notices_and_names_nobody(
    image: GeneratedImage, bob: User, flagger: User
) -> None:
    report = reported(image, name="Eve", email="eve@example.org")
    reported(image, sender=Sender(flagger, ""))
    decided(report, bob, "refuse", "nudity", at=NOON + timedelta(hours=2))
    period = transparency_files.Period(NOON.date(), NOON.date())
    found = transparency_files.report(period)
    assert found["Notices: total number"] == 2
    assert found["Notices: number submitted by trusted flaggers"] == 1
    assert found["Notices: number followed by a measure"] == 2
    assert found["Notices: median time to decision in hours"] == 2.0
    everything = [
        *transparency_files.statement_files(period),
        *transparency_files.report_files(period),
    ]
    assert not any(b"Eve" in data or b"eve@" in data for _, data in everything)
