"""Blurring, keeping for adults, withdrawing an adapter, warning and suspending; and back again."""

import re
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from adapters.models import Adapter, AdapterExample
from config.core.transitions import WrongState
from generation.models import GeneratedImage, ImageState
from moderation.account_status import audiences, restrictions
from moderation.appeals import hearing
from moderation.cases import review_cases
from moderation.decisions import allowed_actions, enforcing, pending_decisions
from moderation.exports import transparency_files
from moderation.models import Decision, PendingDecision, ReviewCase, Statement, Suspension
from moderation.notifications import mails
from moderation.statements import issuing
from moderation.statements.formats import eu_statement
from moderation.subjects import blurring
from moderation.subjects.actions import ACTIONS, Terms
from moderation.subjects.evidence import Evidence
from moderation.subjects.subject import Action, Subject
from provenance.models import LogEntry
from tests.factories import make_adapter, make_image, make_model
from tests.generation.test_studio import filled_in
from tests.moderation.makers import NOON, VERSION, claimed, evidence, prompt_case, severe_case

WINDOW = timedelta(seconds=30)
WEEK = Terms(days=7)
NO_TERMS = Terms()


@pytest.fixture
def model(db: None) -> Any:
    return make_model()


def held_image(owner: User, model: Any, **more: Any) -> tuple[GeneratedImage, ReviewCase]:
    """A held picture of the gallery with its case."""
    image = make_image(owner, model, state=ImageState.HELD)
    shown = {"id": str(image.id), "file": image.file.name, "sha256": image.sha256}
    facts = evidence(**{"image": shown, "code": "image_held", "matched": [], "adapters": []} | more)
    subject = Subject("image", image.id, owner.pk)
    return image, review_cases.open_case(subject=subject, evidence=facts, at=NOON)


def decided(
    case: ReviewCase, by: User, action: Action, *, terms: Terms = NO_TERMS, at: datetime = NOON
) -> Decision:
    row, token = claimed(case, by, at=at)
    return enforcing.decide(
        row, by=by, action=action, reason="nudity", token=token, at=at, terms=terms
    )


def suspended(owner: User, by: User, second: User, *, at: datetime = NOON) -> Decision:
    row, token = claimed(prompt_case(owner, at=at), by, at=at)
    pending_decisions.propose(
        row, by=by, action="suspend", reason="nudity", token=token, at=at, terms=WEEK
    )
    pending_decisions.confirm(row, by=second, at=at + WINDOW)
    return Decision.objects.get(case=row)


def reversed_on_appeal(decision: Decision, hearer: User) -> None:
    assert decision.owner is not None
    appeal = hearing.lodge(decision, by=decision.owner, grounds="It is art.", at=NOON)
    hearing.hear(appeal, by=hearer, outcome="reversed", reasons="It is.", at=NOON)


# ------------------------------------------------------------------ what is offered
@pytest.mark.parametrize(
    ("kind", "offered"),
    [
        ("prompt", ["allow", "refuse", "warn", "suspend"]),
        ("image", ["allow", "refuse", "blur", "age_restrict", "warn", "suspend"]),
        ("adapter", ["allow", "refuse", "withdraw_adapter", "warn", "suspend"]),
    ],
)
def test_offers_fit_the_kind_of_subject(alice: User, kind: Any, offered: list[str]) -> None:
    subject = Subject(kind, uuid4(), alice.pk)
    case = review_cases.open_case(subject=subject, evidence=evidence(adapters=[]), at=NOON)
    assert allowed_actions.actions_of(case) == offered


def test_offers_leave_accounts_out_where_there_is_none(db: None) -> None:
    assert allowed_actions.actions_of(prompt_case(None)) == ["allow", "refuse"]


def test_offers_of_a_picture_name_the_adapters_it_was_made_with(alice: User, model: Any) -> None:
    _, case = held_image(alice, model)
    case.evidence["adapters"] = [{"slug": "soft", "name": "Soft", "weight": 1, "sha256": "cd" * 32}]
    assert "withdraw_adapter" in allowed_actions.actions_of(case)
    assert allowed_actions.adapters_of(case) == {"soft": "Soft"}


