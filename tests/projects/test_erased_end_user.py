"""What a copy of somebody whom a project serves holds, and what is left once they are erased."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import connection

from config.accounts.projects import end_user_rights
from config.core.holds.asking import UnderHold
from config.core.holds.models import HeldKind
from config.core.projects import end_users
from config.core.projects.models import EndUser, Project
from generation.models import GenerationRequest, RequestStatus, SourcePicture
from moderation.account_status import legal_holds
from moderation.appeals import hearing
from moderation.cases import review_cases
from moderation.decisions import enforcing
from moderation.models import Decision, Suspension
from moderation.subjects.subject import Subject
from provenance.log import own_keys
from tests.factories import NOON, make_image, make_model, make_request
from tests.moderation.makers import claimed, evidence
from tests.projects.makers import make_project

pytestmark = pytest.mark.django_db
WORDS = "zinnober heron of somebody"


@pytest.fixture
def team(alice: User) -> Project:
    return make_project(alice)


@pytest.fixture
def eve(team: Project) -> EndUser:
    return end_users.seen(team, "eve@example.org", at=NOON)


@pytest.fixture
def decision(alice: User, bob: User, team: Project, eve: EndUser) -> Decision:
    """Of a prompt of theirs, which was made into a picture afterwards."""
    model = make_model()
    request = make_request(
        alice, model, status=RequestStatus.FINISHED, prompt=WORDS, project=team, end_user=eve
    )
    make_image(alice, model, request=request, end_user=eve)
    whose = (request.owner_id, request.project_id, request.end_user_id)
    subject = Subject("prompt", request.id, *whose)
    case = review_cases.open_case(subject=subject, evidence=evidence(prompt=WORDS), at=NOON)
    row, _ = claimed(case, bob)
    return enforcing.enforce(
        review_cases.locked(row), by=bob, action="warn", reason="nudity", explanation=WORDS, at=NOON
    )


COPIED = {
    "GenerationRequest": "requests", "GeneratedImage": "images", "Statement": "statements",
    "Appeal": "appeals", "Suspension": "suspensions",
}  # fmt: skip
IN_A_STATEMENT = {"Decision", "ReviewCase"}


def test_every_table_that_names_an_end_user_is_in_the_copy() -> None:
    naming = {
        model.__name__
        for model in apps.get_models()
        if any(field.name == "end_user" for field in model._meta.get_fields())
    }
    assert naming == set(COPIED) | IN_A_STATEMENT


def test_the_copy_holds_what_they_gave_and_what_befell_them(
    alice: User, team: Project, eve: EndUser, decision: Decision
) -> None:
    hearing.lodge(decision, by=alice, grounds=WORDS, at=NOON)
    request = GenerationRequest.objects.get()
    SourcePicture.objects.create(
        request=request, strength=0.5, file="sources/a", sha256="d" * 64, width=8, height=8,
        created_at=NOON,
    )  # fmt: skip
    Suspension.objects.create(
        end_user=eve, decision=decision, began_at=NOON, ends_at=NOON + timedelta(days=7)
    )
    told = end_user_rights.export(eve)
    for name in (*COPIED.values(), "uploads"):
        assert len(told[name]) == 1, name
    assert told["uploads"][0]["sha256"] == "d" * 64
    assert str(alice) not in json.dumps(told, default=str)


def test_no_table_has_a_word_of_theirs(
    alice: User, carol: User, team: Project, eve: EndUser, decision: Decision
) -> None:
    appeal = hearing.lodge(decision, by=alice, grounds=WORDS, at=NOON)
    hearing.hear(appeal, by=carol, outcome="upheld", reasons=WORDS, at=NOON)
    assert len(set(_tables_with(WORDS))) >= 4
    assert set(_tables_with(eve.ref)) == {"projects_enduser"}
    end_user_rights.erase(eve.pk, project_id=team.pk, by=alice, at=NOON)
    assert list(_tables_with(WORDS)) == []
    assert list(_tables_with(eve.ref)) == []


def test_an_appeal_that_nobody_heard_yet_is_heard_first(
    alice: User, carol: User, team: Project, eve: EndUser, decision: Decision
) -> None:
    """Else its words would be kept, and who hears it would find nobody to answer."""
    appeal = hearing.lodge(decision, by=alice, grounds=WORDS, at=NOON)
    with pytest.raises(end_user_rights.StillWaits):
        end_user_rights.erase(eve.pk, project_id=team.pk, by=alice, at=NOON)
    hearing.withdraw(appeal, by=alice, at=NOON)
    end_user_rights.erase(eve.pk, project_id=team.pk, by=alice, at=NOON)
    assert list(_tables_with(WORDS)) == []


def _tables_with(words: str) -> Iterator[str]:
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            named = connection.ops.quote_name(table)
            cursor.execute(
                f"SELECT count(*) FROM {named} AS t WHERE t::text LIKE %s", [f"%{words}%"]
            )
            if cursor.fetchone()[0]:
                yield table


@pytest.mark.parametrize("kind", ["project", "end_user"])
def test_somebody_who_is_held_is_not_forgotten(
    alice: User, team: Project, eve: EndUser, kind: str
) -> None:
    own_keys.make()
    subject = {"project": team.pk, "end_user": eve.pk}[kind]
    legal_holds.place(HeldKind(kind), subject, reason="order 12", until=None, by="olga", at=NOON)
    with pytest.raises(UnderHold):
        end_user_rights.erase(eve.pk, project_id=team.pk, by=alice, at=NOON)
    eve.refresh_from_db()
    assert eve.ref
