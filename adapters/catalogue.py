"""Which models and adapters a person may use."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Q, QuerySet

from adapters.models import Adapter, BaseModel
from provenance.errors import ProofsheetError

User = AbstractBaseUser | AnonymousUser


class ModelNotRegistered(ProofsheetError):
    default_code = "model_not_registered"
    default_status = 422
    default_message = "That model is not registered here."
    default_advice = "Choose one of the models that the studio lists."


class NoModel(ProofsheetError):
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


def active_models() -> QuerySet[BaseModel]:
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


def usable_by(user: User, base_model: BaseModel) -> QuerySet[Adapter]:
    """Adapters of `base_model` that `user` may render with: published ones and the user's own."""
    state = Adapter.State
    published = Q(state=state.PUBLISHED, visibility=Adapter.Visibility.PUBLIC)
    own = Q(state__in=(state.ACCEPTED, state.PUBLISHED), owner_id=user.pk)
    return (
        Adapter.objects.filter(base_model=base_model)
        .filter(published | own if user.pk else published)
        .order_by("name")
    )


def find_adapter(slug: str, *, by: User, base_model: BaseModel) -> Adapter:
    adapter = usable_by(by, base_model).filter(slug=slug).first()
    if adapter is None:
        raise AdapterNotUsable(message=f"The adapter “{slug[:64]}” cannot be used with this model.")
    return adapter
