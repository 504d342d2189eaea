"""Statements, appeals and the review queue over the API."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from moderation.appeals import hearing
from moderation.models import Appeal, PendingDecision
from tests.moderation.makers import NOON, claimed, prompt_case, refused_by, refused_by_machine


def test_statements_list_holds_the_own_ones_with_what_a_program_needs(
    alice: User, mallory: User, as_user: Any
) -> None:
    refused_by_machine(mallory)
    statement = refused_by_machine(alice).statement
    [row] = as_user(alice).get("/api/v1/statements/").json()["results"]
    assert row["id"] == str(statement.id)
    assert (row["code"], row["stage"], row["category"]) == ("prompt_refused", "prompt", "nudity")
    assert row["appeal_url"].endswith("#appeal")
    assert row["statement"]["puid"] == str(statement.decision_id)


def test_statement_of_somebody_else_is_a_problem_404(
    alice: User, mallory: User, as_user: Any
) -> None:
    statement = refused_by_machine(alice).statement
    answer = as_user(mallory).get(f"/api/v1/statements/{statement.id}/")
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "statement_not_found"


def test_appeal_is_lodged_once_and_found_by_its_appellant(
    alice: User, bob: User, as_user: Any
) -> None:
    statement = refused_by(bob, alice, at=timezone.now()).statement
    client = as_user(alice)
    form = {"statement": str(statement.id), "grounds": "It is a candle."}
    made = client.post("/api/v1/appeals/", form, content_type="application/json")
    assert made.status_code == 201
    appeal = made.json()
    assert client.get(f"/api/v1/appeals/{appeal['id']}/").json() == appeal
    assert client.get("/api/v1/appeals/").json()["results"] == [appeal]
    again = client.post("/api/v1/appeals/", form, content_type="application/json")
    assert (again.status_code, again.json()["code"]) == (409, "already_appealed")


def test_appeal_against_somebody_elses_statement_is_404(
    alice: User, mallory: User, as_user: Any
) -> None:
    statement = refused_by_machine(alice).statement
    form = {"statement": str(statement.id), "grounds": "Not mine."}
    answer = as_user(mallory).post("/api/v1/appeals/", form, content_type="application/json")
    assert answer.status_code == 404
    assert not Appeal.objects.exists()


@pytest.mark.parametrize("name", ["bob", "carol", "mallory"])
def test_appeal_of_somebody_else_is_404(
    alice: User, bob: User, name: str, request: Any, as_user: Any
) -> None:
    appeal = hearing.lodge(refused_by(bob, alice), by=alice, grounds="Hm.", at=NOON)
    client = as_user(request.getfixturevalue(name))
    assert client.get(f"/api/v1/appeals/{appeal.id}/").status_code == 404


def test_appeal_without_words_is_a_problem_400(alice: User, as_user: Any) -> None:
    form = {"statement": str(refused_by_machine(alice).statement.id), "grounds": ""}
    answer = as_user(alice).post("/api/v1/appeals/", form, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_reviewer_claims_and_decides(alice: User, bob: User, as_user: Any) -> None:
    prompt_case(alice)
    client = as_user(bob)
    assert len(client.get("/api/v1/review/cases/").json()["results"]) == 1
    case = client.post("/api/v1/review/next/").json()
    form = {"token": case["lease_token"], "action": "refuse", "reason": "nudity"}
    answer = client.post(
        f"/api/v1/review/cases/{case['id']}/decide/", form, content_type="application/json"
    )
    assert (answer.status_code, answer.json()["is_severe"]) == (202, False)
    assert PendingDecision.objects.get().decided_by == bob
    assert client.post("/api/v1/review/next/").status_code == 204


def test_decide_with_another_token_is_a_conflict(alice: User, bob: User, as_user: Any) -> None:
    case, _ = claimed(prompt_case(alice), bob, at=timezone.now())
    form = {"token": str(case.id), "action": "allow", "reason": "within_policy"}
    answer = as_user(bob).post(
        f"/api/v1/review/cases/{case.id}/decide/", form, content_type="application/json"
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "lease_stale")


@pytest.mark.parametrize("name", ["alice", "dora", "mallory"])
def test_queue_is_closed_to_people_who_do_not_review(
    alice: User, name: str, request: Any, as_user: Any
) -> None:
    case = prompt_case(alice)
    client = as_user(request.getfixturevalue(name))
    assert client.get("/api/v1/review/cases/").status_code == 403
    assert client.post("/api/v1/review/next/").status_code == 403
    assert client.post(f"/api/v1/review/cases/{case.id}/decide/").status_code == 404


def test_signed_out_people_get_a_problem_401(client: Any, db: None) -> None:
    answer = client.get("/api/v1/statements/")
    assert answer.status_code in {401, 403}
    assert answer["Content-Type"] == "application/problem+json"
