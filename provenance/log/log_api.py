"""Proofs of the log for programs: public, free, without an account."""

import base64
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from config.core.api.problem_schema import problems
from config.core.api.view import ApiView
from provenance.log import transparency_log


class ConsistencySerializer(serializers.Serializer[Any]):
    old_size = serializers.IntegerField()
    size = serializers.IntegerField()
    proof = serializers.ListField(child=serializers.CharField())


class ConsistencyView(ApiView):
    """Whether the log only grew."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="log_consistency",
        summary="Proof that one tree is a prefix of a later one",
        responses={
            200: ConsistencySerializer,
            **problems(
                _404="`not_in_log`: the log is not that large yet.",
                _422="`consistency_proof_invalid`: sizes out of order.",
            ),
        },
    )
    def get(self, request: Request, old_size: int, size: int) -> Response:
        """Digests in base64, as RFC 6962 orders them; compare the roots with signed checkpoints."""
        proof = [
            base64.b64encode(each).decode()
            for each in transparency_log.prove_consistency(old_size, size)
        ]
        return Response({"old_size": old_size, "size": size, "proof": proof})