def test_blur_is_no_answer_to_what_every_profile_refuses(alice: User, model: Any) -> None:
    _, case = held_image(alice, model)
    assert "minors" in allowed_actions.reasons_of(case, "refuse")
    assert "minors" not in allowed_actions.reasons_of(case, "blur")


@pytest.mark.parametrize(
    ("action", "terms", "error"),
    [
        ("blur", Terms(), allowed_actions.NotOffered),
        ("suspend", Terms(), allowed_actions.TermsInvalid),
        ("suspend", Terms(days=3650), allowed_actions.TermsInvalid),
        ("refuse", Terms(days=7), allowed_actions.TermsInvalid),
    ],
)
def test_decide_refuses_a_measure_that_does_not_fit(
    alice: User, bob: User, action: Any, terms: Terms, error: Any
) -> None:
    case, token = claimed(prompt_case(alice), bob)
    with pytest.raises(error):
        pending_decisions.propose(
            case, by=bob, action=action, reason="nudity", token=token, at=NOON, terms=terms
        )


# ------------------------------------------------------------------ blurred
def test_blurred_picture_comes_blurred_until_its_owner_chooses_to_see_it(
    alice: User, bob: User, model: Any, as_user: Any
) -> None:
    image, case = held_image(alice, model)
    decided(case, bob, "blur")
    client = as_user(alice)
    page = client.get(reverse("generation:image", args=[image.id])).content.decode()
    assert "This image is shown blurred" in page
    url = reverse("generation:image-file", args=[image.id])
    before = client.get(url)
    assert before.content != image.file.read()
    client.post(reverse("generation:show", args=[image.id]))
    after = client.get(url)
    assert after["ETag"] != before["ETag"]
    image.file.seek(0)
    assert after.content == image.file.read()


def test_show_is_for_the_owner_of_a_blurred_picture_alone(
    alice: User, bob: User, mallory: User, model: Any, as_user: Any
) -> None:
    image, case = held_image(alice, model)
    url = reverse("generation:show", args=[image.id])
    assert as_user(alice).post(url).status_code == 409
    decided(case, bob, "blur")
    assert as_user(mallory).post(url).status_code == 404


def test_api_shows_a_blurred_picture_on_demand(
    alice: User, bob: User, model: Any, as_user: Any
) -> None:
    image, case = held_image(alice, model)
    decided(case, bob, "blur")
    client = as_user(alice)
    seen = client.get(reverse("generation-api:image", args=[image.id])).json()
    assert (seen["restriction"], seen["is_blurred"], seen["code"]) == (
        "blurred",
        True,
        "image_blurred",
    )
    assert seen["refusal"]["code"] == "image_blurred"
    shown = client.post(reverse("generation-api:image-show", args=[image.id])).json()
    assert shown["is_blurred"] is False


def test_reversal_shows_a_blurred_picture_as_any_other(
    alice: User, bob: User, carol: User, model: Any
) -> None:
    image, case = held_image(alice, model)
    reversed_on_appeal(decided(case, bob, "blur"), carol)
    image.refresh_from_db()
    assert (image.state, image.restriction, image.code) == ("released", "", "")


# ------------------------------------------------------------------ for adults
def test_picture_for_adults_is_kept_from_an_owner_who_did_not_say_to_be_of_age(
    alice: User, bob: User, model: Any, as_user: Any
) -> None:
    image, case = held_image(alice, model)
    decided(case, bob, "age_restrict")
    client, url = as_user(alice), reverse("generation:image-file", args=[image.id])
    refused = client.get(url)
    assert (refused.status_code, "image_age_restricted" in refused.content.decode()) == (403, True)
    small = reverse("generation:thumbnail", args=[image.id, 256])
    assert client.get(small).status_code == 403
    assert small not in client.get(reverse("generation:gallery")).content.decode()
    audiences.choose("adult", by=alice, is_of_age=True, at=NOON)
    assert client.get(url).status_code == 200
    assert small in client.get(reverse("generation:gallery")).content.decode()


