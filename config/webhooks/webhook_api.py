"""The API of a project's webhooks: its endpoints, their secrets, and what was sent to them."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.core.api.paging import Pages, PageSerializer
from config.core.api.problem_schema import problems
from config.core.api.signed_in_view import SignedInView
from config.webhooks import endpoints
from config.webhooks.models import Endpoint
from config.webhooks.webhook_serializers import (
    DeliveryPageSerializer,
    DeliverySerializer,
    EndpointAskSerializer,
    EndpointChangeSerializer,
    EndpointSerializer,
    NewEndpointSerializer,
    SecretSerializer,
)

NOT_SENDABLE = "That address is none that webhooks are sent to."


class NewestDelivery(Pages):
    """The order of the log."""

    ordering = ("-written_at", "id")


class ProjectEndpoints(SignedInView):
    """Owners and developers of a project: its endpoints, and another one."""

    key_scope = "webhooks"

    @extend_schema(
        operation_id="webhooks_list",
        summary="List a project's webhook endpoints",
        responses={200: EndpointSerializer(many=True)},
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        """The oldest first; twenty at most."""
        found = endpoints.of_project(project_id, by=self.user())
        return Response(EndpointSerializer(found, many=True).data)

    @extend_schema(
        operation_id="webhooks_create",
        summary="Have a project's events sent to an address",
        request=EndpointAskSerializer,
        responses={
            201: NewEndpointSerializer,
            **problems(_409="The project has twenty already.", _422=NOT_SENDABLE),
        },
    )
    def post(self, request: Request, project_id: UUID) -> Response:
        """The answer holds the secret, which is shown this once."""
        form = EndpointAskSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        made, secret = endpoints.make(
            project_id, by=self.user(), at=timezone.now(), **form.validated_data
        )
        said = EndpointSerializer(made).data | {"secret": secret}
        return Response(said, status=201)


class OneEndpoint(SignedInView):
    """Owners and developers of a project: one of its endpoints."""

    key_scope = "webhooks"

    def _found(self, project_id: UUID, endpoint_id: UUID) -> Endpoint:
        return endpoints.find(project_id, endpoint_id, by=self.user())

    @extend_schema(
        operation_id="webhooks_read",
        summary="Read a webhook endpoint",
        responses={200: EndpointSerializer},
    )
    def get(self, request: Request, project_id: UUID, endpoint_id: UUID) -> Response:
        """How it is set, and whether it fails."""
        return Response(EndpointSerializer(self._found(project_id, endpoint_id)).data)

    @extend_schema(
        operation_id="webhooks_change",
        summary="Change a webhook endpoint, or switch it off and on",
        request=EndpointChangeSerializer,
        responses={200: EndpointSerializer, **problems(_422=NOT_SENDABLE)},
    )
    def patch(self, request: Request, project_id: UUID, endpoint_id: UUID) -> Response:
        """Its secret stays. What waited goes out when it is switched on."""
        found = self._found(project_id, endpoint_id)
        form = EndpointChangeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        changed = endpoints.change(found, at=timezone.now(), **form.validated_data)
        return Response(EndpointSerializer(changed).data)

    @extend_schema(
        operation_id="webhooks_delete",
        summary="Delete a webhook endpoint with its log",
        responses={204: None},
    )
    def delete(self, request: Request, project_id: UUID, endpoint_id: UUID) -> Response:
        """What waits for it is sent no more."""
        endpoints.delete(self._found(project_id, endpoint_id), at=timezone.now())
        return Response(status=204)


class EndpointRotation(SignedInView):
    """Owners and developers of a project: another secret for an endpoint."""

    key_scope = "webhooks"

    @extend_schema(
        operation_id="webhooks_rotate",
        summary="Change a webhook endpoint's secret",
        responses={200: SecretSerializer, **problems(_409="Three secrets sign already.")},
    )
    def post(self, request: Request, project_id: UUID, endpoint_id: UUID) -> Response:
        """The one of before signs beside it for a day."""
        found = endpoints.find(project_id, endpoint_id, by=self.user())
        return Response({"secret": endpoints.rotate(found, at=timezone.now())})


class EndpointTest(SignedInView):
    """Owners and developers of a project: send an event that says nothing."""

    key_scope = "webhooks"

    @extend_schema(
        operation_id="webhooks_test",
        summary="Send a test event to a webhook endpoint",
        responses={202: DeliverySerializer, **problems(_409="It is switched off.")},
    )
    def post(self, request: Request, project_id: UUID, endpoint_id: UUID) -> Response:
        """Of the type `webhook.test`, whatever the endpoint wants otherwise."""
        found = endpoints.find(project_id, endpoint_id, by=self.user())
        made = endpoints.send_test(found, at=timezone.now())
        return Response(DeliverySerializer(made).data, status=202)


class EndpointDeliveries(SignedInView):
    """Owners and developers of a project: what was sent to an endpoint."""

    key_scope = "webhooks"

    @extend_schema(
        operation_id="webhooks_deliveries",
        summary="List what was and is sent to a webhook endpoint",
        parameters=[PageSerializer],
        responses={200: DeliveryPageSerializer},
    )
    def get(self, request: Request, project_id: UUID, endpoint_id: UUID) -> Response:
        """The newest first, for thirty days, with every attempt."""
        found = endpoints.find(project_id, endpoint_id, by=self.user())
        return NewestDelivery().answer(endpoints.log_of(found), DeliverySerializer, self)


class DeliveryReplay(SignedInView):
    """Owners and developers of a project: send an event once more."""

    key_scope = "webhooks"

    @extend_schema(
        operation_id="webhooks_replay",
        summary="Send an event to a webhook endpoint once more",
        responses={202: DeliverySerializer, **problems(_409="It is switched off.")},
    )
    def post(
        self, request: Request, project_id: UUID, endpoint_id: UUID, delivery_id: UUID
    ) -> Response:
        """With the id that it had, so that whoever has it already can tell."""
        found = endpoints.find(project_id, endpoint_id, by=self.user())
        row = endpoints.replay(found, delivery_id, at=timezone.now())
        return Response(DeliverySerializer(row).data, status=202)
