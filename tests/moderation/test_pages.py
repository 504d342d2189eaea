"""The room's pages as each role sees them."""

from datetime import timedelta
from io import BytesIO
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.files.storage import storages
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from moderation.appeals import hearing
from moderation.cases import case_pictures, review_cases
from moderation.decisions import enforcing, pending_decisions
from moderation.models import Appeal, Decision, Reveal, ReviewCase
from moderation.notifications import mails
from provenance.models import LogEntry
from tests.moderation.makers import (
    NOON,
    claimed,
    image_case,
    prompt_case,
    refused_by,
    refused_by_machine,
    severe_case,
)

NOW = timezone.now


def url(name: str, *args: Any) -> str:
    return reverse(f"moderation:{name}", args=args)


def body(response: Any) -> str:
    text: str = response.content.decode()
    return text


# ------------------------------------------------------------------ the queue
def test_review_lists_what_waits_for_a_reviewer(alice: User, bob: User, as_user: Any) -> None:
    prompt_case(alice)
    answer = as_user(bob).get(url("review"))
    assert answer.status_code == 200
    assert "a naked flame of a statue" in body(answer)
    assert "Overdue" in body(answer)


def test_review_is_empty_with_a_sentence(bob: User, as_user: Any) -> None:
    assert "The desk is clear" in body(as_user(bob).get(url("review")))


@pytest.mark.parametrize("name", ["alice", "dora", "mallory"])
def test_review_refuses_people_without_the_role(name: str, request: Any, as_user: Any) -> None:
    answer = as_user(request.getfixturevalue(name)).get(url("review"))
    assert answer.status_code == 403
    assert "The review desk is for moderators" in body(answer)


def test_review_sends_strangers_to_the_sign_in_page(client: Any, db: None) -> None:
    assert "/accounts/login/" in client.get(url("review"))["Location"]


def test_review_shows_only_the_kind_that_is_asked_for(alice: User, bob: User, as_user: Any) -> None:
    prompt_case(alice)
    assert "a naked flame" not in body(as_user(bob).get(url("review"), {"kind": "image"}))
    assert "a naked flame" in body(as_user(bob).get(url("review"), {"kind": "prompt"}))


def test_review_asks_the_database_few_times(
    alice: User, bob: User, as_user: Any, django_assert_max_num_queries: Any
) -> None:
    for _ in range(60):
        prompt_case(alice)
    client = as_user(bob)
    with django_assert_max_num_queries(12):
        client.get(url("review"))


def test_next_claims_the_case_and_goes_to_it(alice: User, bob: User, as_user: Any) -> None:
    case = prompt_case(alice)
    answer = as_user(bob).post(url("next"))
    assert answer["Location"] == case.get_absolute_url()
    assert ReviewCase.objects.get(id=case.id).leased_by == bob


# ------------------------------------------------------------------ one case
def test_case_shows_the_evidence_with_the_trigger_marked(
    alice: User, bob: User, as_user: Any
) -> None:
    page = body(as_user(bob).get(url("case", prompt_case(alice).id)))
    assert '<mark title="nudity.bare">naked</mark>' in page
    assert "Seed" in page
    assert "Soft, weight 0.5" in page
    assert 'width="60.0"' in page


def test_case_escapes_what_users_wrote(alice: User, bob: User, as_user: Any) -> None:
    case = prompt_case(alice, prompt="<script>alert(1)</script>", matched=[[0, 8, "x"]])
    assert "<script>alert" not in body(as_user(bob).get(url("case", case.id)))


@pytest.mark.parametrize("name", ["alice", "dora", "mallory"])
def test_case_is_absent_for_people_who_do_not_review(
    alice: User, name: str, request: Any, as_user: Any
) -> None:
    case = prompt_case(alice)
    client = as_user(request.getfixturevalue(name))
    assert client.get(url("case", case.id)).status_code == 404
    assert client.post(url("claim", case.id)).status_code == 404
    assert client.post(url("decide", case.id)).status_code == 404