def test_reversal_shows_a_picture_for_adults_to_everybody(
    alice: User, bob: User, carol: User, model: Any
) -> None:
    image, case = held_image(alice, model)
    reversed_on_appeal(decided(case, bob, "age_restrict"), carol)
    image.refresh_from_db()
    assert image.restriction == ""


# ------------------------------------------------------------------ adapters
def made_with(owner: User, model: Any, adapter: Adapter) -> tuple[GeneratedImage, ReviewCase]:
    used = {"slug": adapter.slug, "name": adapter.name, "weight": 1.0, "sha256": adapter.sha256}
    return held_image(owner, model, adapters=[used])


def test_withdrawing_stops_the_adapter_and_tells_both_owners(
    alice: User, bob: User, mallory: User, model: Any, as_user: Any
) -> None:
    adapter = make_adapter(model, owner=mallory)
    image, case = made_with(alice, model, adapter)
    main = decided(case, bob, "withdraw_adapter", terms=Terms(adapter=adapter.slug))
    adapter.refresh_from_db()
    image.refresh_from_db()
    assert (adapter.is_usable, adapter.code) == (False, "adapter_withdrawn")
    page = as_user(mallory).get(adapter.get_absolute_url()).content.decode()
    assert "A moderator withdrew this adapter" in page
    assert image.state == "withheld"
    [other] = main.consequences.all()
    assert (other.owner, other.subject_id) == (mallory, adapter.id)
    assert (other.is_automated, other.decided_by, other.reason) == (False, bob, "nudity")
    assert LogEntry.objects.filter(subject=other.id, kind="moderation.decision").exists()
    seen = issuing.notice(other.statement, at=NOON)
    assert seen.heading == "Your adapter was withdrawn"
    assert not seen.prompt, "the picture's owner wrote it"
    assert issuing.notice(main.statement, at=NOON).heading == "Your image was refused"


def test_withdrawing_names_an_adapter_that_was_used(alice: User, bob: User, model: Any) -> None:
    _, case = made_with(alice, model, make_adapter(model))
    row, token = claimed(case, bob)
    with pytest.raises(allowed_actions.TermsInvalid):
        enforcing.decide(
            row,
            by=bob,
            action="withdraw_adapter",
            reason="nudity",
            token=token,
            at=NOON,
            terms=Terms(adapter="another"),
        )


@pytest.mark.parametrize("state", ["published", "accepted"])
def test_reversal_restores_the_adapter_as_it_was(
    alice: User, bob: User, carol: User, mallory: User, model: Any, state: str
) -> None:
    visibility = "public" if state == "published" else "link"
    adapter = make_adapter(model, owner=mallory, state=state, visibility=visibility)
    image, case = made_with(alice, model, adapter)
    main = decided(case, bob, "withdraw_adapter", terms=Terms(adapter=adapter.slug))
    reversed_on_appeal(main.consequences.get(), carol)
    adapter.refresh_from_db()
    image.refresh_from_db()
    assert (adapter.state, adapter.visibility, adapter.code) == (state, visibility, "")
    assert image.state == "withheld", "its own decision still stands"


def test_reversal_about_the_picture_restores_the_adapter_too(
    alice: User, bob: User, carol: User, mallory: User, model: Any
) -> None:
    adapter = make_adapter(model, owner=mallory)
    image, case = made_with(alice, model, adapter)
    reversed_on_appeal(
        decided(case, bob, "withdraw_adapter", terms=Terms(adapter=adapter.slug)), carol
    )
    adapter.refresh_from_db()
    image.refresh_from_db()
    assert (adapter.state, image.state) == ("published", "released")


