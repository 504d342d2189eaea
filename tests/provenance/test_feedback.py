"""The report can be shown to others, and people can say whether it was right."""

from io import BytesIO

import pytest
from django.test import Client

from provenance.log.formats import checkpoint
from provenance.models import VerifyFeedback
from provenance.verify import signed_reports
from tests.provenance.conftest import Marked


def test_report_is_signed_and_any_change_shows(client: Client, astronaut: Marked) -> None:
    with_file = {"file": _file(astronaut.sealed.data)}
    answer = client.post("/api/v1/verify/", with_file).json()
    note, _ = answer.pop("signed_report"), answer.pop("sighting")
    told = signed_reports.read(note)
    assert told == answer
    assert told["file"]["sha256"] == astronaut.sealed.sha256
    assert told["detector"].startswith("Proofsheet")
    with pytest.raises(checkpoint.NoteInvalid):
        signed_reports.read(note.replace('"is_ours":true', '"is_ours":false'))


@pytest.mark.django_db
def test_feedback_is_kept_without_its_giver(client: Client) -> None:
    answer = client.post(
        "/verify/feedback/", {"answer": "wrong", "is_ours": "True", "comment": "It is my photo."}
    )
    assert "Thank you" in answer.text
    kept = VerifyFeedback.objects.get()
    assert (kept.is_right, kept.said_ours, kept.comment) == (False, True, "It is my photo.")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "fields", [{}, {"answer": "maybe"}, {"answer": "right", "comment": "x" * 1001}]
)
def test_unclear_feedback_is_refused_in_words(client: Client, fields: dict[str, str]) -> None:
    answer = client.post("/verify/feedback/", fields)
    assert answer.status_code == 422
    assert not VerifyFeedback.objects.exists()


def _file(data: bytes) -> BytesIO:
    file = BytesIO(data)
    file.name = "a.png"
    return file
