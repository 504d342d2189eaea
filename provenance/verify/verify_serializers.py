"""The shape of a verify report, for the API's schema."""

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from config.core.api.links import UploadField
from config.core.api.strict_serializers import StrictSerializer
from provenance.verify.verdicts import MarkVerdict


class SubmissionSerializer(StrictSerializer):
    file = UploadField(help_text="a PNG, JPEG, WebP, AVIF or HEIC picture", required=False)
    url = serializers.URLField(help_text="its public address, instead of a file", required=False)


class AddressSerializer(StrictSerializer):
    url = serializers.URLField(
        help_text="the public address of a PNG, JPEG, WebP, AVIF or HEIC picture"
    )


class CheckSerializer(serializers.Serializer[Any]):
    verdict = serializers.ChoiceField(choices=[verdict.value for verdict in MarkVerdict])
    sentence = serializers.CharField(help_text="what was found, in one plain sentence")
    proves = serializers.CharField(help_text="what that proves, and what it does not")


class IngredientSerializer(serializers.Serializer[Any]):
    title = serializers.CharField()
    relationship = serializers.CharField()
    depth = serializers.IntegerField()
    issues = serializers.ListField(child=serializers.CharField())
    finding = serializers.ChoiceField(
        choices=[
            "holds",
            "unknown_signer",
            "no_credentials",
            "not_checked",
            "bad_signer",
            "changed",
            "damaged",
        ],
        help_text="what its own credentials were worth when it went in, or are today",
    )
    signer = serializers.CharField(allow_null=True)
    claim_generator = serializers.CharField(allow_null=True)
    is_generated = serializers.BooleanField()


class ManifestCheckSerializer(CheckSerializer):
    state = serializers.ChoiceField(choices=["absent", "unreadable", "invalid", "valid", "trusted"])
    issues = serializers.ListField(child=serializers.CharField())
    ingredients = IngredientSerializer(many=True)
    visible_label = serializers.CharField(
        allow_null=True, help_text="the text that was drawn on the picture, as the credentials say"
    )
    unchecked = serializers.ListField(
        child=serializers.CharField(), help_text="what could not be checked, or is not checked here"
    )


class SignerCheckSerializer(CheckSerializer):
    name = serializers.CharField(allow_null=True)
    vouched_by = serializers.ChoiceField(
        choices=["this_system", "trust_list"],
        allow_null=True,
        help_text="who knows the signer; only what this system vouches for can be its own",
    )


class LogCheckSerializer(CheckSerializer):
    index = serializers.IntegerField(allow_null=True)
    tree_size = serializers.IntegerField(allow_null=True)


class GeometrySerializer(serializers.Serializer[Any]):
    scale = serializers.FloatField()
    rotation_degrees = serializers.FloatField()
    stretch = serializers.FloatField()
    is_mirrored = serializers.BooleanField()
    is_negative = serializers.BooleanField()


class WatermarkCheckSerializer(CheckSerializer):
    id = serializers.CharField(allow_null=True)
    confidence = serializers.FloatField()
    geometry = GeometrySerializer(allow_null=True)


class PartSerializer(serializers.Serializer[Any]):
    left = serializers.FloatField()
    top = serializers.FloatField()
    width = serializers.FloatField()
    height = serializers.FloatField()


class FingerprintCheckSerializer(CheckSerializer):
    distance = serializers.IntegerField(allow_null=True)
    kept = serializers.FloatField(
        allow_null=True, help_text="share of the record's detail that the picture still shows"
    )
    changed = PartSerializer(
        many=True, help_text="what differs from the record, as shares of width and height"
    )
    beside = PartSerializer(
        many=True, help_text="what lies beside the picture that the record is of, likewise"
    )


class DisclosureSerializer(serializers.Serializer[Any]):
    provider = serializers.CharField()
    system = serializers.CharField()
    version = serializers.CharField()
    created_at = serializers.DateTimeField()
    id = serializers.CharField()
    created_or_altered = serializers.ChoiceField(choices=["created", "altered"])


class GenerationStatementSerializer(serializers.Serializer[Any]):
    sentence = serializers.CharField()
    generator = serializers.CharField(allow_null=True, help_text="the program, as they name it")
    extent = serializers.ChoiceField(
        choices=["whole", "part", "source"],
        help_text="what was generated: the picture, a part, or what it was made from",
    )
    signer = serializers.CharField(allow_null=True)
    is_signer_known = serializers.BooleanField(help_text="by the operator's trust list")


class FileSerializer(serializers.Serializer[Any]):
    sha256 = serializers.CharField()
    mime = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    notes = serializers.ListField(child=serializers.CharField())


@extend_schema_serializer(component_name="Report")
class VerifyReportSerializer(serializers.Serializer[Any]):
    file = FileSerializer()
    checked_at = serializers.DateTimeField()
    detector = serializers.CharField()
    is_ours = serializers.BooleanField()
    is_edited = serializers.BooleanField(
        help_text="ours, with a part of it changed since, or something beside it"
    )
    headline = serializers.CharField()
    manifest = ManifestCheckSerializer()
    signer = SignerCheckSerializer()
    log = LogCheckSerializer()
    watermark = WatermarkCheckSerializer()
    fingerprint = FingerprintCheckSerializer()
    disclosure = DisclosureSerializer(allow_null=True)
    stated = GenerationStatementSerializer(
        allow_null=True, help_text="that sound credentials of somebody else say it was generated"
    )
    disagreements = serializers.ListField(
        child=serializers.CharField(),
        help_text="marks that lead elsewhere than the one that is believed, a sentence each",
    )
    metadata = serializers.DictField(
        child=serializers.CharField(),
        help_text="what XMP in the file says, by property: its origin and China's label for "
        "generated content; anybody can write it, unless the credentials hold",
    )
    is_making_observed = serializers.BooleanField(
        allow_null=True,
        help_text="false for a picture of an archive that was marked late; null without disclosure",
    )
    signed_report = serializers.CharField(help_text="all this as a note that the log's key signed")
    sighting = serializers.CharField(
        allow_null=True,
        help_text="word that you have this picture, for a day: reporting it asks for this",
    )
