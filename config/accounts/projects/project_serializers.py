"""What the API of projects takes and gives."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from adapters.models import Adapter, BaseModel
from config.accounts.projects import administering
from config.core.api.strict_serializers import StrictSerializer
from config.core.projects.models import EndUser, Membership, Organisation, Project
from config.models import ApiKey
from generation.request_rules import priority_classes
from moderation.account_status import audiences


class OrganisationSerializer(serializers.ModelSerializer[Organisation]):
    class Meta:
        model = Organisation
        fields = ("name", "contact")
        read_only_fields = fields


class OrganisationChangeSerializer(StrictSerializer):
    contact = serializers.EmailField(allow_blank=True)


class ProjectSerializer(serializers.ModelSerializer[Project]):
    organisation = serializers.CharField(source="organisation.name", default="", read_only=True)
    is_personal = serializers.BooleanField(read_only=True)

    class Meta:
        model = Project
        fields = (
            *("id", "organisation", "is_personal", *administering.SETTINGS),
            *(*administering.GRANTS, "created_at", "closed_at"),
        )
        read_only_fields = fields


class ProjectListSerializer(serializers.Serializer[Any]):
    results = ProjectSerializer(many=True)


class NewProjectSerializer(StrictSerializer):
    name = serializers.CharField(max_length=120)
    organisation = serializers.CharField(max_length=120, required=False)
    contact = serializers.EmailField(required=False)


class SlugListField(serializers.ListField):
    """Slugs of rows that there are; null for all."""

    child = serializers.CharField(max_length=64)

    def __init__(self, *, of: Any, **kwargs: Any) -> None:
        self._known = of
        super().__init__(required=False, allow_null=True, max_length=500, **kwargs)

    def to_internal_value(self, data: Any) -> list[str]:
        said = sorted(set(super().to_internal_value(data)))
        known = set(self._known.objects.filter(slug__in=said).values_list("slug", flat=True))
        if unknown := [slug for slug in said if slug not in known]:
            raise serializers.ValidationError(f"There is none called {unknown[0]}.")
        return said


class ProjectChangeSerializer(StrictSerializer):
    """What is not sent stays as it is."""

    name = serializers.CharField(max_length=120, required=False)
    policy_profile = serializers.CharField(max_length=32, required=False, allow_blank=True)
    allows_adult = serializers.BooleanField(required=False)
    priority_ceiling = serializers.ChoiceField(
        choices=priority_classes.NAMES, required=False, allow_blank=True
    )
    allowed_models = SlugListField(of=BaseModel)
    allowed_adapters = SlugListField(of=Adapter)
    end_user_images_a_day = serializers.IntegerField(required=False, allow_null=True, min_value=0)
    end_user_in_flight = serializers.IntegerField(required=False, allow_null=True, min_value=1)
    retention_days = serializers.IntegerField(required=False, allow_null=True, min_value=1)
    notice_name = serializers.CharField(max_length=120, required=False, allow_blank=True)
    notice_address = serializers.CharField(max_length=300, required=False, allow_blank=True)
    statement_issuer = serializers.ChoiceField(choices=Project.Issuer.choices, required=False)
    refusal_as = serializers.ChoiceField(choices=Project.RefusalAs.choices, required=False)
    images_a_day = serializers.IntegerField(required=False, allow_null=True, min_value=0)
    device_seconds_a_day = serializers.IntegerField(required=False, allow_null=True, min_value=0)
    device_seconds_a_month = serializers.IntegerField(required=False, allow_null=True, min_value=0)
    in_flight = serializers.IntegerField(required=False, allow_null=True, min_value=1)

    def validate_policy_profile(self, name: str) -> str:
        if name and name not in {found.profile for found in audiences.offered()}:
            raise serializers.ValidationError("This site does not offer that profile.")
        return name


class MemberSerializer(serializers.Serializer[Any]):
    username = serializers.CharField(source="user.username")
    role = serializers.ChoiceField(choices=Membership.MemberRole.choices)
    since = serializers.DateTimeField()


class MemberListSerializer(serializers.Serializer[Any]):
    results = MemberSerializer(many=True)


class MemberChangeSerializer(StrictSerializer):
    username = serializers.CharField(max_length=150)
    role = serializers.ChoiceField(
        choices=Membership.MemberRole.choices, allow_null=True, help_text="null lets them go."
    )


class KeySerializer(serializers.ModelSerializer[ApiKey]):
    owner = serializers.CharField(source="owner.username")
    scopes = serializers.ListField(child=serializers.CharField())
    networks = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = ApiKey
        fields = (
            *("id", "name", "hint", "owner", "scopes", "networks", "refusal_as"),
            *("made_at", "expires_at", "last_used_at"),
        )


class KeyListSerializer(serializers.Serializer[Any]):
    results = KeySerializer(many=True)


class EndUserSerializer(serializers.ModelSerializer[EndUser]):
    class Meta:
        model = EndUser
        fields = ("id", "standing", "suspended_until", "first_seen_at", "last_seen_at")


class EndUserPageSerializer(serializers.Serializer[Any]):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = EndUserSerializer(many=True)


class EndUserFilterSerializer(StrictSerializer):
    end_user = serializers.CharField(
        required=False, max_length=4096, help_text="The id as your product sends it, or ours."
    )
    standing = serializers.ChoiceField(choices=EndUser.Standing.choices, required=False)


class EndUserExportSerializer(EndUserSerializer):
    end_user = serializers.CharField()
    requests = serializers.ListField(child=serializers.DictField())
    images = serializers.ListField(child=serializers.DictField())
    uploads = serializers.ListField(
        child=serializers.DictField(), help_text="Pictures that they gave to start from."
    )
    statements = serializers.ListField(child=serializers.DictField())
    appeals = serializers.ListField(child=serializers.DictField())
    suspensions = serializers.ListField(child=serializers.DictField())

    class Meta:
        model = EndUser
        fields = (
            *("end_user", "standing", "suspended_until", "first_seen_at", "last_seen_at"),
            *("requests", "images", "uploads", "statements", "appeals", "suspensions"),
        )
