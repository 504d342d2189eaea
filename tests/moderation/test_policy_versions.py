"""Policy versions made on the site: drafted, proposed, and put in force by a second person."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from config.accounts.roles.role_permissions import PERMISSIONS, ROLES
from config.core.transitions import WrongState
from moderation.decisions import enforcing
from moderation.models import Policy, Screening
from moderation.policy import drafting
from moderation.policy.rulebook import policy_document
from moderation.screening import classify
from provenance.models import LogEntry
from tests.moderation.makers import NOON, claimed, prompt_case

STRICTER = {"categories": {"nudity": {"thresholds": {"prompt": {"hold": 0.3, "refuse": 0.9}}}}}
BASE = policy_document.ACTIVE["general"]


@pytest.fixture(autouse=True)
def forget_versions() -> Iterator[None]:
    """A version never changes, so a process reads it once; here the database begins anew."""
    yield
    policy_document.load.cache_clear()


@pytest.fixture
def erin(roles: dict[str, Group]) -> User:
    """A second senior moderator."""
    user = User.objects.create_user("erin")
    user.groups.set([roles["moderators"], roles["senior moderators"]])
    return user


def proposed(by: User, **more: Any) -> Policy:
    asked = {"based_on": BASE, "changes": STRICTER, "rationale": "Too much passes.", **more}
    return drafting.propose_draft(by=by, at=NOON, **asked)


def test_draft_changes_what_it_names_and_nothing_else(carol: User) -> None:
    made = policy_document.parse(proposed(carol, attachment={"changed blocks": 12}).document)
    base = policy_document.load(BASE)
    assert made.categories["nudity"].thresholds["prompt"].hold == 0.3
    assert (
        made.categories["nudity"].thresholds["image"]
        == base.categories["nudity"].thresholds["image"]
    )
    others = {name for name in base.categories if name != "nudity"}
    assert all(made.categories[name] == base.categories[name] for name in others)
    assert made.version == "2026-11-general-2"


def test_proposal_judges_nothing_until_somebody_else_activates_it(carol: User, erin: User) -> None:
    made = proposed(carol)
    assert policy_document.active("general").version == BASE
    drafting.activate(made, by=erin, at=NOON)
    assert policy_document.active("general").version == made.version
    verdict = classify.screen_prompt("a red apple", at=NOON)
    kept = Screening.objects.select_related("policy").get(id=verdict.screening_id)
    assert kept.policy.version == made.version
    assert kept.policy.first_used_at == NOON
    assert Policy.objects.get(version=BASE).status == Policy.Status.RETIRED


def test_activation_is_appended_to_the_log_with_its_digest(carol: User, erin: User) -> None:
    made = drafting.activate(proposed(carol), by=erin, at=NOON)
    entry = LogEntry.objects.get(kind="moderation.policy")
    assert entry.subject == drafting.subject_of(made.version)
    assert made.sha256.encode() in bytes(entry.body)


def test_activate_refuses_the_author(carol: User) -> None:
    with pytest.raises(drafting.SameAuthor):
        drafting.activate(proposed(carol), by=carol, at=NOON)


@pytest.mark.parametrize("author", ["drafted_by", "proposed_by"])
def test_database_refuses_the_author_too(author: str, carol: User, erin: User) -> None:
    made = proposed(carol)
    with pytest.raises(IntegrityError), transaction.atomic():
        Policy.objects.filter(pk=made.pk).update(activated_by=carol)


def test_database_refuses_two_versions_in_force_of_one_profile(carol: User, erin: User) -> None:
    drafting.activate(proposed(carol), by=erin, at=NOON)
    with pytest.raises(IntegrityError), transaction.atomic():
        Policy.objects.filter(version=BASE).update(status="active")


def test_activate_refuses_a_version_whose_base_was_replaced(carol: User, erin: User) -> None:
    first, second = proposed(carol), proposed(carol)
    drafting.activate(first, by=erin, at=NOON)
    with pytest.raises(drafting.BaseOutdated):
        drafting.activate(second, by=erin, at=NOON + timedelta(minutes=1))


def test_activate_refuses_what_was_given_up(carol: User, erin: User) -> None:
    made = drafting.discard(proposed(carol), by=carol, at=NOON)
    with pytest.raises(WrongState):
        drafting.activate(made, by=erin, at=NOON)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "change nothing"),
        ({"categories": {"minors": {"rule": "Anything goes."}}}, "may change a floor"),
        ({"rules": {"minors.nudity": {"score": 0.1}}}, "may change a floor"),
        ({"categories": {"kittens": {}}}, "no such category"),
        ({"categories": []}, "every change is an object"),
        ({"categories": {"nudity": 3}}, "every change is an object"),
        ({"rules": {"nudity.bare": {"score": float("nan")}}}, "no JSON"),
        ({"lists": {}}, "only categories and rules"),
        (
            {"categories": {"nudity": {"thresholds": {"prompt": {"hold": 0.9, "refuse": 0.1}}}}},
            "hold lies above refuse",
        ),
        (
            {"categories": {"nudity": {"thresholds": {"prompt": {"hold": "x", "refuse": 1}}}}},
            "not of type 'number'",
        ),
        (
            {"categories": {"nudity": {"thresholds": {"prompt": {"hold": 0, "refuse": 1}}}}},
            "minimum of 0",
        ),
    ],
)
def test_draft_refuses_changes_that_make_no_policy(
    changes: dict[str, Any], words: str, carol: User
) -> None:
    with pytest.raises(drafting.ChangesInvalid, match=words):
        proposed(carol, changes=changes)


@pytest.mark.parametrize("nothing", [" ", "\u200b\u2060", "\u00ad \u3164"])
def test_draft_wants_a_reason_that_somebody_can_read(nothing: str, carol: User) -> None:
    with pytest.raises(drafting.RationaleMissing):
        proposed(carol, rationale=nothing)


def test_draft_wants_the_role(bob: User) -> None:
    with pytest.raises(drafting.NotAnAuthor):
        proposed(bob)


def test_compliance_proposes_and_a_senior_moderator_puts_it_in_force(
    dora: User, carol: User, as_user: Any
) -> None:
    made = proposed(dora)
    with pytest.raises(drafting.NotAGovernor):
        drafting.activate(made, by=dora, at=NOON)
    page = as_user(dora).get(made.get_absolute_url()).content.decode()
    activate = reverse("moderation:policy-activate", args=[made.version])
    assert activate not in page
    assert as_user(dora).post(activate).status_code == 403
    assert activate in as_user(carol).get(made.get_absolute_url()).content.decode()
    as_user(carol).post(activate)
    assert policy_document.active("general").version == made.version


def test_compliance_gives_up_its_own_proposals_alone(dora: User, carol: User) -> None:
    hers, theirs = proposed(dora), proposed(carol)
    drafting.discard(hers, by=dora, at=NOON)
    with pytest.raises(drafting.NotAGovernor):
        drafting.discard(theirs, by=dora, at=NOON)


def test_demo_house_has_two_people_for_every_decision_that_needs_them() -> None:
    """Nobody in it has to wait for somebody who is not there."""

    def people(permission: str) -> set[str]:
        groups = {name for name, given in PERMISSIONS.items() if permission in given}
        return {name for name, has in ROLES.items() if groups & set(has)}

    assert len(people("moderation.hear_appeals")) >= 2
    assert len(people("moderation.propose_policies") | people("moderation.govern_policies")) >= 2
    assert "dora" in people("moderation.propose_policies")


def test_case_that_was_open_says_so_and_is_decided_under_its_own_version(
    alice: User, bob: User, carol: User, erin: User, as_user: Any
) -> None:
    now = timezone.now()
    case, token = claimed(prompt_case(alice, at=now), bob, at=now)
    client = as_user(bob)
    assert "policy_changed" not in client.get(case.get_absolute_url()).content.decode()
    made = drafting.activate(proposed(carol), by=erin, at=NOON)
    page = client.get(case.get_absolute_url()).content.decode()
    assert "policy_changed" in page
    assert made.version in page
    decision = enforcing.decide(case, by=bob, action="refuse", reason="nudity", token=token, at=now)
    assert decision.policy_version == BASE
    assert BASE in decision.statement.fields["decision_ground_reference_url"]


def test_other_profiles_keep_their_versions(carol: User, erin: User) -> None:
    drafting.activate(proposed(carol), by=erin, at=NOON)
    assert policy_document.active("adult").version == policy_document.ACTIVE["adult"]


def test_pages_play_a_draft_from_form_to_force(carol: User, erin: User, as_user: Any) -> None:
    address = reverse("moderation:policy-draft", args=["general"])
    page = as_user(carol).get(address)
    assert page.status_code == 200
    base = policy_document.load(BASE)
    form = {
        f"{name}.{stage}.{limit}": f"{getattr(category.thresholds[stage], limit):g}"
        for name, category in base.categories.items()
        for stage in ("prompt", "image")
        for limit in ("hold", "refuse")
    }
    form |= {"based_on": BASE, "rationale": "Fewer surprises", "nudity.prompt.hold": "0.45"}
    made = as_user(carol).post(address, form)
    version = Policy.objects.get(is_shipped=False)
    assert made.url == version.get_absolute_url()
    text = as_user(erin).get(made.url).content.decode()
    assert "Nudity: prompt, hold from" in text
    assert "0.45" in text
    activate = reverse("moderation:policy-activate", args=[version.version])
    assert as_user(carol).post(activate).status_code == 403
    assert as_user(erin).post(activate).url == reverse("moderation:policies")
    assert version.version in as_user(carol).get(reverse("moderation:policies")).content.decode()
    public = reverse("moderation:policy", args=[version.version])
    assert "In force" in as_user(carol).get(public).content.decode()


def test_draft_form_keeps_what_was_typed_and_says_what_is_wrong(carol: User, as_user: Any) -> None:
    address = reverse("moderation:policy-draft", args=["general"])
    form = {"rationale": "Because", "nudity.prompt.hold": "lots"}
    answer = as_user(carol).post(address, form)
    assert answer.status_code == 422
    assert "policy_changes_invalid" in answer.content.decode()
    assert 'value="lots"' in answer.content.decode()


@pytest.mark.parametrize("name", ["alice", "bob", "olga"])
def test_policy_pages_are_refused_without_the_role(name: str, request: Any, as_user: Any) -> None:
    client = as_user(request.getfixturevalue(name))
    for address in (
        reverse("moderation:policies"),
        reverse("moderation:policy-draft", args=["general"]),
        reverse("moderation:policy-version", args=["2026-11-general-2"]),
    ):
        answer = client.get(address)
        assert answer.status_code == 403
        assert "not_a_policy_maker" in answer.content.decode()


def test_draft_is_not_public(carol: User, client: Any) -> None:
    made = proposed(carol)
    assert client.get(reverse("moderation:policy", args=[made.version])).status_code == 404
