"""From the upload to the verdict, the fit, the link, the review and the withdrawal."""

from __future__ import annotations

import errno
import hashlib
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from adapters import tasks
from adapters.access import visibility
from adapters.base_models.registration import AdapterDetails, register_adapter
from adapters.checks import inspection, rewrite
from adapters.models import Adapter, AdapterExample, AdapterWrongState, BaseModel
from adapters.publishing import examples, review_request
from adapters.publishing.examples import ExamplePicture
from adapters.uploads import check_job, owner_actions, quarantine
from config.core.storage import private_storage
from moderation.cases import review_cases
from moderation.decisions import allowed_actions, enforcing
from moderation.models import Decision, ReviewCase
from moderation.subjects.subject import Action
from tests import tiny_pipeline
from tests.adapters import vectors
from tests.adapters.files import arrays, as_kohya, write
from tests.factories import NOON, png, register_folder

pytestmark = pytest.mark.django_db
AsUser = Callable[[User], Client]


@pytest.fixture(autouse=True)
def _empty_quarantine() -> None:
    """A test that stops before the check rolls its rows back, but no file."""
    shutil.rmtree(private_storage().path(quarantine.FOLDER), ignore_errors=True)


@pytest.fixture
def model(tiny_folder: Path) -> BaseModel:
    return register_folder(tiny_folder, rank_ceiling=8)


