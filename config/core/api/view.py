"""The view that every address of the API is: what its documentation does not name is refused.

The contract of a method is what `extend_schema` says of it, so the two cannot part: query
parameters are declared as serializers (`parameters=[PageSerializer]`) and read as `self.asked`,
and a method without a declared body takes none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from config.core.api.strict_serializers import IS_QUERY, repeated, unknown


@dataclass(frozen=True, slots=True)
class Contract:
    """`query` are serializers of the parameters, each of some of them."""

    query: tuple[type[serializers.Serializer[Any]], ...]
    has_body: bool


class ApiView(APIView):
    """Raises ValidationError before the method runs, and after it is known who asks."""

    asked: dict[str, Any]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.asked = {}
        handler = getattr(self, str(request.method).lower(), None)
        if handler is None or request.method == "OPTIONS":
            return
        contract = self._contract(handler)
        self.asked = _asked(contract, request)
        if not contract.has_body and request.method not in ("GET", "HEAD"):
            _refuse_body(request)

    def _contract(self, handler: Any) -> Contract:
        """What the method's documentation says that it takes; read once."""
        function = handler.__func__
        if function not in _contracts:
            schema = function.kwargs["schema"]()
            schema.view, schema.method = self, str(self.request.method)
            _contracts[function] = Contract(
                query=tuple(_query(schema.get_override_parameters())),
                has_body=schema.get_request_serializer() is not None,
            )
        return _contracts[function]


_contracts: dict[Any, Contract] = {}


def person(request: Request) -> User:
    """Who calls, behind the permission class that lets nobody else through."""
    assert isinstance(request.user, User)
    return request.user


def _query(parameters: list[Any]) -> Iterator[type[serializers.Serializer[Any]]]:
    for parameter in parameters:
        if not isinstance(parameter, OpenApiParameter):
            yield parameter
        else:
            assert parameter.location != OpenApiParameter.QUERY, "declare it by a serializer"


def _asked(contract: Contract, request: Request) -> dict[str, Any]:
    sent = request.query_params
    known: set[str] = set()
    said: dict[str, Any] = {}
    wrong: dict[str, Any] = dict(repeated(sent))
    for serializer in contract.query:
        names = set(serializer().fields)
        known |= names
        mine = {name: value for name, value in sent.items() if name in names}
        form = serializer(data=mine, context={IS_QUERY: True})
        if form.is_valid():
            said |= form.validated_data
        else:
            wrong |= form.errors
    if wrong := unknown(sent, known=known) | wrong:
        raise serializers.ValidationError(wrong)
    return said


def _refuse_body(request: Request) -> None:
    """An empty object is nothing, as many clients send it with every POST."""
    sent = request.data
    if not sent:
        return
    names = sent if isinstance(sent, Mapping) else ["body"]
    raise serializers.ValidationError(unknown(names, known=()))
