"""Every list, queue, export, report and metric can be narrowed to one project.

What there is is read from the house itself: the API's own description, the address table, the
admin, the commands, what is measured. Each either takes a project or stands below with the reason
why it has none; a new list or export that does neither fails.
"""

from __future__ import annotations

import zipfile
from datetime import date
from io import BytesIO
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.management import get_commands, load_command_class
from django.core.management.base import CommandParser
from django.test import Client
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator

from config.core import events
from config.core.projects.admin_filter import OfProject
from config.core.projects.models import Project
from config.core.watching.house_gauges import HOUSE
from generation.models import GenerationRequest, RequestStatus
from moderation.appeals import hearing
from moderation.audits.audit_reports import schedule
from moderation.audits.models import Audit, FrameEntry
from moderation.audits.sampling import population
from moderation.exports import archives, project_exports
from moderation.exports.transparency_files import Period
from moderation.models import Export
from tests.factories import NOON, make_adapter, make_model, make_request
from tests.moderation.audits import makers
from tests.projects.makers import join, make_project
from tests.projects.test_matrix import ROUTES
from tests.projects.test_standing import decided
from tests.rewriting import rewritten

pytestmark = pytest.mark.django_db
OF_NO_PROJECT_IN_THE_API = {
    "/api/v1/projects/": "of projects themselves",
    "/api/v1/notices/": "reports are of the person who wrote them, whosever the picture is",
    "/api/v1/audits/suites/": "suites of prompts are the house's",
    "/api/v1/audits/runs/": "runs of suites are the house's",
    "/api/v1/models/": "models are the house's",
    "/api/v1/review/cases/{case_id}/notes/": "of one case",
    "/v1/models": "models are the house's",
    "/v1/models/{model_id}": "one model",
}
PAGES = {  # every page without a parameter that is read
    "/gallery/": "narrowed", "/appeals/": "narrowed", "/adapters/": "narrowed",
    "/review/": "narrowed", "/reports/exports/": "narrowed", "/audits/": "narrowed",
    "/audits/lab/": "narrowed", "/studio/": "of the project that was chosen",
    "/studio/live/": "of the project that was chosen",
}  # fmt: skip
NOT_LISTS = {
    *("/", "/report/", "/verify/", "/capacity/", "/account/", "/adapters/upload/", "/mails/"),
    *("/adapters/verdicts/", "/audience/", "/review/wellbeing/", "/account/standing/", "/metrics"),
    *("/account/keys/", "/projects/", "/roles/", "/reported/", "/policies/", "/review/banks/"),
    *("/audits/runs/", "/api/schema/", "/api/docs/", "/studio/events/", "/studio/estimate/"),
    *("/notifications/", "/notifications/unread/"),
}  # of a person, of the house, or nothing that is listed
ROOMS = ("config", "generation", "adapters", "moderation", "provenance")
OF_THE_HOUSE = {"export_audit", "export_bundle"}
"""One report that was frozen, of its own project; the public log's proof of one picture."""


def lists_of_the_api() -> list[tuple[str, set[str]]]:
    """Every address that answers with rows, and its query parameters."""
    generator: Any = SchemaGenerator
    described = generator().get_schema(request=None, public=True)
    shapes = described["components"]["schemas"]
    found = []
    for path, methods in described["paths"].items():
        answers = methods.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        for content in answers.values():
            shape = content.get("schema", {})
            name = shape.get("$ref", "").rpartition("/")[2]
            fields = shapes.get(name, shape).get("properties", {})
            is_list = shape.get("type") == "array" or bool({"results", "data"} & set(fields))
            if is_list:
                said = {each["name"] for each in methods["get"].get("parameters", [])}
                found.append((path, said))
                break
    return found


def test_every_list_of_the_api_takes_a_project() -> None:
    listed = lists_of_the_api()
    assert len(listed) >= 12
    missing = [
        path
        for path, said in listed
        if not {"project", "project_id"} & said and path not in OF_NO_PROJECT_IN_THE_API
    ]
    assert missing == [], "let it be narrowed by `project`, or say above why not"


def test_every_page_that_lists_is_named() -> None:
    pages = {
        f"/{route}"
        for route in ROUTES
        if "<" not in route
        and "^" not in route
        and not route.startswith(("api/v1/", "v1/", "sdapi/", "scim/", "sbr/", "log", "witness"))
        and not route.startswith(("admin/", "accounts/"))  # lists of the admin come below
    }
    read = {path for path in pages if _is_read(path)}
    assert read - set(PAGES) - NOT_LISTS == set(), "a new page: can it be narrowed to a project?"


def _is_read(path: str) -> bool:
    answer = Client(raise_request_exception=False).get(path)
    return answer.status_code not in (404, 405)