def test_case_of_severe_kind_is_absent_for_ordinary_reviewers(
    alice: User, bob: User, carol: User, as_user: Any
) -> None:
    case = severe_case(alice)
    assert as_user(bob).get(url("case", case.id)).status_code == 404
    assert as_user(carol).get(url("case", case.id)).status_code == 200


def held_by(case: ReviewCase, by: User) -> str:
    return str(claimed(case, by, at=NOW())[1])


def test_decide_refuses_with_reason_and_takes_the_next_case(
    alice: User, bob: User, as_user: Any
) -> None:
    first, second = prompt_case(alice), prompt_case(alice, at=NOON + timedelta(hours=1))
    form = {
        "token": held_by(first, bob),
        "action": "refuse",
        "refuse_reason": "nudity",
        "explanation": "Not a candle.",
        "next": "1",
    }
    answer = as_user(bob).post(url("decide", first.id), form)
    assert answer["Location"] == second.get_absolute_url()
    pending_decisions.settle(at=NOW() + timedelta(minutes=1))
    decision = Decision.objects.get(case=first)
    assert (decision.action, decision.explanation) == ("refuse", "Not a candle.")


def test_decide_without_a_reason_says_so_and_keeps_the_words(
    alice: User, bob: User, as_user: Any
) -> None:
    case = prompt_case(alice)
    form = {"token": held_by(case, bob), "action": "refuse", "explanation": "Kept words."}
    answer = as_user(bob).post(url("decide", case.id), form)
    assert answer.status_code == 422
    assert "Kept words." in body(answer)
    assert "reason_unknown" in body(answer)


def test_decide_with_a_lost_lease_keeps_the_words_and_offers_to_claim_again(
    alice: User, bob: User, as_user: Any
) -> None:
    case = prompt_case(alice)
    token = held_by(case, bob)
    ReviewCase.objects.filter(id=case.id).update(lease_expires_at=NOON)
    form = {"token": token, "action": "refuse", "refuse_reason": "hate", "explanation": "Kept."}
    client = as_user(bob)
    answer = client.post(url("decide", case.id), form)
    assert answer.status_code == 409
    assert "lease_stale" in body(answer)
    assert "Kept." in body(answer)
    again = client.post(url("claim", case.id), {"refuse_reason": "hate", "explanation": "Kept."})
    assert "Kept." in body(again)
    assert again.context["form"].initial["refuse_reason"] == "hate"
    assert not Decision.objects.exists()


def test_decide_after_a_colleague_tells_at_once_and_loses_nothing(
    alice: User, bob: User, carol: User, as_user: Any
) -> None:
    case = prompt_case(alice)
    token = held_by(case, bob)
    ReviewCase.objects.filter(id=case.id).update(lease_expires_at=NOON)
    enforcing.decide(
        case,
        by=carol,
        action="allow",
        reason="within_policy",
        token=claimed(case, carol, at=NOW())[1],
        at=NOW(),
    )
    form = {"token": token, "action": "refuse", "refuse_reason": "hate", "explanation": "My words."}
    answer = as_user(bob).post(url("decide", case.id), form)
    assert answer.status_code == 409
    assert "case_decided" in body(answer)
    assert "By carol" in body(answer)
    assert "My words." in body(answer)


def test_decide_on_a_case_that_became_severe_keeps_the_words(
    alice: User, bob: User, as_user: Any
) -> None:
    case, token = claimed(prompt_case(alice), bob, at=NOW())
    ReviewCase.objects.filter(id=case.id).update(severity=review_cases.SEVERE)
    form = {"token": str(token), "action": "refuse", "refuse_reason": "nudity"}
    answer = as_user(bob).post(url("decide", case.id), form | {"explanation": "Bare, <b>all</b>."})
    assert (answer.status_code, "case_not_found" in body(answer)) == (404, True)
    assert "Bare, &lt;b&gt;all&lt;/b&gt;." in body(answer)
    assert case.evidence["prompt"] not in body(answer)


def test_claim_of_a_taken_case_names_the_colleague(
    alice: User, bob: User, carol: User, as_user: Any
) -> None:
    case = prompt_case(alice)
    held_by(case, carol)
    answer = as_user(bob).post(url("claim", case.id))
    assert answer.status_code == 409
    assert "carol works on this case" in body(answer)


