"""Rows from before there were projects get their owner's own one, and evidence stays held."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection

from config.core.projects import columns, personal
from generation.models import GeneratedImage, GenerationRequest
from moderation.appeals import hearing
from moderation.audits.models import FrameEntry
from moderation.models import Decision
from tests.factories import NOON, make_image, make_model
from tests.moderation.audits import makers
from tests.moderation.makers import refused_by
from tests.rewriting import rewritten

EVIDENCE = ("reviewcase", "decision", "statement", "appeal")
NEEDED = ("generationrequest", "generatedimage", "idempotencykey")


def _execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _as_before() -> None:
    for table in (f"moderation_{name}" for name in EVIDENCE):
        _execute(
            f"ALTER TABLE {table} DISABLE TRIGGER evidence_is_held",
            f"UPDATE {table} SET project_id = NULL",
            f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER evidence_is_held",
        )
    for table in (f"generation_{name}" for name in NEEDED):
        _execute(
            f"ALTER TABLE {table} ALTER project_id DROP NOT NULL",
            f"UPDATE {table} SET project_id = NULL",
        )


def _fill() -> None:
    for place in (
        "generation.migrations.0013_each_of_its_project",
        "moderation.migrations.0020_each_of_its_project",
    ):
        for operation in import_module(place).Migration.operations:
            with connection.schema_editor(atomic=False) as editor:
                operation.code(None, editor)


@pytest.mark.django_db(transaction=True)
def test_rows_of_before_belong_to_their_owners_project(
    alice: User, bob: User, carol: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columns, "BATCH", 1)
    model = make_model()
    for n in range(3):
        make_image(alice, model, created_at=NOON.replace(minute=n))
    make_image(carol, model)
    decision = refused_by(bob, alice)
    appeal = hearing.lodge(decision, by=alice, grounds="No.", at=NOON)
    _as_before()
    try:
        _fill()
    finally:
        for table in NEEDED:
            _execute(f"ALTER TABLE generation_{table} ALTER project_id SET NOT NULL")
    mine = personal.project_of(alice)
    assert GenerationRequest.objects.filter(project=mine).count() == 3
    assert GeneratedImage.objects.filter(project=mine).count() == 3
    assert GeneratedImage.objects.get(owner=carol).project == personal.project_of(carol)
    decision = Decision.objects.select_related("case", "statement").get()
    appeal.refresh_from_db()
    assert decision.case is not None
    owned = (decision.project, decision.case.project, decision.statement.project, appeal.project)
    assert set(owned) == {mine}
    with pytest.raises(DatabaseError, match="it is evidence"):
        Decision.objects.filter(pk=decision.pk).update(project=None)


@pytest.mark.django_db(transaction=True)
def test_screenings_of_before_are_of_the_project_that_they_judged(
    alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a request or of a picture; a suite's own are of none, and evidence stays held."""
    monkeypatch.setattr(columns, "BATCH", 1)
    makers.traffic([bob], fpr={"woman": 0.1}, each=6)
    image = make_image(alice, make_model())
    first, second = FrameEntry.objects.order_by("screening_id")[:2]
    with rewritten(FrameEntry):
        FrameEntry.objects.filter(pk=first.pk).update(subject_id=image.pk)
        FrameEntry.objects.filter(pk=second.pk).update(subject_id=image.request_id)
    place = "generation.migrations.0016_screenings_of_their_project"
    for operation in import_module(place).Migration.operations:
        with connection.schema_editor(atomic=False) as editor:
            operation.code(None, editor)
    filled = FrameEntry.objects.exclude(project=None)
    assert {entry.pk for entry in filled} == {first.pk, second.pk}
    assert {entry.project_id for entry in filled} == {personal.project_of(alice).pk}
    with pytest.raises(DatabaseError):
        FrameEntry.objects.filter(pk=first.pk).update(project=None)