def test_reversal_leaves_alone_what_was_reversed_before(
    alice: User, bob: User, carol: User, mallory: User, model: Any
) -> None:
    adapter = make_adapter(model, owner=mallory)
    image, case = made_with(alice, model, adapter)
    main = decided(case, bob, "withdraw_adapter", terms=Terms(adapter=adapter.slug))
    reversed_on_appeal(main.consequences.get(), carol)
    reversed_on_appeal(main, carol)
    adapter.refresh_from_db()
    image.refresh_from_db()
    assert (adapter.state, image.state) == ("published", "released")
    assert Decision.objects.filter(reverses=main.consequences.get()).count() == 1


def test_reversal_about_the_picture_ends_the_appeal_about_its_adapter(
    alice: User, bob: User, carol: User, mallory: User, model: Any
) -> None:
    adapter = make_adapter(model, owner=mallory)
    _, case = made_with(alice, model, adapter)
    main = decided(case, bob, "withdraw_adapter", terms=Terms(adapter=adapter.slug))
    other = main.consequences.get()
    waits = hearing.lodge(other, by=mallory, grounds="It draws fruit.", at=NOON)
    reversed_on_appeal(main, carol)
    waits.refresh_from_db()
    assert (waits.status, waits.hearer, waits.reasons) == ("reversed", carol, "It is.")
    assert Decision.objects.filter(reverses=other).count() == 1
    with pytest.raises(WrongState):
        hearing.hear(waits, by=carol, outcome="reversed", reasons="Again.", at=NOON)


def test_lodge_refuses_what_was_reversed_with_something_else(
    alice: User, bob: User, carol: User, mallory: User, model: Any
) -> None:
    adapter = make_adapter(model, owner=mallory)
    _, case = made_with(alice, model, adapter)
    main = decided(case, bob, "withdraw_adapter", terms=Terms(adapter=adapter.slug))
    reversed_on_appeal(main, carol)
    with pytest.raises(hearing.NotAppealable):
        hearing.lodge(main.consequences.get(), by=mallory, grounds="Late.", at=NOON)


def test_owner_of_the_adapter_does_not_hear_the_appeal_about_the_picture(
    alice: User, bob: User, carol: User, model: Any
) -> None:
    adapter = make_adapter(model, owner=carol)
    _, case = made_with(alice, model, adapter)
    main = decided(case, bob, "withdraw_adapter", terms=Terms(adapter=adapter.slug))
    appeal = hearing.lodge(main, by=alice, grounds="It is art.", at=NOON)
    assert not hearing.waiting_for(carol).exists()
    with pytest.raises(hearing.SameDecider):
        hearing.hear(appeal, by=carol, outcome="reversed", reasons="Mine.", at=NOON)


def test_withdrawing_an_adapter_on_its_own_case_is_reversed_too(
    bob: User, carol: User, mallory: User, model: Any
) -> None:
    adapter = make_adapter(model, owner=mallory, state="accepted", visibility="private")
    adapter.ask_for_review(at=NOON)
    subject = Subject("adapter", adapter.id, mallory.pk)
    case = review_cases.open_case(
        subject=subject, evidence=Evidence(policy_version=VERSION), at=NOON
    )
    decision = decided(case, bob, "withdraw_adapter")
    adapter.refresh_from_db()
    assert (adapter.state, adapter.code) == ("rejected", "adapter_withdrawn")
    reversed_on_appeal(decision, carol)
    adapter.refresh_from_db()
    assert adapter.state == "accepted"


# ------------------------------------------------------------------ warnings and suspensions
def test_warning_refuses_and_stands_on_the_account_until_it_is_reversed(
    alice: User, bob: User, carol: User, as_user: Any
) -> None:
    decision = decided(prompt_case(alice), bob, "warn")
    assert (decision.code, decision.statement.owner) == ("account_warned", alice)
    [mark] = restrictions.marks_of(by=alice, at=NOON)
    assert (mark.title, mark.is_in_force) == ("Warning", True)
    page = as_user(alice).get(reverse("moderation:standing")).content.decode()
    assert decision.statement.get_absolute_url() in page
    assert "Your account is warned" in issuing.notice(decision.statement, at=NOON).restriction
    reversed_on_appeal(decision, carol)
    [mark] = restrictions.marks_of(by=alice, at=NOON)
    assert (mark.is_in_force, mark.is_reversed) == (False, True)