def test_renew_and_release_answer_to_the_holder_alone(
    alice: User, bob: User, carol: User, as_user: Any
) -> None:
    case = prompt_case(alice)
    token = {"token": held_by(case, bob)}
    assert as_user(bob).post(url("renew", case.id), token).status_code == 204
    assert as_user(carol).post(url("release", case.id), token).status_code == 409
    assert as_user(bob).post(url("release", case.id), {"token": "no uuid"}).status_code == 409
    assert as_user(bob).post(url("release", case.id), token).status_code == 302
    assert ReviewCase.objects.get(id=case.id).status == "open"


def test_case_of_a_deleted_owner_still_opens(alice: User, bob: User, as_user: Any) -> None:
    case = prompt_case(alice)
    alice.delete()
    assert "account is gone" in body(as_user(bob).get(url("case", case.id)))


def test_case_of_an_owner_who_was_deleted_meanwhile_is_decided_and_names_nobody(
    alice: User, bob: User, as_user: Any
) -> None:
    now = timezone.now()
    case, token = claimed(prompt_case(alice, at=now), bob, at=now)
    alice.delete()
    form = {"token": str(token), "refuse_reason": "nudity"}
    client = as_user(bob)
    warned = client.post(url("decide", case.id), form | {"action": "warn"})
    assert (warned.status_code, "measure_not_offered" in body(warned)) == (422, True)
    assert client.post(url("decide", case.id), form | {"action": "refuse"}).status_code == 302
    pending_decisions.settle(at=now + timedelta(minutes=1))
    decision = Decision.objects.get()
    assert (decision.owner, decision.statement.owner) == (None, None)
    mails.mail_decision(decision.id)
    assert mail.outbox == []


def test_appeal_of_an_owner_who_was_deleted_meanwhile_is_heard(
    alice: User, bob: User, carol: User, as_user: Any
) -> None:
    appeal = hearing.lodge(refused_by(bob, alice), by=alice, grounds="Hm.", at=NOON)
    alice.delete()
    client, form = as_user(carol), {"outcome": "reversed", "reasons": "A candle."}
    assert "What the appellant says" in body(client.get(appeal.get_absolute_url()))
    assert client.post(url("hear", appeal.id), form).status_code == 302
    mails.mail_appeal(appeal.id)
    assert mail.outbox == []


# ------------------------------------------------------------------ its picture
def test_blind_reviewer_does_not_see_how_the_owner_fared(
    alice: User, bob: User, as_user: Any
) -> None:
    refused_by_machine(alice)
    case, client = prompt_case(alice), as_user(bob)
    assert "1 refused or restricted" in body(client.get(case.get_absolute_url()))
    client.post(url("blind"))
    assert "you decide blind" in body(client.get(case.get_absolute_url()))
    assert "1 refused" not in body(client.get(case.get_absolute_url()))
    client.post(url("blind"))
    assert "1 refused or restricted" in body(client.get(case.get_absolute_url()))


def test_picture_comes_blurred_and_gray_until_it_is_revealed(
    alice: User, bob: User, as_user: Any
) -> None:
    case, data = image_case(alice)
    client = as_user(bob)
    gray = client.get(url("derivative", case.id))
    image = Image.open(BytesIO(gray.content)).convert("RGB")
    assert max(image.size) == 256
    pixels = np.asarray(image.resize((8, 8))).astype(int)
    assert (pixels.max(axis=2) - pixels.min(axis=2)).max() <= 8
    client.post(url("claim", case.id))
    assert client.get(url("picture", case.id)).status_code == 403
    assert url("picture", case.id) not in body(client.get(url("case", case.id)))
    client.post(url("reveal", case.id))
    assert client.get(url("picture", case.id)).content == data
    assert Reveal.objects.get().revealed_by == bob


