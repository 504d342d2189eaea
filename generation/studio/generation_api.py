"""The API of requests: submit, list, look at, cancel and delete; and the models they may name."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from adapters.access import visibility
from config.core.api.paging import NewestFirst, SizedPageSerializer
from config.core.api.problem_schema import problems
from config.core.api.signed_in_view import SignedInView
from config.core.projects import calling
from generation.gallery.list_filters import narrowed
from generation.requests import admission, submitting
from generation.studio import own_requests
from generation.studio.estimate_serializers import EstimateSerializer
from generation.studio.generation_serializers import (
    GenerationFilterSerializer,
    GenerationPageSerializer,
    GenerationSerializer,
    answer,
    generation_context,
)
from generation.studio.model_serializers import ModelSerializer
from generation.studio.parameter_serializers import ParametersSerializer, parameters_of


class Generations(SignedInView):
    """Its owner: lists requests, or asks for images."""

    key_scope = {"GET": "read", "POST": "generate"}

    @extend_schema(
        operation_id="generations_list",
        summary="List your requests, newest first",
        parameters=[GenerationFilterSerializer, SizedPageSerializer],
        responses={200: GenerationPageSerializer},
    )
    def get(self, request: Request) -> Response:
        """Those of the live page are left out; filters narrow the list."""
        rows = narrowed(
            own_requests.requests_of(self.user(), self.asked.get("project")),
            self.asked,
            columns={"status": "status", "model": "model__slug"},
        )
        pages = NewestFirst()
        found: Any = pages.paginate_queryset(rows, request, view=self) or []
        context = generation_context(found, request)
        return pages.get_paginated_response(
            GenerationSerializer(found, many=True, context=context).data
        )

    @extend_schema(
        operation_id="generations_create",
        summary="Ask for an image, or for up to four",
        description="Prompt and picture are screened first; follow the request under its `url`.",
        request=ParametersSerializer,
        parameters=[
            OpenApiParameter(
                "Idempotency-Key",
                str,
                OpenApiParameter.HEADER,
                description="Your own name for this request, at most 200 characters. The same key "
                "with the same body answers with the first request for 24 hours.",
            ),
            OpenApiParameter(
                calling.END_USER_HEADER,
                str,
                OpenApiParameter.HEADER,
                description="Whom you ask for, as you call them, at most 4,096 bytes. A digest is "
                "kept of it.",
            ),
        ],
        responses={
            201: GenerationSerializer,
            200: OpenApiResponse(GenerationSerializer, "The key's earlier request."),
            **problems(
                _410="The key's request was deleted.",
                _422="The model cannot do this, or the key was used for another body.",
            ),
        },
    )
    def post(self, request: Request) -> Response:
        made = submitting.submit(
            parameters_of(request.data),
            by=calling.caller_of(request),
            at=timezone.now(),
            idempotency_key=request.headers.get("Idempotency-Key"),
        )
        body = answer(made.request, request)
        return Response(body, status=201 if made.is_new else 200, headers={"Location": body["url"]})


class EstimateView(SignedInView):
    """Its owner: what a request would cost, before it is made."""

    key_scope = "read"

    @extend_schema(
        operation_id="generations_estimate",
        summary="What a request would cost, and how long it would wait",
        request=ParametersSerializer,
        responses={
            200: EstimateSerializer,
            **problems(_422="The model cannot do this."),
        },
    )
    def post(self, request: Request) -> Response:
        """Nothing is stored or begun; with it, what the account has used."""
        parameters, now = parameters_of(request.data), timezone.now()
        expected = submitting.estimate(parameters, by=self.user(), at=now)
        usage = admission.usage_of(self.user(), at=now)
        return Response(EstimateSerializer(asdict(expected) | {"usage": asdict(usage)}).data)


class GenerationView(SignedInView):
    """Its owner: looks at a request, or deletes it."""

    key_scope = {"GET": "read", "DELETE": "generate"}

    @extend_schema(
        operation_id="generations_retrieve",
        summary="Look at one request",
        responses={200: GenerationSerializer, **problems(_404="It is not among yours.")},
    )
    def get(self, request: Request, request_id: UUID) -> Response:
        """Where it stands, its images so far, and why it was refused or failed."""
        return Response(answer(own_requests.find_request(request_id, by=self.user()), request))

    @extend_schema(
        operation_id="generations_destroy",
        summary="Delete an ended request with its images",
        responses={
            204: None,
            **problems(_404="It is not among yours.", _409="It still runs or is under review."),
        },
    )
    def delete(self, request: Request, request_id: UUID) -> Response:
        """Its texts and files go; what was logged and decided about it stays."""
        own_requests.delete_request(request_id, by=self.user(), at=timezone.now())
        return Response(status=204)


class Cancel(SignedInView):
    """Its owner: ends a request that has not ended yet."""

    key_scope = "generate"

    @extend_schema(
        operation_id="generations_cancel",
        summary="Cancel a request",
        description="At once while it waits; before its next step while it runs.",
        request=None,
        responses={
            200: GenerationSerializer,
            **problems(_404="It is not among yours.", _409="It has already ended."),
        },
    )
    def post(self, request: Request, request_id: UUID) -> Response:
        own_requests.cancel(request_id, by=self.user(), at=timezone.now())
        return Response(answer(own_requests.find_request(request_id, by=self.user()), request))


class Models(SignedInView):
    """Anybody with an account: the models that requests may name."""

    key_scope = "read"

    @extend_schema(
        operation_id="models_list",
        summary="List the models, the default one first",
        responses={200: ModelSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        """With the sizes, steps and limits that a request may name."""
        return Response(ModelSerializer(visibility.active_models(), many=True).data)