def test_suspension_waits_for_a_second_person(alice: User, bob: User, carol: User) -> None:
    row, token = claimed(prompt_case(alice), bob)
    pending_decisions.propose(
        row, by=bob, action="suspend", reason="nudity", token=token, at=NOON, terms=WEEK
    )
    assert pending_decisions.settle(at=NOON + WINDOW) == 0
    assert restrictions.suspension_of(alice.pk, at=NOON + WINDOW) is None
    with pytest.raises(pending_decisions.NothingToConfirm):
        pending_decisions.confirm(row, by=bob, at=NOON + WINDOW)
    pending_decisions.confirm(row, by=carol, at=NOON + WINDOW)
    found = restrictions.suspension_of(alice.pk, at=NOON + WINDOW)
    assert found is not None
    assert found.ends_at == NOON + WINDOW + timedelta(days=7)


def test_suspension_can_be_undone_within_the_window(alice: User, bob: User) -> None:
    row, token = claimed(prompt_case(alice), bob)
    pending_decisions.propose(
        row, by=bob, action="suspend", reason="nudity", token=token, at=NOON, terms=WEEK
    )
    assert pending_decisions.undo(row, by=bob, at=NOON).days == 7
    assert not PendingDecision.objects.exists()


@pytest.mark.parametrize(
    ("said", "constraint"),
    [
        ({"action": "suspend", "days": 7}, "suspension_is_severe_and_ends"),
        ({"action": "suspend", "is_severe": True, "is_confirmed": True}, "suspension_is_severe"),
        ({"action": "suspend", "days": 7, "is_severe": True}, "severe_decision_is_confirmed"),
        ({"action": "warn", "days": 7}, "only_suspensions_have_days"),
    ],
)
def test_database_refuses_a_suspension_of_one_person_or_without_end(
    alice: User, bob: User, said: dict[str, Any], constraint: str
) -> None:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Decision.objects.create(
            subject_kind="prompt",
            subject_id=uuid4(),
            owner=alice,
            is_automated=False,
            decided_by=bob,
            reason="nudity",
            code="account_suspended",
            categories={},
            evidence={},
            policy_version=VERSION,
            decided_at=NOON,
            **said,
        )


def test_suspended_account_submits_nothing_and_is_told_why(
    alice: User, bob: User, carol: User, model: Any, as_user: Any
) -> None:
    decision = suspended(alice, bob, carol, at=timezone.now() - WINDOW)
    client = as_user(alice)
    answer = client.post(reverse("generation-api:generations"), {"prompt": "a red apple"})
    assert (answer.status_code, answer.json()["code"]) == (403, "account_suspended")
    page = client.post(reverse("generation:submit"), filled_in(client))
    assert "Your account is suspended until" in page.content.decode()
    seen = client.get(reverse("moderation:standing")).content.decode()
    assert "Your account is suspended" in seen
    assert decision.statement.get_absolute_url() in seen
    assert client.get(reverse("generation:gallery")).status_code == 200


def test_suspended_person_signs_in_to_the_page_that_says_so(
    alice: User, bob: User, carol: User
) -> None:
    suspended(alice, bob, carol, at=timezone.now() - WINDOW)
    client = Client()
    form = {"login": "alice", "password": "a long test password"}
    answer = client.post(reverse("account_login"), form)
    assert answer["Location"] == reverse("moderation:standing")


def test_suspension_ends_by_itself(alice: User, bob: User, carol: User) -> None:
    suspended(alice, bob, carol)
    ended = NOON + WINDOW + timedelta(days=7)
    with pytest.raises(restrictions.AccountSuspended):
        restrictions.check(alice.pk, at=ended - timedelta(seconds=1))
    restrictions.check(alice.pk, at=ended)


