"""Who sees which adapter, and who may render with it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser, User

from adapters.access import visibility
from adapters.access.visibility import Search
from adapters.models import Adapter, AdapterShare
from tests.factories import NOON, make_adapter, make_model

pytestmark = pytest.mark.django_db
State, Visibility = Adapter.State, Adapter.Visibility


def slugs(found: object) -> set[str]:
    return {adapter.slug for adapter in found}  # type: ignore[attr-defined] # a query set


@pytest.fixture
def cast(alice: User) -> None:
    """One adapter in each state that matters; alice owns all but the shipped one."""
    model = make_model()
    make_adapter(model, slug="shipped")
    private = {"owner": alice, "state": State.ACCEPTED, "visibility": Visibility.PRIVATE}
    make_adapter(model, slug="private", **private)
    make_adapter(model, slug="linked", **private | {"visibility": Visibility.LINK})
    make_adapter(model, slug="public", owner=alice)
    make_adapter(model, slug="rejected", code="unknown_keys", **private | {"state": State.REJECTED})
    withdrawn = private | {"state": State.WITHDRAWN, "withdrawn_at": NOON}
    make_adapter(model, slug="withdrawn", **withdrawn)


@pytest.mark.usefixtures("cast")
def test_owner_sees_all_of_theirs_and_uses_what_is_ready(alice: User) -> None:
    model = visibility.find_model(None)
    assert slugs(visibility.visible_to(alice)) == {
        "shipped", "private", "linked", "public", "rejected", "withdrawn",
    }  # fmt: skip
    assert slugs(visibility.usable_by(alice, model)) == {"shipped", "private", "linked", "public"}


@pytest.mark.usefixtures("cast")
def test_stranger_sees_and_uses_what_is_public(mallory: User) -> None:
    model = visibility.find_model(None)
    assert slugs(visibility.visible_to(mallory)) == {"shipped", "public"}
    assert slugs(visibility.usable_by(mallory, model)) == {"shipped", "public"}
    assert slugs(visibility.usable_by(AnonymousUser(), model)) == {"shipped", "public"}
    with pytest.raises(visibility.AdapterNotFound):
        visibility.find_visible("private", by=mallory)
    with pytest.raises(visibility.AdapterNotUsable):
        visibility.find_adapter("linked", by=mallory, base_model=model)


@pytest.mark.usefixtures("cast")
def test_a_link_opens_one_adapter_until_its_owner_takes_it_back(mallory: User) -> None:
    linked = Adapter.objects.get(slug="linked")
    AdapterShare.objects.create(
        adapter=linked, user=mallory, share_key=linked.share_key, opened_at=NOON
    )
    assert slugs(visibility.visible_to(mallory)) == {"shipped", "public", "linked"}
    linked.share(Visibility.LINK)  # a new link: the old one opens nothing
    assert slugs(visibility.visible_to(mallory)) == {"shipped", "public"}


def test_an_adapter_of_another_model_cannot_be_used(alice: User) -> None:
    first, other = make_model(), make_model(slug="other", is_default=False)
    make_adapter(other, slug="elsewhere")
    with pytest.raises(visibility.AdapterNotUsable, match="elsewhere"):
        visibility.find_adapter("elsewhere", by=alice, base_model=first)


def test_find_model_tells_unknown_from_none() -> None:
    with pytest.raises(visibility.NoModel):
        visibility.find_model(None)
    make_model(is_active=False)
    with pytest.raises(visibility.ModelNotRegistered):
        visibility.find_model("tiny")


@pytest.mark.usefixtures("cast")
@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Search(text="Ship"), ["shipped"]),
        (Search(text="ink"), ["fine", "linked"]),
        (Search(whose="mine", sort="name"), ["fine", "linked", "private", "public", "rejected"]),
        (Search(whose="shared"), ["shipped"]),
        (Search(rank_max=2), ["fine"]),
        (Search(model="no-such-model"), []),
        (Search(sort="rank", text="i", rank_max=4, whose="mine"), ["fine", "linked", "private",
                                                                   "public"]),
    ],
)  # fmt: skip
def test_search_narrows_and_orders(alice: User, wanted: Search, expected: list[str]) -> None:
    make_adapter(
        visibility.find_model(None), slug="fine", name="Fine", tags=["ink"], rank=2, owner=alice,
        state=State.ACCEPTED, visibility=Visibility.PRIVATE,
    )  # fmt: skip
    found = [adapter.slug for adapter in visibility.search(wanted, by=alice)]
    assert (found if wanted.sort != "newest" else sorted(found)) == [
        slug for slug in expected if slug != "rejected" or wanted.rank_max is None
    ]
