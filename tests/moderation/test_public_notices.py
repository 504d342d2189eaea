"""A refusal and its appeal for somebody without an account, at `/r/TOKEN`."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core import mail
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from moderation.appeals import hearing
from moderation.decisions import enforcing
from moderation.models import Appeal, Decision, PublicAddress, ReviewCase
from moderation.notifications import mails
from moderation.public_notices import addresses, page_limits, tokens
from moderation.statements import issuing
from moderation.subjects import deliverable_pictures
from moderation.subjects.deliverable_pictures import DeliverablePicture, Delivered
from tests.moderation.makers import (
    claimed,
    image_case,
    picture,
    prompt_case,
    refused_by,
    refused_by_machine,
)


@pytest.fixture(autouse=True)
def _uncounted() -> None:
    cache.clear()


def path_of(address: str) -> str:
    return address.removeprefix(settings.PUBLIC_URL)


def shown(decision: Decision) -> str:
    return path_of(addresses.address_of(decision))


def opened(path: str) -> str:
    answer = Client().get(path)
    assert answer.status_code == 200, answer.content
    return answer.content.decode()


@pytest.fixture
def refusal(alice: User) -> Decision:
    return refused_by_machine(alice, at=timezone.now())


def test_address_is_the_same_whenever_it_is_asked_for(refusal: Decision) -> None:
    first = addresses.address_of(refusal)
    assert addresses.address_of(Decision.objects.get(id=refusal.id)) == first
    assert re.fullmatch(re.escape(settings.PUBLIC_URL) + r"/r/[0-9A-Za-z]{22}", first)


def test_token_is_kept_as_a_digest_alone(refusal: Decision) -> None:
    token = addresses.address_of(refusal).rpartition("/")[2]
    assert len(tokens.ALPHABET) ** tokens.LENGTH > 2**128
    [row] = PublicAddress.objects.values_list(
        "id", "case_id", "decision_id", "number", "digest", "made_at", "withdrawn_at"
    )
    assert token not in str(row)
    assert tokens.digest_of(token) in row


def test_addresses_of_a_page_are_fetched_at_once(
    alice: User, django_assert_max_num_queries: Any
) -> None:
    refusals = [refused_by_machine(alice) for _ in range(5)]
    with django_assert_max_num_queries(4):
        assert len(set(addresses.addresses_of(refusals).values())) == 5
    with django_assert_max_num_queries(1):
        addresses.addresses_of(refusals)


def test_page_has_every_member_of_article_17_and_the_redress(refusal: Decision) -> None:
    page = opened(shown(refusal))
    statement = issuing.notice(refusal.statement, at=timezone.now())
    for said in (
        "Your prompt was refused",
        statement.restriction,
        statement.duration,
        statement.means,
        statement.rule,
        statement.policy_version,
        issuing.REDRESS,
        "Lodge the appeal",
    ):
        assert said in page
    assert statement.facts.split("“")[0] in page


def test_page_never_names_who_decided_or_whose_account_it_was(alice: User, bob: User) -> None:
    page = opened(shown(refused_by(bob, alice, at=timezone.now())))
    assert "bob" not in page.lower()
    assert "alice" not in page.lower()


def test_words_are_shown_by_a_button_alone(refusal: Decision) -> None:
    path = shown(refusal)
    for opened_by in (Client().get(path), Client().get(f"{path}/appeal"), Client().head(path)):
        assert "statue" not in opened_by.content.decode()
    assert Client().get(f"{path}/words").status_code == 405
    assert "<mark>naked</mark>" in Client().post(f"{path}/words").content.decode()


def test_opening_changes_nothing_and_sets_no_cookie(
    refusal: Decision, django_assert_max_num_queries: Any
) -> None:
    path = shown(refusal)
    for address in (path, f"{path}/appeal"):
        with django_assert_max_num_queries(1) as asked:
            answer = Client().get(address)
        assert [q["sql"].split()[0] for q in asked.captured_queries] == ["SELECT"]
        assert not answer.cookies
    assert not Appeal.objects.exists()


def test_page_is_kept_by_nobody_and_tells_nobody_where_it_was(refusal: Decision) -> None:
    path = shown(refusal)
    for answer in (Client().get(path), Client().post(f"{path}/words"), Client().get("/r/nothing")):
        assert "no-store" in answer["Cache-Control"]
        assert answer["Referrer-Policy"] == "no-referrer"
        assert "noindex" in answer["X-Robots-Tag"]


@pytest.mark.django_db
@pytest.mark.parametrize("token", ["none", "0" * 22, "0" * 23, "ä" * 22, "%00", "0" * 3000])
def test_address_that_nobody_made_is_not_found(token: str) -> None:
    answer = Client().get(f"/r/{token}")
    assert answer.status_code in {400, 404}
    if token != "%00":
        assert "There is no notice at this address." in answer.content.decode()


def test_address_ends_after_six_months(alice: User) -> None:
    old = refused_by_machine(alice, at=timezone.now() - issuing.WINDOW - timedelta(minutes=1))
    answer = Client().get(shown(old))
    assert answer.status_code == 410
    assert "The six months in which this address could be opened are over." in (
        answer.content.decode()
    )


def test_address_is_open_while_an_appeal_waits_and_six_months_after(
    alice: User, carol: User
) -> None:
    began = timezone.now() - issuing.WINDOW - timedelta(days=10)
    old = refused_by_machine(alice, at=began)
    path = shown(old)
    token = path.rpartition("/")[2]
    holds = addresses.find(token, at=began)
    appeal = hearing.lodge(old, holds=holds, grounds="", at=began + issuing.WINDOW)
    assert Client().get(f"{path}/appeal").status_code == 200
    hearing.hear(appeal, by=carol, outcome="upheld", reasons="Yes.", at=timezone.now())
    assert "Yes." in opened(f"{path}/appeal")
    with pytest.raises(addresses.AddressExpired):
        addresses.find(token, at=timezone.now() + issuing.WINDOW + timedelta(minutes=1))


def test_withdrawn_address_shows_nothing_and_another_is_made(refusal: Decision) -> None:
    path = shown(refusal)
    with pytest.raises(CommandError, match="no notice at this address"):
        call_command("withdraw_notice", "none")
    call_command("withdraw_notice", f"{settings.PUBLIC_URL}{path}/appeal", stdout=StringIO())
    answer = Client().get(path)
    assert (answer.status_code, b"withdrawn" in answer.content) == (410, True)
    other = shown(refusal)
    assert other != path
    assert "Your prompt was refused" in opened(other)


def test_address_survives_a_change_of_the_secret(refusal: Decision) -> None:
    path = shown(refusal)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokens, "_PURPOSE", b"other:")
        other = shown(refusal)
        assert other != path
        assert shown(refusal) == other
    assert "Your prompt was refused" in opened(path)
    assert "Your prompt was refused" in opened(other)


def test_appeal_needs_no_words_and_no_account(refusal: Decision, carol: User) -> None:
    path = shown(refusal)
    answer = Client(enforce_csrf_checks=True).post(f"{path}/appeal", headers={"origin": "null"})
    assert (answer.status_code, answer["Location"]) == (302, f"{path}/appeal")
    appeal = Appeal.objects.get()
    assert (appeal.appellant, appeal.grounds, appeal.decision) == (None, "", refusal)
    assert list(hearing.waiting_for(carol)) == [appeal]
    receipt = opened(f"{path}/appeal")
    assert "Received" in receipt
    assert "Lodge the appeal" not in receipt
    assert "Lodge the appeal" not in opened(path)


def test_appeal_is_heard_by_somebody_who_did_not_decide(alice: User, carol: User) -> None:
    decision = refused_by(carol, alice, at=timezone.now())
    Client().post(f"{shown(decision)}/appeal")
    appeal = Appeal.objects.get()
    with pytest.raises(hearing.SameDecider):
        hearing.hear(appeal, by=carol, outcome="upheld", reasons="Mine.", at=timezone.now())
    assert not hearing.waiting_for(carol).exists()


def test_the_account_that_owns_it_may_not_hear_it_either(carol: User) -> None:
    decision = refused_by_machine(carol, at=timezone.now())
    Client().post(f"{shown(decision)}/appeal")
    with pytest.raises(hearing.SameDecider):
        hearing.find_to_hear(Appeal.objects.get().id, by=carol)


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "no/such"])
def test_an_appeal_that_is_no_form_is_refused_rather_than_lodged_without_its_words(
    refusal: Decision, kind: str
) -> None:
    path = f"{shown(refusal)}/appeal"
    answer = Client().post(path, '{"grounds": "A candle."}', content_type=kind)
    assert answer.status_code == 415
    assert "not_a_form" in answer.content.decode()
    assert not Appeal.objects.exists()


def test_second_appeal_is_refused_and_shows_the_first(refusal: Decision) -> None:
    path = shown(refusal)
    Client().post(f"{path}/appeal", {"grounds": "A candle."})
    again = Client().post(f"{path}/appeal", {"grounds": "Once more."})
    assert again.status_code == 409
    page = again.content.decode()
    assert "already appealed" in page
    assert "A candle." in page
    assert Appeal.objects.count() == 1


def test_appeal_of_the_owner_and_of_the_holder_is_one(refusal: Decision, alice: User) -> None:
    hearing.lodge(refusal, by=alice, grounds="Mine.", at=timezone.now())
    path = shown(refusal)
    assert Client().post(f"{path}/appeal").status_code == 409
    page = opened(f"{path}/appeal")
    assert "Received" in page
    assert "Mine." not in page


def test_token_of_one_decision_appeals_against_no_other(alice: User) -> None:
    one, other = refused_by_machine(alice), refused_by_machine(alice)
    holds = addresses.find(shown(one).rpartition("/")[2], at=timezone.now())
    with pytest.raises(hearing.NotAppealable):
        hearing.lodge(other, holds=holds, grounds="", at=timezone.now())


def test_appeal_with_bad_input_comes_back_with_what_was_typed(refusal: Decision) -> None:
    path = f"{shown(refusal)}/appeal"
    answer = Client().post(path, {"grounds": "Why <b>me</b>?", "email": "nobody"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Why &lt;b&gt;me&lt;/b&gt;?" in page
    assert 'value="nobody"' in page
    assert Client().post(path, {"grounds": "x" * 4001}).status_code == 422
    assert not Appeal.objects.exists()


def test_receipt_and_outcome_are_mailed_and_the_address_forgotten(
    refusal: Decision, carol: User
) -> None:
    path = f"{shown(refusal)}/appeal"
    Client().post(path, {"grounds": "A candle.", "email": "eve@example.org"})
    appeal = Appeal.objects.get()
    mails.mail_appeal_received(appeal.id)
    hearing.hear(appeal, by=carol, outcome="reversed", reasons="Indeed.", at=timezone.now())
    mails.mail_appeal(appeal.id)
    received, decided = mail.outbox
    assert received.to == decided.to == ["eve@example.org"]
    assert settings.PUBLIC_URL + path in received.body
    assert settings.PUBLIC_URL + path in decided.body
    assert "candle" not in f"{received.body} {decided.body}"
    appeal.refresh_from_db()
    assert appeal.email == ""
    mails.mail_appeal(appeal.id)  # a ticket that comes twice
    assert len(mail.outbox) == 2


def test_no_mail_without_an_address(refusal: Decision) -> None:
    Client().post(f"{shown(refusal)}/appeal")
    mails.mail_appeal_received(Appeal.objects.get().id)
    assert not mail.outbox


def test_outcome_is_shown_with_its_reasons(refusal: Decision, carol: User) -> None:
    path = shown(refusal)
    Client().post(f"{path}/appeal")
    hear = {"outcome": "upheld", "reasons": "It shows <nudity>."}
    hearing.hear(Appeal.objects.get(), by=carol, at=timezone.now(), **hear)  # type: ignore[arg-type] # parametrized
    page = opened(f"{path}/appeal")
    assert "Decision upheld" in page
    assert "It shows &lt;nudity&gt;." in page
    assert "carol" not in page


@pytest.fixture
def delivered(monkeypatch: pytest.MonkeyPatch) -> dict[str, Delivered]:
    """What the rooms above say that came of it."""
    said = {"now": Delivered("making")}
    monkeypatch.setattr(deliverable_pictures, "_sources", {"test": lambda *_: said["now"]})
    return said


def test_overturned_decision_leads_to_its_picture(
    refusal: Decision, carol: User, delivered: dict[str, Delivered]
) -> None:
    path = shown(refusal)
    one = DeliverablePicture(uuid4(), 512, 512, picture)
    file = f"{path}/pictures/{one.id}"
    delivered["now"] = Delivered("made", (one,))
    assert Client().get(file).status_code == 404
    assert str(one.id) not in opened(path)
    Client().post(f"{path}/appeal")
    hearing.hear(
        Appeal.objects.get(), by=carol, outcome="reversed", reasons="So.", at=timezone.now()
    )
    delivered["now"] = Delivered("making")
    assert "is being made now" in opened(path)
    delivered["now"] = Delivered("made", (one,))
    assert file in opened(f"{path}/appeal")
    answer = Client().get(f"{file}?download")
    assert answer.content == picture()
    assert "attachment" in answer["Content-Disposition"]
    assert "no-store" in answer["Cache-Control"]
    assert Client().get(f"{path}/pictures/{uuid4()}").status_code == 404


def address_of_hold(case: ReviewCase) -> str:
    return addresses.addresses_of_held([case.subject_id])[case.subject_id]


def test_what_is_held_waits_for_a_person_with_a_clock(alice: User) -> None:
    case = prompt_case(alice, at=timezone.now())
    page = opened(path_of(address_of_hold(case)))
    assert "Your prompt waits for a person" in page
    assert f"{case.due_at:%H:%M} UTC" in page
    assert "from now" in page
    assert "Lodge the appeal" not in page
    assert "statue" not in page


def test_what_is_held_cannot_be_appealed_yet(alice: User) -> None:
    case = prompt_case(alice, at=timezone.now())
    answer = Client().post(f"{path_of(address_of_hold(case))}/appeal")
    assert answer.status_code == 409
    assert not Appeal.objects.exists()


def test_address_of_a_hold_shows_what_was_decided_later(alice: User, bob: User) -> None:
    case = prompt_case(alice, at=timezone.now())
    address = address_of_hold(case)
    row, token = claimed(case, bob, at=timezone.now())
    decision = enforcing.decide(
        row, by=bob, action="refuse", reason="nudity", token=token, at=timezone.now()
    )
    assert addresses.address_of(decision) == address
    assert "Your prompt was refused" in opened(path_of(address))


def test_address_of_a_hold_that_was_allowed_leads_to_the_picture(
    alice: User, bob: User, delivered: dict[str, Delivered]
) -> None:
    case, _ = image_case(alice, at=timezone.now())
    path = path_of(address_of_hold(case))
    row, token = claimed(case, bob, at=timezone.now())
    enforcing.decide(
        row, by=bob, action="allow", reason="within_policy", token=token, at=timezone.now()
    )
    assert "It was allowed" in opened(path)


def test_only_what_is_kept_back_has_the_address_of_a_hold(alice: User) -> None:
    held = prompt_case(alice)
    reported = prompt_case(alice, is_reported=True)
    found = addresses.addresses_of_held([held.subject_id, reported.subject_id])
    assert list(found) == [held.subject_id]


def test_pages_are_limited_by_network(refusal: Decision, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_limits._Opened, "rate", "2/min")
    path = shown(refusal)
    answers = [Client().get(path) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1]["Retry-After"] == "60"
    assert Client(REMOTE_ADDR="192.0.2.7").get(path).status_code == 200


def test_appeals_are_limited_by_network(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_limits._Appealed, "rate", "1/hour")
    answers = [Client().post(f"{shown(refused_by_machine(alice))}/appeal") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 429]


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_are_one_appeal(alice: User) -> None:
    path = f"{shown(refused_by_machine(alice, at=timezone.now()))}/appeal"
    barrier = Barrier(3)

    def click() -> int:
        try:
            barrier.wait()
            return Client().post(path).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(lambda _: click(), range(3))) == [302, 409, 409]
    assert Appeal.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_address_asked_for_twice_at_once_is_one(alice: User) -> None:
    decision = refused_by_machine(alice, at=timezone.now())
    barrier = Barrier(2)

    def ask() -> str:
        try:
            barrier.wait()
            return addresses.address_of(decision)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert len(set(pool.map(lambda _: ask(), range(2)))) == 1
    assert PublicAddress.objects.count() == 1