def test_reversal_lifts_the_suspension_at_once(
    alice: User, bob: User, roles: Any, carol: User
) -> None:
    chloe = User.objects.create_user("chloe", "chloe@example.org", "a long test password")
    chloe.groups.set([roles["moderators"], roles["senior moderators"]])
    decision = suspended(alice, bob, carol)
    appeal = hearing.lodge(decision, by=alice, grounds="Not me.", at=NOON + WINDOW)
    hearing.hear(appeal, by=chloe, outcome="reversed", reasons="Right.", at=NOON + WINDOW)
    restrictions.check(alice.pk, at=NOON + WINDOW)
    assert Suspension.objects.get().lifted_at == NOON + WINDOW


# ------------------------------------------------------------------ what is told and exported
@pytest.mark.parametrize(
    ("action", "field", "value"),
    [
        ("blur", "decision_visibility", ["DECISION_VISIBILITY_OTHER"]),
        ("age_restrict", "decision_visibility", ["DECISION_VISIBILITY_CONTENT_AGE_RESTRICTED"]),
        ("warn", "decision_visibility", ["DECISION_VISIBILITY_CONTENT_DISABLED"]),
    ],
)
def test_statement_says_what_is_restricted(
    alice: User, bob: User, model: Any, action: Any, field: str, value: Any
) -> None:
    _, case = held_image(alice, model)
    fields = decided(case, bob, action).statement.fields
    eu_statement.validate(fields)
    assert fields[field] == value


def test_statement_of_a_suspension_says_when_it_ends(alice: User, bob: User, carol: User) -> None:
    decision = suspended(alice, bob, carol)
    eu_statement.validate(decision.statement.fields)
    assert decision.statement.fields["decision_account"] == "DECISION_ACCOUNT_SUSPENDED"
    assert decision.statement.fields["end_date_account_restriction"] == "2026-12-01"


def test_mail_of_each_measure_names_it_and_links_to_its_reasons(
    alice: User, bob: User, carol: User, model: Any
) -> None:
    made = [
        decided(held_image(alice, model)[1], bob, "blur"),
        decided(held_image(alice, model)[1], bob, "age_restrict"),
        decided(prompt_case(alice), bob, "warn"),
        suspended(alice, bob, carol),
    ]
    mail.outbox.clear()
    for decision in made:
        mails.mail_decision(decision.id)
    assert [sent.subject for sent in mail.outbox] == [
        "Your image was blurred",
        "Your image was restricted to adults",
        "Your prompt was refused, and you are warned",
        "Your prompt was refused, and your account is suspended",
    ]
    for decision, sent in zip(made, mail.outbox, strict=True):
        assert decision.statement.get_absolute_url() in sent.body


def test_transparency_report_counts_each_type_of_measure(
    alice: User, bob: User, model: Any
) -> None:
    decided(held_image(alice, model)[1], bob, "blur")
    decided(prompt_case(alice), bob, "warn")
    day = NOON.date()
    counted = transparency_files.report(transparency_files.Period(day, day))
    assert counted["Number of measures"] == 2
    assert counted["Number of measures by type: blur"] == 1
    assert counted["Number of measures by type: refuse and warn"] == 1
    assert Statement.objects.count() == 2


# ------------------------------------------------------------------ the desk
def test_case_page_offers_each_measure_with_its_key(
    alice: User, bob: User, model: Any, as_user: Any
) -> None:
    _, case = held_image(alice, model)
    claimed(case, bob, at=timezone.now())
    page = as_user(bob).get(case.get_absolute_url()).content.decode()
    for action in allowed_actions.actions_of(case):
        key = ACTIONS[action].key
        assert re.search(f'name="action" value="{action}"[^>]* data-key="{key}"', page)