def test_every_list_of_the_admin_with_a_project_is_narrowed() -> None:
    missing = []
    for model, page in admin.site._registry.items():
        names = {field.name for field in model._meta.get_fields()}
        if "project" in names and OfProject not in page.list_filter:
            missing.append(model.__name__)
    assert missing == []


def test_every_command_that_exports_takes_a_project() -> None:
    named = [
        name
        for name, where in get_commands().items()
        if str(where).split(".")[0] in ROOMS and name.startswith(("export_", "transparency_"))
    ]
    assert set(named) >= {"export_decisions", "export_statements", "transparency_report"}
    for name in set(named) - OF_THE_HOUSE:
        parser = CommandParser()
        load_command_class(get_commands()[name], name).add_arguments(parser)
        assert "--project" in parser.format_help(), name


def test_metrics_are_told_by_project(alice: User, bob: User, carol: User) -> None:
    team, other = make_project(alice, "A"), make_project(bob, "B")
    model = make_model()
    for project, owner, how_many in ((team, alice, 2), (other, bob, 1)):
        for _ in range(how_many):
            make_request(owner, model, status=RequestStatus.QUEUED, project=project)
    make_request(alice, model, status=RequestStatus.QUEUED)
    ended = make_request(bob, model, status=RequestStatus.FINISHED, project=other)
    GenerationRequest.objects.filter(pk=ended.pk).update(created_at=timezone.now())
    rest = {"others": 0, "personal": 0}
    active = rest | {str(team.pk): 2, str(other.pk): 1, "personal": 1}
    assert told("requests_active") == active
    assert told("requests_finished_of_hour") == rest | {str(other.pk): 1}
    by_project = {
        family.name for family in HOUSE.collect() if family.name.startswith("proofsheet_project")
    }
    assert by_project == {
        f"proofsheet_project_{what}"
        for what in (
            *("requests_active", "cases_undecided", "appeals_lodged"),
            *(f"requests_{end}_of_hour" for end in ("finished", "refused", "cancelled", "failed")),
        )
    }


def told(name: str) -> dict[str, float]:
    """Of a metric, by project."""
    return {
        sample.labels["project"]: sample.value
        for family in HOUSE.collect()
        if family.name == f"proofsheet_project_{name}"
        for sample in family.samples
    }


@pytest.fixture
def two(alice: User, mallory: User, bob: User, carol: User) -> tuple[Project, Project]:
    """Two projects, each with a restriction and an appeal of its own."""
    model = make_model()
    made = []
    for owner, name in ((alice, "A"), (mallory, "B")):
        project = make_project(owner, name)
        request = make_request(owner, model, status=RequestStatus.SUBMITTED, project=project)
        decision = decided(request, bob, carol, "warn")
        hearing.lodge(decision, by=owner, grounds=f"of {name}", at=NOON)
        made.append(project)
    return made[0], made[1]


@pytest.mark.parametrize("kind", sorted(archives.FILES))
def test_an_export_of_a_project_holds_nothing_of_another(
    kind: str, two: tuple[Project, Project], dora: User
) -> None:
    """Each kind that there is: a new one that leaves the filter out fails here."""
    whole, mine, theirs = (
        dict(archives.FILES[kind](Period(NOON.date(), NOON.date(), of)))
        for of in (None, two[0].pk, two[1].pk)
    )
    nobodys = dict(archives.FILES[kind](Period(NOON.date(), NOON.date(), Project(name="").pk)))
    assert _rows(nobodys) != _rows(whole)
    assert _rows(mine) != _rows(theirs)
    assert _rows(mine) < _rows(whole) or kind == "transparency"
    if kind == "transparency":
        assert _number(mine, "Complaints: total number") == 1
        assert _number(whole, "Complaints: total number") == 2
        assert _number(nobodys, "Complaints: total number") == 0


def _rows(files: dict[str, bytes]) -> set[str]:
    return {line for data in files.values() for line in data.decode().splitlines()}


def _number(files: dict[str, bytes], indicator: str) -> int:
    lines = files["transparency-report.csv"].decode().splitlines()
    [found] = [line for line in lines if line.startswith(f"{indicator},")]
    return int(found.rpartition(",")[2])


