"""Who sets up a project's webhooks, by pages and by keys, and what they are told about mistakes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from config.accounts.api_keys import key_format
from config.core import events
from config.core.outbox.models import OutboxRow
from config.core.projects import personal
from config.core.projects.models import Membership, Project
from config.models import ApiKey
from config.webhooks import endpoints, outbox_metrics
from config.webhooks.models import Delivery, Endpoint
from tests.factories import NOON

pytestmark = pytest.mark.django_db
URL = "https://example.org/hook"


def endpoint_of(project: Project, **said: Any) -> Endpoint:
    person = project.personal_of
    assert person is not None
    return endpoints.make(project.id, by=person, url=URL, at=timezone.now(), **said)[0]


def key_of(user: User, project: Project, *scopes: str) -> Client:
    key = key_format.new_key()
    now = timezone.now()
    ApiKey.objects.create(
        owner=user,
        project=project,
        name="test",
        digest=key_format.digest_of(key),
        hint=key_format.hint_of(key),
        scopes=list(scopes),
        made_at=now,
        expires_at=now + timedelta(days=1),
    )
    return Client(headers={"Authorization": f"Bearer {key}"})


def api(project: Project, *parts: object) -> str:
    return "/".join(["/api/v1/projects", str(project.id), "webhooks", *map(str, parts), ""])


def test_a_secret_is_shown_once(alice: User, project: Project, as_user: Any) -> None:
    client = as_user(alice)
    made = client.post(
        reverse("webhook-make", args=[project.id]), {"url": URL, "scheme": "v1", "types": []}
    )
    assert "whsec_" in made.content.decode()
    endpoint = Endpoint.objects.get()
    for name in ("webhook", "webhooks"):
        args = [project.id, endpoint.id][: 2 if name == "webhook" else 1]
        page = client.get(reverse(name, args=args))
        assert page.status_code == 200
        assert "whsec_" not in page.content.decode()
    told = client.get(api(project, endpoint.id)).json()
    assert "secret" not in told
    assert told["public_keys"] == []


def test_a_public_key_may_be_read_again(alice: User, project: Project, as_user: Any) -> None:
    endpoint = endpoint_of(project, scheme="v1a")
    [key] = as_user(alice).get(api(project, endpoint.id)).json()["public_keys"]
    assert key.startswith("whpk_")


@pytest.mark.parametrize("role", [None, "viewer"])
def test_webhooks_are_for_owners_and_developers(
    alice: User, mallory: User, project: Project, as_user: Any, role: str | None
) -> None:
    endpoint = endpoint_of(project)
    events.tell(project.id, "appeal.decided", {})
    if role:
        Membership.objects.create(project=project, user=mallory, role=role, since=timezone.now())
    delivery = Delivery.objects.get()
    one = [project.id, endpoint.id]
    client = as_user(mallory)
    pages = [
        client.get(reverse("webhooks", args=[project.id])),
        client.get(reverse("webhook", args=one)),
        client.post(reverse("webhook-make", args=[project.id]), {"url": URL, "scheme": "v1"}),
        *(
            client.post(reverse(f"webhook-{verb}", args=one), {"url": URL, "to": "off"})
            for verb in ("change", "switch", "rotate", "test", "delete")
        ),
        client.post(reverse("webhook-replay", args=[*one, delivery.id])),
        client.get(api(project)),
        client.post(api(project), {"url": URL}, "application/json"),
        client.get(api(project, endpoint.id)),
        client.patch(api(project, endpoint.id), {"is_on": False}, "application/json"),
        client.delete(api(project, endpoint.id)),
        client.post(api(project, endpoint.id, "rotate")),
        client.post(api(project, endpoint.id, "test")),
        client.get(api(project, endpoint.id, "deliveries")),
        client.post(api(project, endpoint.id, "deliveries", delivery.id, "replay")),
    ]
    assert {page.status_code for page in pages} == {404}
    endpoint.refresh_from_db()
    assert endpoint.is_on
    assert endpoint.secrets.count() == 1


def test_a_key_sets_up_its_own_project_alone(alice: User, bob: User, project: Project) -> None:
    other = personal.project_of(bob)
    Membership.objects.create(project=other, user=alice, role="owner", since=timezone.now())
    client = key_of(alice, project, "webhooks")
    assert client.get(api(project)).status_code == 200
    assert client.get(api(other)).status_code == 404
    assert key_of(alice, project, "read", "generate").get(api(project)).status_code == 403


def test_one_projects_endpoint_is_not_found_under_another(
    alice: User, bob: User, project: Project, as_user: Any
) -> None:
    other = personal.project_of(bob)
    Membership.objects.create(project=other, user=alice, role="owner", since=timezone.now())
    endpoint = endpoint_of(project)
    assert as_user(alice).get(api(other, endpoint.id)).status_code == 404
    assert as_user(alice).get(api(project, uuid4())).json()["code"] == "webhook_not_found"


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/hook",
        "https://user:word@example.org/",
        "https://127.0.0.1/",
        "https://localhost:8000/",
        "https://169.254.169.254/latest/",
        "https://[::1]/",
        "https://2130706433/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://0x7f.1/",
        "https://0/",
        "https://127.0.0.1./",
        "https://10.0.0.1/",
        "https://example.org:22/",
        "https://exämple.org/",
        "https://example.org/#part",
        "https://example.org/a b",
        "ftp://example.org/",
        "https://",
        "https://[broken/",
        "https://example.org/" + "a" * 2000,
    ],
)
def test_an_address_that_nothing_is_sent_to_is_refused_at_once(
    alice: User, project: Project, as_user: Any, url: str
) -> None:
    answer = as_user(alice).post(api(project), {"url": url}, "application/json")
    assert answer.status_code in (400, 422)
    assert answer.json()["code"] in ("webhook_address_refused", "invalid")
    page = as_user(alice).post(
        reverse("webhook-make", args=[project.id]), {"url": url, "scheme": "v1"}
    )
    assert page.status_code == 400
    assert not Endpoint.objects.exists()


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("https://user:word@example.org/", "password"),
        ("https://example.org/#part", "#"),
        ("https://exämple.org/", "ASCII"),
        ("http://example.org/", "https"),
    ],
)
def test_what_is_wrong_with_an_address_is_named(
    alice: User, project: Project, as_user: Any, url: str, named: str
) -> None:
    answer = as_user(alice).post(api(project), {"url": url}, "application/json").json()
    assert (answer["code"], named in answer["title"]) == ("webhook_address_refused", True)


def test_an_unknown_event_is_named(alice: User, project: Project, as_user: Any) -> None:
    said = {"url": URL, "types": ["generation.exploded"]}
    answer = as_user(alice).post(api(project), said, "application/json")
    assert answer.status_code == 400
    assert "generation.exploded" in answer.content.decode()


def test_everything_can_be_done_by_a_key(alice: User, project: Project) -> None:
    client = key_of(alice, project, "webhooks")
    said = {"url": URL, "types": ["appeal.decided"], "description": "Ours"}
    made = client.post(api(project), said, "application/json")
    assert made.status_code == 201
    assert made.json()["secret"].startswith("whsec_")
    one = made.json()["id"]
    assert [each["id"] for each in client.get(api(project)).json()] == [one]
    changed = client.patch(api(project, one), {"types": [], "is_on": False}, "application/json")
    assert (changed.json()["types"], changed.json()["off_because"]) == ([], "chosen")
    assert client.post(api(project, one, "test")).json()["code"] == "webhook_off"
    client.patch(api(project, one), {"is_on": True}, "application/json")
    test = client.post(api(project, one, "test"))
    assert (test.status_code, test.json()["type"]) == (202, "webhook.test")
    listed = client.get(api(project, one, "deliveries")).json()["results"]
    assert [each["id"] for each in listed] == [test.json()["id"]]
    again = client.post(api(project, one, "deliveries", test.json()["id"], "replay"))
    assert again.json()["event_id"] == test.json()["event_id"]
    assert client.post(api(project, one, "rotate")).json()["secret"].startswith("whsec_")
    client.post(api(project, one, "rotate"))
    assert client.post(api(project, one, "rotate")).status_code == 409
    assert client.delete(api(project, one)).status_code == 204
    assert client.get(api(project, one)).status_code == 404
    assert client.get(api(project)).json() == []


def test_a_project_has_twenty_endpoints_at_most(
    alice: User, project: Project, as_user: Any
) -> None:
    for _ in range(endpoints.ENDPOINTS_MAX):
        endpoint_of(project)
    answer = as_user(alice).post(api(project), {"url": URL}, "application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_webhooks")


def test_everything_can_be_done_on_the_page(alice: User, project: Project, as_user: Any) -> None:
    endpoint, client = endpoint_of(project), as_user(alice)
    one = [project.id, endpoint.id]

    def press(verb: str, *more: object, **said: Any) -> str:
        answer = client.post(reverse(f"webhook-{verb}", args=[*one, *more]), said, follow=True)
        assert answer.status_code == 200
        return str(answer.content.decode())

    assert "webhook.test" in press("test")
    assert "appeal.decided" in press("change", url=URL, types=["appeal.decided"])
    endpoint.refresh_from_db()
    assert endpoint.types == ["appeal.decided"]
    assert "whsec_" in press("rotate")
    assert "Nothing is sent here" in press("switch", to="off")
    assert "Switch off" in press("switch", to="on")
    assert "once more" in press("replay", Delivery.objects.get().id)
    assert "No endpoints yet" in press("delete")


def test_the_page_shows_what_came_of_each_attempt(
    alice: User, project: Project, as_user: Any
) -> None:
    endpoint = endpoint_of(project)
    events.tell(project.id, "appeal.decided", {"appeal_id": "<b>1</b>"})
    row = Delivery.objects.get()
    row.tries.create(sent_at=timezone.now(), took_ms=12, status=503)
    row.tries.create(sent_at=timezone.now(), took_ms=7, problem="url_refused")
    page = as_user(alice).get(reverse("webhook", args=[project.id, endpoint.id])).content.decode()
    assert "503, 12 ms" in page
    assert "url_refused, 7 ms" in page
    assert "<b>1</b>" not in page


def test_an_operator_sees_what_waits_and_how_late_it_is(project: Project) -> None:
    endpoint_of(project)
    events.tell(project.id, "appeal.decided", {})
    Delivery.objects.update(due_at=timezone.now() - timedelta(seconds=90))
    events.mail("moderation.tasks.mail_decision", str(uuid4()))
    OutboxRow.objects.create(
        task="x", arguments=[], written_at=NOON, due_at=NOON, gave_up_at=NOON, problem="OSError"
    )
    told = {
        (sample.name, *sample.labels.values()): sample.value
        for family in outbox_metrics.families()
        for sample in family.samples
    }
    assert told["proofsheet_outbox_waiting", "webhook"] == 1
    assert told["proofsheet_outbox_waiting", "mail"] == 1
    assert told["proofsheet_outbox_late_seconds", "webhook"] >= 90
    assert told["proofsheet_outbox_given_up",] == 1
    assert told["proofsheet_outbox_endpoints_failing",] == 0


def test_a_project_s_page_leads_to_its_webhooks(
    alice: User, mallory: User, project: Project, as_user: Any
) -> None:
    said = {"project": project, "user": mallory, "role": "viewer", "since": timezone.now()}
    Membership.objects.create(**said)
    page, link = reverse("project", args=[project.id]), reverse("webhooks", args=[project.id])
    assert link in as_user(alice).get(page).content.decode()
    assert link not in as_user(mallory).get(page).content.decode()
