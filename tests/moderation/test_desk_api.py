"""The review desk over the API: one case in hand, notes, assignment, several cases at once."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import yaml
from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone

from moderation.appeals import hearing
from moderation.cases import review_cases, wellbeing
from moderation.decisions import pending_decisions
from moderation.desk import bulk
from moderation.desk.teamwork import case_notes
from moderation.models import CaseNote, Decision, PendingDecision, ReviewCase
from moderation.subjects.subject import Subject
from tests.moderation.makers import (
    NOON,
    claimed,
    evidence,
    image_case,
    prompt_case,
    refused_by,
    severe_case,
)

API = "/api/v1/review"
TOKEN = {"token": str(uuid4())}
DECISION = TOKEN | {"action": "allow", "reason": "within_policy"}
VERBS: dict[str, dict[str, str]] = {  # with the body that each takes
    "claim": {},
    "renew": TOKEN,
    "release": TOKEN,
    "escalate": TOKEN,
    "decide": DECISION,
    "undo": {},
    "confirm": {},
    "overturn": {},
    "assign": {"to": "bob"},
    "notes": {"text": "Hm."},
}


def post(client: Any, path: str, **said: Any) -> Any:
    return client.post(f"{API}/{path}/", said, content_type="application/json")


def refused(answer: Any) -> tuple[int, str]:
    assert answer["Content-Type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


# ------------------------------------------------------------------ who may
@pytest.mark.parametrize("name", ["alice", "dora", "mallory"])
def test_cases_are_absent_for_people_who_do_not_review(
    alice: User, name: str, request: Any, as_user: Any
) -> None:
    case = prompt_case(alice)
    client = as_user(request.getfixturevalue(name))
    for part in ("", "notes/", "assign/"):
        answer = client.get(f"{API}/cases/{case.id}/{part}")
        assert refused(answer) == (404, "case_not_found")
    for verb, said in VERBS.items():
        answer = post(client, f"cases/{case.id}/{verb}", **said)
        assert refused(answer) == (404, "case_not_found")
    measure = {"cases": [str(case.id)], "action": "allow", "reason": "within_policy"}
    for path, chosen in (
        ("bulk/preview", measure),
        ("bulk/decide", measure),
        (f"bulk/{uuid4()}/undo", {}),
    ):
        answer = post(client, path, **chosen)
        assert refused(answer) == (403, "not_a_reviewer")
    assert not PendingDecision.objects.exists()
    assert not CaseNote.objects.exists()


def test_severe_cases_are_absent_for_ordinary_reviewers(
    alice: User, bob: User, as_user: Any
) -> None:
    case, client = severe_case(alice), as_user(bob)
    for part in ("", "notes/", "assign/"):
        assert client.get(f"{API}/cases/{case.id}/{part}").status_code == 404
    for verb, said in VERBS.items():
        answer = post(client, f"cases/{case.id}/{verb}", **said)
        assert refused(answer) == (404, "case_not_found")
    chosen = {"cases": [str(case.id)], "action": "refuse", "reason": "nudity"}
    assert refused(post(client, "bulk/preview", **chosen)) == (422, "bulk_nothing_chosen")
    done = post(client, "bulk/decide", **chosen).json()
    assert (done["decided"], done["left"], done["gone"]) == (0, [], 1)


def test_signed_out_people_decide_nothing_at_once(client: Any, db: None) -> None:
    answer = post(client, "bulk/decide", cases=[], action="allow", reason="within_policy")
    assert answer.status_code in {401, 403}
    assert answer.json()["code"] == "not_authenticated"


@pytest.mark.parametrize("path", ["statements/", "appeals/", "review/cases/"])
def test_schema_says_that_lists_come_in_pages(path: str) -> None:
    schema = yaml.load(
        (settings.ROOT / "docs" / "integrate" / "openapi.yaml").read_text(), Loader=yaml.CSafeLoader
    )
    said = schema["paths"][f"/api/v1/{path}"]["get"]["responses"]["200"]
    name = said["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    page = schema["components"]["schemas"][name]["properties"]
    assert set(page) == {"next", "previous", "results"}


# ------------------------------------------------------------------ one case in hand
def test_case_is_claimed_renewed_and_given_back(alice: User, bob: User, as_user: Any) -> None:
    case, client = prompt_case(alice), as_user(bob)
    token = post(client, f"cases/{case.id}/claim").json()["lease_token"]
    held = post(client, f"cases/{case.id}/renew", token=token).json()
    assert (held["status"], held["lease_token"]) == ("leased", token)
    assert post(client, f"cases/{case.id}/release", token=token).status_code == 204
    shown = client.get(f"{API}/cases/{case.id}/").json()
    assert (shown["status"], "lease_token" in shown) == ("open", False)


@pytest.mark.parametrize("verb", ["renew", "release", "escalate"])
def test_stale_token_is_a_conflict(
    alice: User, bob: User, carol: User, verb: str, as_user: Any
) -> None:
    case, token = claimed(prompt_case(alice), bob, at=timezone.now())
    path = f"cases/{case.id}/{verb}"
    assert refused(post(as_user(bob), path, token=str(uuid4()))) == (409, "lease_stale")
    assert refused(post(as_user(carol), path, token=str(token))) == (409, "lease_stale")
    assert refused(post(as_user(bob), path)) == (400, "invalid")


def test_claim_of_a_taken_case_is_a_conflict(
    alice: User, bob: User, carol: User, as_user: Any
) -> None:
    case, _ = claimed(prompt_case(alice), carol, at=timezone.now())
    assert refused(post(as_user(bob), f"cases/{case.id}/claim")) == (409, "case_taken")


def test_escalated_case_leaves_the_sight_of_who_escalated_it(
    alice: User, bob: User, carol: User, as_user: Any
) -> None:
    case, token = claimed(prompt_case(alice), bob, at=timezone.now())
    assert post(as_user(bob), f"cases/{case.id}/escalate", token=str(token)).status_code == 204
    assert as_user(bob).get(f"{API}/cases/{case.id}/").status_code == 404
    assert as_user(carol).get(f"{API}/cases/{case.id}/").json()["severity"] == review_cases.SEVERE


def test_undo_gives_the_case_back_once(alice: User, bob: User, as_user: Any) -> None:
    case, token = claimed(prompt_case(alice), bob, at=timezone.now())
    client, path = as_user(bob), f"cases/{case.id}"
    post(client, f"{path}/decide", token=str(token), action="refuse", reason="nudity")
    held = post(client, f"{path}/undo").json()
    assert (held["status"], held["lease_token"] is not None) == ("leased", True)
    assert refused(post(client, f"{path}/undo")) == (409, "undo_too_late")


def test_severe_decision_is_confirmed_or_overturned_by_a_second_person(
    alice: User, carol: User, bob: User, roles: Any, as_user: Any
) -> None:
    erin = User.objects.create_user("erin")
    erin.groups.set(carol.groups.all())
    for verb, left in (("confirm", 1), ("overturn", 0)):
        case, token = claimed(severe_case(alice), carol, at=timezone.now())
        path = f"cases/{case.id}"
        post(as_user(carol), f"{path}/decide", token=str(token), action="refuse", reason="minors")
        assert refused(post(as_user(carol), f"{path}/{verb}")) == (403, "same_person")
        assert post(as_user(erin), f"{path}/{verb}").status_code == 204
        assert PendingDecision.objects.filter(case=case, is_severe=True).count() == left
        assert refused(post(as_user(erin), f"{path}/{verb}")) == (409, "nothing_to_confirm")


# ------------------------------------------------------------------ notes
def test_notes_are_written_and_read_by_colleagues(
    alice: User, bob: User, carol: User, as_user: Any
) -> None:
    case = prompt_case(alice)
    made = post(as_user(bob), f"cases/{case.id}/notes", text=" Seen <b>twice</b>. ")
    assert made.status_code == 201
    assert (made.json()["author"], made.json()["text"]) == ("bob", "Seen <b>twice</b>.")
    assert as_user(carol).get(f"{API}/cases/{case.id}/notes/").json()["results"] == [made.json()]


@pytest.mark.parametrize("text", ["", "  ", "\u200b", "x" * 2001])
def test_note_needs_words(alice: User, bob: User, text: str, as_user: Any) -> None:
    answer = post(as_user(bob), f"cases/{prompt_case(alice).id}/notes", text=text)
    assert refused(answer) == (422, "note_missing")


def test_notes_are_kept_from_whoever_answers_blind_and_from_the_owner(
    alice: User, bob: User, carol: User, as_user: Any
) -> None:
    subject = Subject("prompt", uuid4(), alice.pk)
    blind = review_cases.open_case(subject=subject, evidence=evidence(), at=NOON, is_blind=True)
    own = prompt_case(bob)
    for case in (blind, own):
        case_notes.write(case, "It was held for nudity.", by=carol, at=NOON)
        found = as_user(bob).get(f"{API}/cases/{case.id}/notes/").json()
        assert found["results"] == []
    answer = post(as_user(bob), f"cases/{own.id}/notes", text="It is fine.")
    assert refused(answer) == (403, "own_subject")


# ------------------------------------------------------------------ assignment
def test_case_is_assigned_and_found_as_mine(
    alice: User, bob: User, carol: User, as_user: Any
) -> None:
    case, other = prompt_case(alice), prompt_case(alice)
    answer = post(as_user(carol), f"cases/{case.id}/assign", to="bob").json()
    assert answer == {"assigned_to": "bob", "assignable_to": ["bob", "carol"]}
    assert as_user(bob).get(f"{API}/cases/{case.id}/assign/").json() == answer
    [mine] = as_user(bob).get(f"{API}/cases/", {"whose": "mine"}).json()["results"]
    assert (mine["id"], mine["assigned_to"]) == (str(case.id), "bob")
    [free] = as_user(bob).get(f"{API}/cases/", {"whose": "unassigned"}).json()["results"]
    assert (free["id"], free["assigned_to"]) == (str(other.id), None)
    answer = post(as_user(carol), f"cases/{case.id}/assign", to="").json()
    assert answer["assigned_to"] is None


def test_assign_refuses_who_may_not_decide_it_and_what_is_decided(
    alice: User, bob: User, carol: User, mallory: User, as_user: Any
) -> None:
    case, client = prompt_case(alice), as_user(bob)
    for name in ("mallory", "alice", "nobody"):
        answer = post(client, f"cases/{case.id}/assign", to=name)
        assert refused(answer) == (422, "not_assignable")
    own = post(client, f"cases/{prompt_case(bob).id}/assign", to="carol")
    assert refused(own) == (403, "own_subject")
    row, token = claimed(case, bob, at=timezone.now())
    pending_decisions.propose(
        row, by=bob, action="allow", reason="within_policy", token=token, at=timezone.now()
    )
    answer = post(client, f"cases/{case.id}/assign", to="carol")
    assert refused(answer) == (409, "case_decided")


def test_queue_is_narrowed_as_on_its_page(alice: User, bob: User, as_user: Any) -> None:
    prompt_case(alice)
    image, _ = image_case(alice)
    [row] = as_user(bob).get(f"{API}/cases/", {"kind": "image"}).json()["results"]
    assert row["id"] == str(image.id)
    answer = as_user(bob).get(f"{API}/cases/", {"kind": "song"})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["kind"])


def test_queue_shows_nothing_during_a_break(alice: User, bob: User, as_user: Any) -> None:
    prompt_case(alice)
    wellbeing.rest(by=bob, at=timezone.now())
    client = as_user(bob)
    assert refused(client.get(f"{API}/cases/")) == (409, "on_break")
    assert refused(post(client, "next")) == (409, "on_break")


# ------------------------------------------------------------------ appeals
def test_appeal_is_heard_by_a_senior_who_did_not_decide(
    alice: User, bob: User, carol: User, as_user: Any
) -> None:
    appeal = hearing.lodge(refused_by(bob, alice), by=alice, grounds="A candle.", at=NOON)
    client = as_user(carol)
    [row] = client.get(f"{API}/appeals/").json()["results"]
    assert (row["grounds"], row["decision"]["reason"]) == ("A candle.", "nudity")
    assert (row["is_by_notifier"], row["evidence"]["seed"]) == (False, 7)
    said = {"outcome": "reversed", "reasons": "It is one."}
    assert refused(post(client, f"appeals/{appeal.id}/hear", outcome="maybe")) == (400, "invalid")
    heard = post(client, f"appeals/{appeal.id}/hear", **said)
    assert (heard.status_code, heard.json()["status"]) == (200, "reversed")
    assert refused(post(client, f"appeals/{appeal.id}/hear", **said)) == (409, "appeal_wrong_state")
    assert client.get(f"{API}/appeals/").json()["results"] == []


def test_appeal_is_not_heard_by_who_decided_reviews_or_appeals(
    alice: User, bob: User, carol: User, mallory: User, as_user: Any
) -> None:
    appeal = hearing.lodge(refused_by(carol, alice), by=alice, grounds="Hm.", at=NOON)
    said = {"outcome": "upheld", "reasons": "Mine."}
    expected = {
        carol: (403, "same_decider"),
        bob: (404, "appeal_not_found"),
        alice: (404, "appeal_not_found"),
        mallory: (404, "appeal_not_found"),
    }
    for person, problem in expected.items():
        client = as_user(person)
        assert refused(post(client, f"appeals/{appeal.id}/hear", **said)) == problem
    for person in (alice, bob, mallory):
        assert refused(as_user(person).get(f"{API}/appeals/")) == (403, "not_a_senior")
    assert as_user(carol).get(f"{API}/appeals/").json()["results"] == []


def test_appeal_is_withdrawn_by_its_appellant_once(
    alice: User, bob: User, carol: User, as_user: Any
) -> None:
    appeal = hearing.lodge(refused_by(bob, alice), by=alice, grounds="Hm.", at=NOON)
    path = f"/api/v1/appeals/{appeal.id}/withdraw/"
    assert refused(as_user(carol).post(path)) == (404, "appeal_not_found")
    assert as_user(alice).post(path).json()["status"] == "withdrawn"
    assert refused(as_user(alice).post(path)) == (409, "not_withdrawable")


# ------------------------------------------------------------------ several at once
def chosen(*found: ReviewCase, **more: Any) -> dict[str, Any]:
    return {
        "cases": [str(case.id) for case in found],
        "action": "refuse",
        "reason": "nudity",
    } | more


def test_bulk_is_previewed_decided_and_undone(
    alice: User, bob: User, carol: User, as_user: Any
) -> None:
    free, more, held = (prompt_case(alice) for _ in range(3))
    claimed(held, carol, at=timezone.now())
    client, said = as_user(bob), chosen(free, more, held)
    seen = post(client, "bulk/preview", **said).json()
    assert {row["id"] for row in seen["reached"]} == {str(free.id), str(more.id)}
    [left] = seen["left"]
    assert (left["case"], left["code"]) == (str(held.id), "case_taken")
    assert not PendingDecision.objects.exists()
    answer = post(client, "bulk/decide", **said, explanation="All alike.")
    done = answer.json()
    assert (answer.status_code, done["decided"], done["left"], done["gone"]) == (202, 2, [left], 0)
    assert {row.explanation for row in PendingDecision.objects.all()} == {"All alike."}
    assert refused(post(as_user(carol), f"bulk/{done['batch']}/undo")) == (409, "undo_too_late")
    assert post(client, f"bulk/{done['batch']}/undo").json() == {"undone": 2}
    assert refused(post(client, f"bulk/{done['batch']}/undo")) == (409, "undo_too_late")
    pending_decisions.settle(at=timezone.now() + timedelta(minutes=1))
    assert not Decision.objects.exists()


def test_bulk_leaves_severe_own_blind_and_unfitting_cases_alone(
    alice: User, carol: User, as_user: Any
) -> None:
    subject = Subject("prompt", uuid4(), alice.pk)
    blind = review_cases.open_case(subject=subject, evidence=evidence(), at=NOON, is_blind=True)
    found = {
        severe_case(alice): "bulk_one_by_one",
        blind: "bulk_one_by_one",
        prompt_case(carol): "own_subject",
        prompt_case(alice): "reason_unknown",
    }
    done = post(as_user(carol), "bulk/decide", **chosen(*found, reason="never_heard_of")).json()
    assert {row["case"]: row["code"] for row in done["left"]} == {
        str(case.id): code for case, code in found.items()
    }
    assert done["decided"] == 0


@pytest.mark.parametrize("action", ["suspend", "withdraw_adapter"])
def test_bulk_leaves_measures_that_need_a_look_to_the_case(
    alice: User, bob: User, action: str, as_user: Any
) -> None:
    (case, _), client = image_case(alice), as_user(bob)
    for path in ("bulk/preview", "bulk/decide"):
        answer = post(client, path, **chosen(case, action=action)).json()
        assert [row["code"] for row in answer["left"]] == ["bulk_one_by_one"]
    assert not PendingDecision.objects.exists()


def test_bulk_refuses_nothing_too_much_and_what_is_no_choice(
    alice: User, bob: User, as_user: Any
) -> None:
    client, case = as_user(bob), prompt_case(alice)
    for path in ("bulk/preview", "bulk/decide"):
        assert refused(post(client, path, **chosen())) == (422, "bulk_nothing_chosen")
        many = [str(uuid4()) for _ in range(bulk.MOST + 1)]
        answer = post(client, path, **chosen() | {"cases": many})
        assert refused(answer) == (422, "bulk_too_many")
        assert refused(post(client, path, **chosen(case, action="burn"))) == (400, "invalid")
        assert refused(post(client, path, **chosen() | {"cases": ["no"]})) == (400, "invalid")