@pytest.fixture(scope="session")
def lora(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("lora") / "a.safetensors"
    return tiny_pipeline.build_adapter(path, tiny_folder, rank=4).read_bytes()


@pytest.fixture(scope="session")
def high(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("lora") / "high.safetensors"
    return tiny_pipeline.build_adapter(path, tiny_folder, rank=16).read_bytes()


def send(client: Client, content: bytes, **said: Any) -> Any:
    file = SimpleUploadedFile("Ink style.safetensors", content)
    return client.post("/adapters/upload/", {"file": file} | said)


def upload(client: Client, content: bytes, **said: Any) -> Adapter:
    """Upload and check, as the page and the worker do."""
    answer = send(client, content, **said)
    assert answer.status_code == 302, answer.content.decode()
    adapter = Adapter.objects.get(slug=answer["Location"].strip("/").split("/")[-1])
    check_job.validate(adapter.id, now=lambda: NOON)
    adapter.refresh_from_db()
    return adapter


def test_an_upload_that_finds_no_room_is_told_so_and_leaves_nothing(
    model: BaseModel, lora: bytes, as_user: AsUser, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def on_a_full_device() -> Path:
        draft = new_draft()
        draft.symlink_to("/dev/full")
        return draft

    new_draft = quarantine.new_draft
    monkeypatch.setattr(quarantine, "new_draft", on_a_full_device)
    answer = send(as_user(alice), lora)
    assert answer.status_code == 507
    assert "no room left" in answer.content.decode()
    assert in_quarantine() == []


def in_quarantine() -> list[str]:
    folder = Path(private_storage().path(quarantine.FOLDER))
    return [path.name for path in folder.iterdir()] if folder.exists() else []


def test_upload_is_accepted_stored_twice_and_shown_to_its_owner_alone(
    model: BaseModel, lora: bytes, alice: User, mallory: User, as_user: AsUser
) -> None:
    adapter = upload(as_user(alice), lora, trigger="ink", tags="Ink, flat ,ink")
    assert (adapter.state, adapter.rank, adapter.base_model) == ("accepted", 4, model)
    assert adapter.sha256 == hashlib.sha256(lora).hexdigest()
    assert Path(adapter.original.path).read_bytes() == lora
    assert Path(adapter.file.path).name == (
        hashlib.sha256(Path(adapter.file.path).read_bytes()).hexdigest() + ".safetensors"
    )
    assert adapter.tags == ["ink", "flat"]
    assert in_quarantine() == []
    assert adapter in visibility.usable_by(alice, model)
    assert adapter not in visibility.usable_by(mallory, model)
    page = as_user(alice).get(adapter.get_absolute_url()).content.decode()
    assert "It fits." in page
    assert "Ink style" in page
    assert as_user(mallory).get(adapter.get_absolute_url()).status_code == 404


def test_page_tells_how_far_the_check_is_and_goes_on_by_itself(
    model: BaseModel, lora: bytes, alice: User, as_user: AsUser
) -> None:
    client = as_user(alice)
    url = send(client, lora)["Location"]
    assert "Waiting for a free worker" in client.get(url).content.decode()
    fragment = client.get(url, HTTP_HX_REQUEST="true").content.decode()
    assert "<html" not in fragment
    assert "Waiting for a free worker" in fragment
    check_job.validate(Adapter.objects.get().id, now=lambda: NOON)
    assert client.get(url, HTTP_HX_REQUEST="true")["HX-Refresh"] == "true"


def test_same_file_of_the_same_owner_is_the_same_adapter(
    model: BaseModel, lora: bytes, alice: User, bob: User, as_user: AsUser
) -> None:
    first = upload(as_user(alice), lora)
    assert upload(as_user(alice), lora) == first
    assert upload(as_user(bob), lora) != first
    assert Adapter.objects.count() == 2
    assert in_quarantine() == []


def test_the_same_file_under_another_name_leads_to_the_first_and_says_so(
    model: BaseModel, lora: bytes, alice: User, as_user: AsUser
) -> None:
    client = as_user(alice)
    first = upload(client, lora, name="Ink")
    page = client.post(
        "/adapters/upload/",
        {"file": SimpleUploadedFile("b", lora), "name": "My flat style"},
        follow=True,
    )
    assert page.redirect_chain[-1][0] == first.get_absolute_url()
    assert "You uploaded this very file before, as “Ink”" in page.content.decode()
    file = SimpleUploadedFile("c.safetensors", lora)
    answer = client.post("/api/v1/adapters/", {"file": file, "name": "Third"})
    assert (answer.status_code, answer.json()["slug"]) == (200, first.slug)
    assert "as “Ink”" in answer.json()["note"]


def test_the_same_layers_written_otherwise_are_told_with_a_link_to_the_first(
    model: BaseModel, lora: bytes, alice: User, bob: User, as_user: AsUser, tmp_path: Path
) -> None:
    first = upload(as_user(alice), lora, name="Ink")
    written_otherwise = as_kohya(write(tmp_path / "a.safetensors", lora))
    assert written_otherwise != lora
    second = upload(as_user(alice), written_otherwise, name="My flat style")
    assert (second.state, second.sha256 == first.sha256) == ("accepted", False)
    page = as_user(alice).get(second.get_absolute_url()).content.decode()
    assert "It was here already." in page
    assert f'<a href="{first.get_absolute_url()}">Ink</a>' in page
    assert "It was here already." not in as_user(alice).get(
        first.get_absolute_url()).content.decode()  # fmt: skip
    row = as_user(alice).get(f"/api/v1/adapters/{second.slug}/").json()
    assert (row["same_as"], "“Ink”" in row["note"]) == (first.slug, True)
    of_bob = upload(as_user(bob), written_otherwise)
    row = as_user(bob).get(f"/api/v1/adapters/{of_bob.slug}/").json()
    assert (row["same_as"], row["note"]) == (None, ""), "what others keep private is not told"


@pytest.mark.parametrize("is_written_otherwise", [False, True])
def test_an_adapter_that_is_public_already_is_told_to_whoever_uploads_it(
    model: BaseModel,
    lora: bytes,
    alice: User,
    as_user: AsUser,
    tmp_path: Path,
    is_written_otherwise: bool,
) -> None:
    path = write(tmp_path / "a.safetensors", lora)
    said = AdapterDetails(slug="ink", name="Ink")
    shipped = register_adapter(path, model, said, at=NOON)
    content = as_kohya(path) if is_written_otherwise else lora
    mine = upload(as_user(alice), content, name="My flat style")
    page = as_user(alice).get(mine.get_absolute_url()).content.decode()
    assert f'<a href="{shipped.get_absolute_url()}">Ink</a>, which ships with Proofsheet' in page


@pytest.mark.parametrize("content", [b"no adapter at all", arrays(vectors.GOOD)])
def test_what_did_not_fit_can_be_removed_for_good(
    model: BaseModel, alice: User, mallory: User, as_user: AsUser, content: bytes
) -> None:
    client = as_user(alice)
    adapter = upload(client, content)
    page = client.get(adapter.get_absolute_url()).content.decode()
    assert f'action="{adapter.get_absolute_url()}remove/"' in page
    assert "Withdraw it" not in page
    assert as_user(mallory).post(f"{adapter.get_absolute_url()}remove/").status_code == 404
    answer = client.post(f"{adapter.get_absolute_url()}remove/", follow=True)
    assert "Removed, and its file erased." in answer.content.decode()
    assert adapter.name not in answer.content.decode()
    assert client.get(adapter.get_absolute_url()).status_code == 404
    again = upload(client, content)
    assert again.id != adapter.id
    assert client.delete(f"/api/v1/adapters/{again.slug}/").status_code == 204
    assert client.get(f"/api/v1/adapters/{again.slug}/").status_code == 404
    assert not Adapter.objects.filter(owner=alice).exists()


def test_a_removed_files_bytes_are_erased_unless_somebody_else_sent_them_too(
    model: BaseModel,
    high: bytes,
    alice: User,
    bob: User,
    as_user: AsUser,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    of_alice, of_bob = upload(as_user(alice), high), upload(as_user(bob), high)
    kept = Path(of_alice.original.path)
    assert (of_alice.code, kept.read_bytes()) == ("rank_too_high", high)
    with django_capture_on_commit_callbacks(execute=True):
        owner_actions.remove(of_alice.slug, by=alice)
    assert kept.exists()
    derived = owner_actions.fit_to_ceiling(of_bob.slug, by=bob, at=NOON)
    with pytest.raises(owner_actions.BeingFitted):
        owner_actions.remove(of_bob.slug, by=bob)
    check_job.fit(derived.id, now=lambda: NOON)
    with django_capture_on_commit_callbacks(execute=True):
        owner_actions.remove(of_bob.slug, by=bob)
    assert not kept.exists()
    derived.refresh_from_db()
    assert (derived.state, derived.parent, derived.parent_sha256) == (
        "accepted", None, of_bob.sha256)  # fmt: skip


def test_what_a_moderator_refused_stays_as_evidence(
    model: BaseModel, lora: bytes, alice: User, as_user: AsUser
) -> None:
    adapter = upload(as_user(alice), lora)
    with pytest.raises(AdapterWrongState):
        owner_actions.remove(adapter.slug, by=alice)
    adapter.refuse()
    with pytest.raises(AdapterWrongState):
        owner_actions.remove(adapter.slug, by=alice)
    answer = as_user(alice).post(f"{adapter.get_absolute_url()}remove/")
    assert answer.status_code == 409
    as_user(alice).delete(f"/api/v1/adapters/{adapter.slug}/")
    assert Adapter.objects.filter(id=adapter.id, code="adapter_refused").exists()
    assert Path(adapter.file.path).exists()


def test_upload_without_a_file_and_above_the_limit_is_refused(
    model: BaseModel, lora: bytes, alice: User, as_user: AsUser, settings: Any
) -> None:
    client = as_user(alice)
    settings.PROOFSHEET_ADAPTER_MAX_BYTES = len(lora) - 1
    answer = send(client, lora)
    assert answer.status_code == 422
    assert "larger than an adapter may be" in answer.content.decode()
    answer = client.post("/adapters/upload/", {"name": "x"})
    assert (answer.status_code, "Choose a file" in answer.content.decode()) == (422, True)
    assert in_quarantine() == []
    assert not Adapter.objects.exists()


def test_of_several_files_the_first_counts_and_the_others_are_not_kept(
    model: BaseModel, lora: bytes, alice: User, as_user: AsUser
) -> None:
    files = [SimpleUploadedFile(f"{name}.safetensors", lora + name.encode()) for name in "abc"]
    answer = as_user(alice).post("/adapters/upload/", {"file": files, "other": files[2]})
    assert answer.status_code == 302
    [adapter] = Adapter.objects.all()
    assert adapter.name == "a"
    assert in_quarantine() == [Path(adapter.original.path).name]


@pytest.mark.parametrize("address", ["/adapters/upload/", "/api/v1/adapters/"])
def test_a_body_that_nobody_can_read_is_the_senders_mistake(
    model: BaseModel, lora: bytes, alice: User, as_user: AsUser, address: str
) -> None:
    file = SimpleUploadedFile("a.safetensors", lora)
    answer = as_user(alice).post(address, {"file": file, "description": "x" * 4_000_000})
    assert answer.status_code in (400, 413)
    assert not Adapter.objects.exists()


def test_an_hour_later_nothing_lies_in_quarantine_that_no_upload_waits_for(
    model: BaseModel, lora: bytes, alice: User, as_user: AsUser
) -> None:
    client = as_user(alice)
    send(client, lora)
    send(client, lora + b"withdrawn")
    waiting, withdrawn = Adapter.objects.order_by("size_bytes")
    owner_actions.withdraw(withdrawn.slug, by=alice, at=NOON)
    quarantine.new_draft().write_bytes(b"of a process that was killed")
    now = timezone.now()
    owner_actions.clear_quarantine(at=now)
    assert len(in_quarantine()) == 3
    owner_actions.clear_quarantine(at=now + timedelta(hours=2))
    assert in_quarantine() == [Path(waiting.original.path).name]


def test_upload_needs_the_csrf_token(model: BaseModel, lora: bytes, alice: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    assert send(client, lora).status_code == 403
    assert in_quarantine() == []


@pytest.mark.parametrize(
    ("content", "code", "sentence"),
    [
        (b"\x80\x04 a pickle that nobody opens", "not_safetensors", "It does not fit."),
        (arrays(vectors.GOOD), "no_model_here", "There is no model for it here."),
        (b"", "empty", "It does not fit."),
    ],
)
def test_rejected_upload_keeps_its_report_and_not_its_file(
    model: BaseModel, alice: User, as_user: AsUser, content: bytes, code: str, sentence: str
) -> None:
    client = as_user(alice)
    adapter = upload(client, content) if content else api_upload(client, content)
    assert (adapter.state, adapter.code) == ("rejected", code)
    assert in_quarantine() == []
    assert not adapter.original
    page = client.get(adapter.get_absolute_url()).content.decode()
    assert sentence in page
    assert code in page


def api_upload(client: Client, content: bytes) -> Adapter:
    file = SimpleUploadedFile("a.safetensors", content)
    answer = client.post("/api/v1/adapters/", {"file": file})
    assert answer.status_code == 202, answer.content
    adapter = Adapter.objects.get(slug=answer.json()["slug"])
    check_job.validate(adapter.id, now=lambda: NOON)
    adapter.refresh_from_db()
    return adapter


def test_markup_in_a_layers_name_is_text_wherever_it_is_shown(
    model: BaseModel, alice: User, as_user: AsUser
) -> None:
    name = "<script>alert(1)</script>/../../etc"
    client = as_user(alice)
    adapter = upload(client, arrays(vectors.GOOD | vectors.pair(name, (8, 8))))
    assert name in str(adapter.report)
    page = client.get(adapter.get_absolute_url()).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_wrong_base_model_is_named(model: BaseModel, alice: User, as_user: AsUser) -> None:
    adapter = upload(as_user(alice), arrays(vectors.GOOD), model="tiny")
    assert adapter.code == "wrong_base_model"
    assert "Stable Diffusion 1.5" in adapter.report["message"]


def test_api_uploads_shows_the_report_and_withdraws(
    model: BaseModel, lora: bytes, alice: User, mallory: User, as_user: AsUser
) -> None:
    client = as_user(alice)
    adapter = api_upload(client, lora)
    row = client.get(f"/api/v1/adapters/{adapter.slug}/").json()
    assert (row["state"], row["report"]["accepted"]) == ("accepted", True)
    again = client.post("/api/v1/adapters/", {"file": SimpleUploadedFile("b", lora)})
    assert (again.status_code, again.json()["slug"]) == (200, adapter.slug)
    assert client.post("/api/v1/adapters/", {"name": "x"}).status_code == 400
    assert as_user(mallory).delete(f"/api/v1/adapters/{adapter.slug}/").status_code == 404
    assert client.delete(f"/api/v1/adapters/{adapter.slug}/").status_code == 204
    assert adapter not in visibility.usable_by(alice, model)


def test_too_high_a_rank_is_fitted_on_request_into_a_new_adapter(
    model: BaseModel, high: bytes, alice: User, mallory: User, as_user: AsUser
) -> None:
    client = as_user(alice)
    parent = upload(client, high)
    assert (parent.code, parent.rank) == ("rank_too_high", 16)
    assert "Fit it to rank 8" in client.get(parent.get_absolute_url()).content.decode()
    assert as_user(mallory).post(f"/adapters/{parent.slug}/fit/").status_code == 404
    client.post(f"/adapters/{parent.slug}/fit/")
    client.post(f"/adapters/{parent.slug}/fit/")  # the second click changes nothing
    [derived] = parent.derived.all()
    check_job.fit(derived.id, now=lambda: NOON)
    derived.refresh_from_db()
    assert (derived.state, derived.rank, derived.parent_sha256) == ("accepted", 8, parent.sha256)
    assert 0.3 < derived.report["kept"]["min"] <= derived.report["kept"]["mean"] < 1
    assert "Kept by the fit" in client.get(derived.get_absolute_url()).content.decode()
    assert derived in visibility.usable_by(alice, model)


def test_a_fit_of_numbers_that_are_none_is_refused_as_such(
    model: BaseModel, high: bytes, alice: User, as_user: AsUser
) -> None:
    parent = upload(as_user(alice), high[:-2] + b"\x00\x7e")  # the last number is NaN
    assert parent.code == "rank_too_high"
    derived = owner_actions.fit_to_ceiling(parent.slug, by=alice, at=NOON)
    check_job.fit(derived.id, now=lambda: NOON)
    derived.refresh_from_db()
    assert (derived.state, derived.code) == ("rejected", "not_finite")
    assert not derived.file


def test_only_a_rank_that_is_too_high_can_be_fitted(
    model: BaseModel, lora: bytes, alice: User, as_user: AsUser
) -> None:
    adapter = upload(as_user(alice), lora)
    with pytest.raises(owner_actions.NotFittable):
        owner_actions.fit_to_ceiling(adapter.slug, by=alice, at=NOON)


def test_a_doubled_ticket_judges_once(
    model: BaseModel, lora: bytes, alice: User, as_user: AsUser
) -> None:
    adapter = upload(as_user(alice), lora)
    tasks.validate(str(adapter.id))
    adapter.refresh_from_db()
    assert (adapter.state, adapter.validated_at) == ("accepted", NOON)


def test_a_ticket_that_comes_while_another_worker_checks_leaves_the_check_alone(
    model: BaseModel, lora: bytes, alice: User, as_user: AsUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = Adapter.objects.get(slug=send(as_user(alice), lora)["Location"].split("/")[-2])
    checks, inspect = [], inspection.inspect

    def interrupted(*args: Any, **said: Any) -> inspection.Inspection:
        checks.append(args)
        if len(checks) == 1:
            tasks.validate(str(adapter.id))
        return inspect(*args, **said)

    monkeypatch.setattr(inspection, "inspect", interrupted)
    tasks.validate(str(adapter.id))
    adapter.refresh_from_db()
    assert (adapter.state, len(checks)) == ("accepted", 1)


def test_a_check_whose_worker_died_is_made_by_a_later_ticket(
    model: BaseModel, lora: bytes, alice: User, as_user: AsUser
) -> None:
    adapter = Adapter.objects.get(slug=send(as_user(alice), lora)["Location"].split("/")[-2])
    adapter.start_validating()
    tasks.validate(str(adapter.id))
    adapter.refresh_from_db()
    assert adapter.state == "accepted"


def test_a_check_that_fails_is_told_and_raised(
    model: BaseModel, lora: bytes, alice: User, as_user: AsUser
) -> None:
    send(as_user(alice), lora)
    adapter = Adapter.objects.get()
    Path(adapter.original.path).unlink()
    with pytest.raises(FileNotFoundError):
        check_job.validate(adapter.id, now=lambda: NOON)
    adapter.refresh_from_db()
    assert (adapter.state, adapter.code) == ("rejected", "check_failed")


def test_a_check_that_finds_no_room_is_made_once_there_is_and_leaves_nothing(
    model: BaseModel, lora: bytes, alice: User, as_user: AsUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(as_user(alice), lora)
    adapter = Adapter.objects.get()

    def run_out(source: object, out: Path, **_: object) -> None:
        out.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "no room")

    with monkeypatch.context() as full:
        full.setattr(rewrite, "write", run_out)
        check_job.validate(adapter.id, now=lambda: NOON)
    folder = Path(adapter.original.path).parent
    assert [path.name for path in folder.iterdir()] == [Path(adapter.original.path).name]
    check_job.validate(adapter.id, now=lambda: NOON)
    adapter.refresh_from_db()
    assert adapter.state == "accepted"


def test_withdrawn_while_it_was_checked_stays_withdrawn(
    model: BaseModel, lora: bytes, alice: User, as_user: AsUser
) -> None:
    send(as_user(alice), lora)
    adapter = Adapter.objects.get()
    owner_actions.withdraw(adapter.slug, by=alice, at=NOON)
    check_job.validate(adapter.id, now=lambda: NOON)
    adapter.refresh_from_db()
    assert adapter.state == "withdrawn"
    with pytest.raises(AdapterWrongState):
        owner_actions.withdraw(adapter.slug, by=alice, at=NOON)


def test_a_link_lets_others_use_it_until_it_is_taken_back(
    model: BaseModel, lora: bytes, alice: User, bob: User, mallory: User, as_user: AsUser
) -> None:
    adapter = upload(as_user(alice), lora)
    as_user(alice).post(f"/adapters/{adapter.slug}/share/", {"link": "yes"})
    adapter.refresh_from_db()
    link = f"/adapters/shared/{adapter.share_key}/"
    assert link in as_user(alice).get(adapter.get_absolute_url()).content.decode()
    assert as_user(bob).get(link, follow=True).status_code == 200
    assert adapter in visibility.usable_by(bob, model)
    assert adapter not in visibility.usable_by(mallory, model)
    page = as_user(bob).get(adapter.get_absolute_url()).content.decode()
    assert "Withdraw" not in page
    as_user(alice).post(f"/adapters/{adapter.slug}/share/", {"link": "no"})
    assert adapter not in visibility.usable_by(bob, model)
    assert as_user(bob).get(link).status_code == 404


def ask(
    adapter: Adapter, by: User, *, licence: str = "CC0", has_consent: bool = False
) -> ReviewCase:
    """With every example picture released."""
    review_request.ask(adapter.slug, by=by, licence=licence, has_consent=has_consent, at=NOON)
    for row in examples.waiting_of(adapter):
        examples.hand_in(row.id, ExamplePicture(uuid4(), png(), AdapterExample.State.SHOWN))
    review_request.open_review(adapter.id, at=NOON)
    return ReviewCase.objects.get(subject_id=adapter.id)


def decide(case: ReviewCase, action: Action, by: User) -> Decision:
    leased = review_cases.claim(case, by=by, at=NOON)
    assert leased.lease_token is not None
    version = review_cases.policy_version_of(case)
    reason = next(iter(allowed_actions.reasons_for(action, policy_version=version)))
    return enforcing.decide(
        leased,
        by=by,
        action=action,
        reason=reason,
        at=NOON,
        token=leased.lease_token,
        explanation="because",
    )


def test_going_public_asks_a_moderator_and_is_published_when_allowed(
    model: BaseModel, lora: bytes, alice: User, bob: User, mallory: User, as_user: AsUser
) -> None:
    adapter = upload(as_user(alice), lora, description="Flat ink on paper")
    case = ask(adapter, alice)
    assert (case.subject_kind, case.owner) == ("adapter", alice)
    assert "Flat ink on paper" in case.evidence["prompt"]
    assert case.evidence["adapter"]["sha256"] == adapter.sha256
    assert "passed the screening" in case.evidence["adapter"]["picture_1"]
    assert adapter not in visibility.usable_by(mallory, model)
    decide(case, "allow", bob)
    adapter.refresh_from_db()
    assert (adapter.state, adapter.visibility) == ("published", "public")
    assert adapter in visibility.usable_by(mallory, model)
    owner_actions.withdraw(adapter.slug, by=alice, at=NOON)
    assert adapter not in visibility.usable_by(mallory, model)


def test_a_refused_adapter_is_used_by_nobody_until_an_appeal_reverses_it(
    model: BaseModel, lora: bytes, alice: User, bob: User, carol: User, as_user: AsUser
) -> None:
    adapter = upload(as_user(alice), lora)
    decision = decide(ask(adapter, alice), "refuse", bob)
    adapter.refresh_from_db()
    assert (adapter.state, adapter.code) == ("rejected", "adapter_refused")
    assert adapter not in visibility.usable_by(alice, model)
    assert decision.statement.owner == alice
    page = as_user(alice).get(adapter.get_absolute_url()).content.decode()
    assert "A moderator refused this adapter" in page
    assert upload(as_user(alice), lora).state == "rejected"  # a new upload does not undo it
    enforcing.reverse(decision, by=carol, explanation="It is fine.", at=NOON)
    adapter.refresh_from_db()
    assert adapter.state == "published"


@pytest.mark.parametrize("licence", ["CC-BY\x00", "x" * 201])
def test_a_licence_that_cannot_be_kept_is_said_and_nothing_is_asked(
    model: BaseModel, lora: bytes, alice: User, as_user: AsUser, licence: str
) -> None:
    client = as_user(alice)
    adapter = upload(client, lora)
    answer = client.post(f"/adapters/{adapter.slug}/publish/", {"licence": licence}, follow=True)
    assert answer.status_code == 200
    assert "Licence: " in answer.content.decode()
    adapter.refresh_from_db()
    assert adapter.review_asked_at is None


def test_going_public_needs_a_licence_and_the_consent_of_the_person_shown(
    model: BaseModel, lora: bytes, alice: User, as_user: AsUser
) -> None:
    adapter = upload(as_user(alice), lora, shows_a_person="on")
    with pytest.raises(review_request.LicenceMissing):
        ask(adapter, alice, licence=" ")
    with pytest.raises(review_request.ConsentMissing):
        ask(adapter, alice)
    answer = as_user(alice).post(f"/adapters/{adapter.slug}/publish/", {"licence": "CC0"})
    assert answer.status_code == 422
    case = ask(adapter, alice, has_consent=True)
    assert (
        "attested that person's consent at 2026-11-24"
        in (case.evidence["adapter"]["shows_a_real_person"])
    )
    with pytest.raises(review_request.AlreadyAsked):
        review_request.ask(adapter.slug, by=alice, licence="CC0", has_consent=True, at=NOON)


def test_verdicts_page_lists_every_code(alice: User, as_user: AsUser) -> None:
    page = as_user(alice).get("/adapters/verdicts/").content.decode()
    assert "rank_too_high" in page
    assert "not_finite" in page