@pytest.mark.parametrize("role", ["owner", "developer", "viewer", "stranger"])
def test_a_project_takes_out_its_own_and_is_told_when_it_is_there(
    role: str, two: tuple[Project, Project], dora: User, monkeypatch: Any
) -> None:
    team, other = two
    if role != "stranger":
        join(team, dora, role)
    client = Client()
    client.force_login(dora)
    asked = {"kind": "decisions", "first": NOON.date(), "last": NOON.date()}
    answer = client.post(f"/projects/{team.pk}/exports/ask/", asked)
    if role in ("viewer", "stranger"):
        assert answer.status_code == 404
        assert not Export.objects.exists()
        assert client.get(f"/projects/{team.pk}/exports/").status_code == (
            200 if role == "viewer" else 404
        )
        return
    assert answer.status_code == 302
    [row] = Export.objects.all()
    address = f"/api/v1/projects/{team.pk}/exports/{row.public_id}/"
    assert client.get(address).json()["code"] == "export_not_ready"
    told: list[Any] = []
    monkeypatch.setattr(events, "tell", lambda *said: told.append(said))
    for _ in range(2):  # at least once means twice at times
        project_exports.make(row.public_id, at=NOON)
    [(project_id, event, said)] = told
    assert (project_id, event) == (team.pk, "export.ready")
    assert said()["url"].endswith(address)
    fetched = client.get(address)
    assert fetched.status_code == 200
    with zipfile.ZipFile(BytesIO(fetched.content)) as archive:
        assert set(archive.namelist()) == {"SHA256SUMS", "decision-log.csv", "decision-log.jsonl"}
        assert len(archive.read("decision-log.jsonl").splitlines()) == 1
    page = client.get(f"/projects/{team.pk}/exports/").content.decode()
    assert row.get_absolute_url() in page
    elsewhere = f"/api/v1/projects/{other.pk}/exports/{row.public_id}/"
    assert client.get(elsewhere).status_code == 404
    project_exports.clear_away(at=NOON + 2 * project_exports.KEPT)
    assert client.get(address).json()["code"] == "export_not_found"


def test_too_many_or_too_long_exports_are_refused(alice: User) -> None:
    team, day = make_project(alice), NOON.date()
    with pytest.raises(project_exports.ExportTooLong):
        project_exports.ask(team.pk, "decisions", date(2025, 1, 1), day, by=alice, at=NOON)
    for _ in range(project_exports.MOST_A_DAY):
        project_exports.ask(team.pk, "decisions", day, day, by=alice, at=NOON)
    with pytest.raises(project_exports.TooManyExports):
        project_exports.ask(team.pk, "decisions", day, day, by=alice, at=NOON)


def test_a_report_of_traffic_is_of_one_project(
    alice: User, mallory: User, dora: User, as_user: Any
) -> None:
    team = make_project(alice)
    makers.traffic([mallory], fpr={"woman": 0.1}, each=20)
    first = FrameEntry.objects.order_by("screening_id").first()
    assert first is not None
    with rewritten(FrameEntry):
        FrameEntry.objects.filter(pk=first.pk).update(project=team)
    day = first.screened_at.date()
    of_team = population.Window("image", day, day, team.pk)
    assert population.frame_of(of_team).screenings.sum() == 1
    made = schedule.on_demand("image", day, day, user_id=dora.pk, at=NOON, project=team.pk)
    assert made.project_id == team.pk
    whole = schedule.on_demand("image", day, day, user_id=dora.pk, at=NOON)
    client = as_user(dora)
    listed = client.get(f"/api/v1/audits/?project={team.pk}").json()["results"]
    assert [row["id"] for row in listed] == [str(made.pk)]
    page = client.get(f"/audits/?project={team.pk}").content.decode()
    assert str(made.pk) in page
    assert str(whole.pk) not in page
    assert Audit.objects.count() == 2


def test_appeals_and_adapters_are_narrowed_on_their_pages(
    two: tuple[Project, Project], carol: User, client: Client
) -> None:
    client.force_login(carol)
    page = client.get(f"/appeals/?project={two[0].pk}").content.decode()
    assert "of A" in page
    assert "of B" not in page
    listed = client.get(f"/api/v1/review/appeals/?project={two[1].pk}").json()["results"]
    assert [row["grounds"] for row in listed] == ["of B"]


def test_adapters_are_narrowed_to_a_project(alice: User, mallory: User) -> None:
    team, model = make_project(alice), make_model()
    said = {"owner": alice, "state": "accepted", "visibility": "private"}
    make_adapter(model, slug="of-team", name="Of the team", project=team, **said)
    make_adapter(model, slug="own", name="Her own", **said)
    client = Client()
    client.force_login(alice)
    page = client.get(f"/adapters/?project={team.pk}").content.decode()
    assert "Of the team" in page
    assert "Her own" not in page
    listed = client.get(f"/api/v1/adapters/?project={team.pk}").json()["results"]
    assert [row["slug"] for row in listed] == ["of-team"]
    client.force_login(mallory)
    assert client.get(f"/api/v1/adapters/?project={team.pk}").json()["results"] == []