def test_decide_page_proposes_the_measure_with_its_terms(
    alice: User, bob: User, as_user: Any
) -> None:
    case = prompt_case(alice)
    token: UUID = claimed(case, bob, at=timezone.now())[1]
    form = {"token": token, "action": "suspend", "refuse_reason": "nudity", "days": "30"}
    as_user(bob).post(reverse("moderation:decide", args=[case.id]), form)
    pending = PendingDecision.objects.get()
    assert (pending.action, pending.days, pending.is_severe) == ("suspend", 30, True)


def test_decide_page_refuses_a_measure_that_it_does_not_offer(
    alice: User, bob: User, as_user: Any
) -> None:
    case = prompt_case(alice)
    token = claimed(case, bob, at=timezone.now())[1]
    form = {"token": token, "action": "blur", "refuse_reason": "nudity"}
    answer = as_user(bob).post(reverse("moderation:decide", args=[case.id]), form)
    assert (answer.status_code, "measure_not_offered" in answer.content.decode()) == (422, True)


def test_api_takes_the_terms_of_a_measure(alice: User, bob: User, as_user: Any) -> None:
    case, token = claimed(prompt_case(alice), bob, at=timezone.now())
    form = {"token": str(token), "action": "suspend", "reason": "nudity", "days": 7}
    answer = as_user(bob).post(reverse("api-decide", args=[case.id]), form)
    assert (answer.status_code, answer.json()["days"]) == (202, 7)


def test_severe_case_needs_two_for_every_measure(alice: User, carol: User) -> None:
    row, token = claimed(severe_case(alice), carol)
    made = pending_decisions.propose(
        row, by=carol, action="warn", reason="minors", token=token, at=NOON
    )
    assert made.is_severe


# ------------------------------------------------------------------ public pictures
def public_example(model: Any, image: GeneratedImage) -> str:
    """The address of a public adapter's example picture, which is a copy of `image`."""
    adapter = make_adapter(model, visibility="public")
    AdapterExample.objects.create(
        adapter=adapter,
        position=0,
        prompt="a red apple",
        seed=1,
        state=AdapterExample.State.SHOWN,
        image_id=image.id,
        file=image.file.name,
        sha256=image.sha256,
    )
    return reverse("adapters:example", args=[adapter.slug, 0])


def test_public_copy_of_a_blurred_picture_stays_blurred_for_everybody(
    alice: User, bob: User, mallory: User, model: Any, as_user: Any
) -> None:
    image, case = held_image(alice, model)
    url = public_example(model, image)
    full = as_user(mallory).get(url).content
    decided(case, bob, "blur")
    as_user(alice).post(reverse("generation:show", args=[image.id]))
    for person in (mallory, alice):
        assert as_user(person).get(url).content != full


def test_public_copy_of_a_picture_for_adults_is_absent_for_others(
    alice: User, bob: User, carol: User, mallory: User, model: Any, as_user: Any
) -> None:
    image, case = held_image(alice, model)
    url = public_example(model, image)
    decision = decided(case, bob, "age_restrict")
    client = as_user(mallory)
    assert client.get(url).status_code == 404
    assert url not in client.get(reverse("adapters:list")).content.decode()
    audiences.choose("adult", by=mallory, is_of_age=True, at=NOON)
    assert client.get(url).status_code == 200
    audiences.choose("general", by=mallory, is_of_age=False, at=NOON)
    reversed_on_appeal(decision, carol)
    assert client.get(url).status_code == 200


def test_blurred_stand_in_keeps_the_shape_and_no_detail() -> None:
    drawn = Image.effect_noise((512, 256), 120).convert("RGB")
    out = BytesIO()
    drawn.save(out, "PNG")
    shown = Image.open(BytesIO(blurring.blurred(out.getvalue())))
    assert shown.size == (512, 256)
    grey = np.asarray(shown.convert("L"))
    assert int(grey.max()) - int(grey.min()) < 64, "noise from 0 to 255 is grey from afar"