def test_reveal_of_one_reviewer_does_not_reveal_for_another(
    alice: User, bob: User, carol: User, as_user: Any
) -> None:
    case, _ = image_case(alice)
    first, second = as_user(bob), as_user(carol)
    first.post(url("claim", case.id))
    first.post(url("reveal", case.id))
    assert second.get(url("picture", case.id)).status_code == 409
    token = ReviewCase.objects.get(id=case.id).lease_token
    assert token
    review_cases.release(case, by=bob, token=token)
    second.post(url("claim", case.id))
    assert second.get(url("picture", case.id)).status_code == 403


def test_only_who_holds_a_case_reveals_its_picture(
    alice: User, bob: User, carol: User, as_user: Any
) -> None:
    case, _ = image_case(alice)
    client = as_user(bob)
    assert url("reveal", case.id) not in body(client.get(url("case", case.id)))
    as_user(carol).post(url("claim", case.id))
    answer = client.post(url("reveal", case.id))
    assert (answer.status_code, "case_not_held" in body(answer)) == (409, True)
    assert not Reveal.objects.exists()
    ReviewCase.objects.filter(id=case.id).update(lease_expires_at=NOON)
    assert as_user(carol).post(url("reveal", case.id)).status_code == 409
    assert not Reveal.objects.exists()


def test_reveal_of_a_severe_case_is_appended_to_the_log(
    alice: User, carol: User, as_user: Any
) -> None:
    case, _ = image_case(alice)
    ReviewCase.objects.filter(id=case.id).update(severity=5)
    client = as_user(carol)
    client.post(url("claim", case.id))
    client.post(url("reveal", case.id))
    [entry] = LogEntry.objects.filter(kind="moderation.reveal")
    assert case_pictures.commitment(Reveal.objects.get()).encode() in bytes(entry.body)
    assert str(case.subject_id).encode() not in bytes(entry.body)
    assert entry.subject != case.subject_id


def test_picture_that_was_erased_or_altered_is_named(alice: User, bob: User, as_user: Any) -> None:
    case, _ = image_case(alice)
    name = case.evidence["image"]["file"]
    with storages["private"].open(name, "wb") as file:
        file.write(b"another file")
    client = as_user(bob)
    assert "picture_altered" in body(client.get(url("derivative", case.id)))
    storages["private"].delete(name)
    answer = client.get(url("derivative", case.id))
    assert (answer.status_code, "picture_gone" in body(answer)) == (404, True)


@pytest.mark.parametrize("name", ["alice", "mallory"])
def test_picture_is_absent_for_people_who_do_not_review(
    alice: User, name: str, request: Any, as_user: Any
) -> None:
    case, _ = image_case(alice)
    client = as_user(request.getfixturevalue(name))
    assert client.get(url("derivative", case.id)).status_code == 404
    assert client.post(url("reveal", case.id)).status_code == 404


# ------------------------------------------------------------------ statements and appeals
def test_statement_tells_its_owner_everything_and_takes_the_appeal(
    alice: User, as_user: Any
) -> None:
    decision = refused_by_machine(alice)
    client = as_user(alice)
    page = body(client.get(url("statement", decision.statement.id)))
    for words in (
        "<mark>naked</mark>",
        "refused it without a person",
        "General audience policy, section 2",
        "Free of charge, until",
        "prompt_refused",
        "Article 21",
    ):
        assert words in page
    answer = client.post(url("lodge", decision.statement.id), {"grounds": "It is a candle."})
    appeal = Appeal.objects.get()
    assert answer["Location"] == appeal.get_absolute_url()
    assert "It is a candle." in body(client.get(appeal.get_absolute_url()))


@pytest.mark.parametrize("name", ["bob", "carol", "mallory"])
def test_statement_is_absent_for_everybody_else(
    alice: User, name: str, request: Any, as_user: Any
) -> None:
    statement = refused_by_machine(alice).statement
    client = as_user(request.getfixturevalue(name))
    assert client.get(url("statement", statement.id)).status_code == 404
    assert client.post(url("lodge", statement.id), {"grounds": "Hm."}).status_code == 404


