"""Which models and adapters a person may see, and which they may render with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from django.db.models import Q, QuerySet

from adapters.models import Adapter, AdapterRows, BaseModel
from config.core.errors import ProofsheetError
from config.core.ownership import ACTING, Person, projects_of

Whose = Literal["", "mine", "shared"]
Sort = Literal["newest", "name", "rank", "size"]
ORDERS: dict[Sort, tuple[str, ...]] = {
    "newest": ("-created_at", "slug"),
    "name": ("name", "slug"),
    "rank": ("rank", "name", "slug"),
    "size": ("size_bytes", "name", "slug"),
}


class ModelNotRegistered(ProofsheetError):
    """A model was named that is not active here."""

    default_code = "model_not_registered"
    default_status = 422
    default_message = "That model is not registered here."
    default_advice = "Choose one of the models that the studio lists."


class NoModel(ProofsheetError):
    """There is no active model at all, so nothing can be rendered."""

    default_code = "no_model"
    default_status = 503
    default_message = "No model has been registered yet."
    default_advice = "Ask the operator to run `manage.py register_starter`."


class AdapterNotUsable(ProofsheetError):
    """Unknown, someone else's, withdrawn or for another model: told apart to nobody."""

    default_code = "adapter_not_usable"
    default_status = 422
    default_message = "That adapter cannot be used with this model."
    default_advice = "Choose one of the adapters that the studio lists for the model."


class AdapterNotFound(ProofsheetError):
    """Also what a stranger is told: whether a private adapter exists is its owner's business."""

    default_code = "adapter_not_found"
    default_status = 404
    default_message = "There is no such adapter in your catalogue."
    default_advice = "It may be private or withdrawn; the catalogue lists what you can use."


@dataclass(frozen=True, slots=True)
class Search:
    """What narrows and orders a catalogue page. Empty values narrow nothing."""

    text: str = ""
    model: str = ""
    rank_max: int | None = None
    whose: Whose = ""
    project: UUID | None = None
    sort: Sort = "newest"


def active_models() -> QuerySet[BaseModel]:
    """The models that can be asked for, the default one first."""
    return BaseModel.objects.filter(is_active=True).order_by("-is_default", "name")


def find_model(slug: str | None) -> BaseModel:
    """The active model of that name, the default one for no name.

    Raises ModelNotRegistered, NoModel.
    """
    if slug:
        model = active_models().filter(slug=slug).first()
        if model is None:
            raise ModelNotRegistered
        return model
    model = active_models().first()
    if model is None:
        raise NoModel
    return model


def visible_to(user: Person) -> AdapterRows:
    """Adapters that `user` may look at, with their models and owners."""
    return Adapter.objects.visible_to(user).select_related("base_model", "owner")


def find_visible(slug: str, *, by: Person) -> Adapter:
    """Raises AdapterNotFound."""
    adapter = visible_to(by).prefetch_related("examples").filter(slug=slug).first()
    if adapter is None:
        raise AdapterNotFound
    return adapter


def twin_of(adapter: Adapter, *, by: Person) -> Adapter | None:
    """The first of the adapters that `by` may use whose layers are the same, number by number,
    whatever it is called; None where this one is the first."""
    same = Q(sha256=adapter.sha256)
    if adapter.content_sha256:
        same |= Q(content_sha256=adapter.content_sha256)
    earlier = visible_to(by).usable().filter(same, created_at__lt=adapter.created_at)
    return earlier.exclude(pk=adapter.pk).order_by("created_at", "slug").first()


def search(wanted: Search, *, by: Person) -> QuerySet[Adapter]:
    """What `by` may see of the catalogue, narrowed and ordered. Withdrawn ones are left out."""
    found = visible_to(by).exclude(state=Adapter.State.WITHDRAWN).prefetch_related("examples")
    if text := wanted.text.strip():
        found = found.filter(
            Q(name__icontains=text)
            | Q(trigger__icontains=text)
            | Q(description__icontains=text)
            | Q(tags__contains=[text.lower()])
        )
    if wanted.model:
        found = found.filter(base_model__slug=wanted.model)
    if wanted.rank_max:
        found = found.filter(rank__lte=wanted.rank_max)
    if wanted.project:
        found = found.current_of(by, wanted.project)
    match wanted.whose:
        case "mine":
            found = found.current_of(by)
        case "shared":
            found = found.filter(Q(owner_id__isnull=True) | ~Q(owner_id=by.pk))
    return found.order_by(*ORDERS[wanted.sort])


def acts_in(by: Person) -> frozenset[UUID]:
    """The projects whose adapters `by` may change, and sees the reports of."""
    return frozenset(projects_of(by, roles=ACTING).values_list("pk", flat=True))


def usable_by(user: Person, base_model: BaseModel) -> QuerySet[Adapter]:
    """Adapters of `base_model` that `user` may render with: what the user sees, if it is ready."""
    return visible_to(user).usable().filter(base_model=base_model).order_by("name")


def find_adapter(slug: str, *, by: Person, base_model: BaseModel) -> Adapter:
    """The adapter that `by` renders with. Raises AdapterNotUsable."""
    adapter = usable_by(by, base_model).filter(slug=slug).first()
    if adapter is None:
        raise AdapterNotUsable(message=f"The adapter “{slug[:64]}” cannot be used with this model.")
    return adapter