def test_statement_after_the_window_says_so_and_keeps_the_words(alice: User, as_user: Any) -> None:
    statement = refused_by_machine(alice, at=NOW() - timedelta(days=200)).statement
    answer = as_user(alice).post(url("lodge", statement.id), {"grounds": "Too late."})
    assert answer.status_code == 409
    assert "appeal_window_closed" in body(answer)


def test_appeals_lists_own_appeals_and_open_refusals(alice: User, bob: User, as_user: Any) -> None:
    refused_by_machine(alice, at=NOW())
    hearing.lodge(refused_by(bob, alice), by=alice, grounds="My grounds.", at=NOON)
    page = body(as_user(alice).get(url("appeals")))
    assert "My grounds." in page
    assert "Nudity" in page
    assert "To be heard by you" not in page


def test_appeals_shows_a_senior_what_she_may_hear(
    alice: User, bob: User, carol: User, as_user: Any
) -> None:
    hearing.lodge(refused_by(bob, alice), by=alice, grounds="My grounds.", at=NOON)
    assert "My grounds." in body(as_user(carol).get(url("appeals")))


def test_appeal_is_as_absent_to_a_mere_reviewer_as_one_that_is_not(
    alice: User, bob: User, as_user: Any
) -> None:
    appeal = hearing.lodge(refused_by(bob, alice), by=alice, grounds="Hm.", at=NOON)
    client = as_user(bob)
    for name in ("appeal", "appeal-derivative", "appeal-picture"):
        for appeal_id in (appeal.id, uuid4()):
            answer = client.get(url(name, appeal_id))
            assert (answer.status_code, "appeal_not_found" in body(answer)) == (404, True)


def test_appeal_is_absent_for_a_stranger(
    alice: User, bob: User, mallory: User, as_user: Any
) -> None:
    appeal = hearing.lodge(refused_by(bob, alice), by=alice, grounds="Hm.", at=NOON)
    client = as_user(mallory)
    assert client.get(appeal.get_absolute_url()).status_code == 404
    assert client.post(url("hear", appeal.id)).status_code == 404
    assert client.get(url("appeal-derivative", appeal.id)).status_code == 404


def test_hear_reverses_with_reasons_that_the_appellant_reads(
    alice: User, bob: User, carol: User, as_user: Any
) -> None:
    appeal = hearing.lodge(refused_by(bob, alice), by=alice, grounds="A candle.", at=NOON)
    senior = as_user(carol)
    assert "A candle." in body(senior.get(appeal.get_absolute_url()))
    form = {"outcome": "reversed", "reasons": "Indeed a candle."}
    assert senior.post(url("hear", appeal.id), form).status_code == 302
    page = body(as_user(alice).get(appeal.get_absolute_url()))
    assert "Indeed a candle." in page
    statement = body(as_user(alice).get(url("statement", appeal.decision.statement.id)))
    assert "This decision was reversed" in statement


def test_hear_is_refused_to_a_senior_who_decided(alice: User, carol: User, as_user: Any) -> None:
    appeal = hearing.lodge(refused_by(carol, alice), by=alice, grounds="Hm.", at=NOON)
    client = as_user(carol)
    assert "another senior moderator hears" in body(client.get(appeal.get_absolute_url()))
    answer = client.post(url("hear", appeal.id), {"outcome": "upheld", "reasons": "Mine."})
    assert answer.status_code == 403
    assert "same_decider" in body(answer)
    assert "Mine." not in body(answer) or Appeal.objects.get().status == "lodged"


def test_withdraw_is_one_click_for_the_appellant(alice: User, bob: User, as_user: Any) -> None:
    appeal = hearing.lodge(refused_by(bob, alice), by=alice, grounds="Hm.", at=NOON)
    as_user(alice).post(url("withdraw", appeal.id))
    assert Appeal.objects.get().status == "withdrawn"


def test_policy_is_public_and_unknown_versions_are_absent(client: Any, db: None) -> None:
    answer = client.get(url("policy", "2026-12-general"))
    assert "General audience policy, section 1" in body(answer)
    assert client.get(url("policy", "2020-01-general")).status_code == 404
    assert client.get(url("policy", "schema")).status_code == 404
