"""What the Soft Binding Resolution API takes and gives, in the specification's names."""

from typing import Any

from rest_framework import serializers

from config.core.api.strict_serializers import StrictSerializer
from provenance.soft_bindings.manifest_lookup import MOST_RESULTS, MOST_VALUE_CHARACTERS


class MaxResultsSerializer(StrictSerializer):
    """How many matches are wanted; more than the repository gives at once does no harm."""

    maxResults = serializers.IntegerField(  # noqa: N815 - the specification's name
        default=10, min_value=1, help_text=f"At most {MOST_RESULTS} are given."
    )


class SoftBindingSerializer(StrictSerializer):
    alg = serializers.CharField(max_length=100, help_text="soft binding algorithm")
    value = serializers.CharField(
        max_length=MOST_VALUE_CHARACTERS, help_text="the binding's value in base64"
    )


class ContentQuerySerializer(MaxResultsSerializer):
    """What a picture is looked up by besides itself: an algorithm alone, or a hint."""

    alg = serializers.CharField(
        required=False, max_length=100, help_text="the soft binding that alone is looked for"
    )
    hintAlg = serializers.CharField(  # noqa: N815 - the specification's name
        required=False, max_length=100, help_text="algorithm of one that was read in it before"
    )
    hintValue = serializers.CharField(  # noqa: N815 - the specification's name
        required=False,
        max_length=MOST_VALUE_CHARACTERS,
        help_text="that one's value in base64",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("hintAlg" in attrs) != ("hintValue" in attrs):
            raise serializers.ValidationError({"hintAlg": ["It comes with `hintValue`."]})
        return attrs


class ManifestQuerySerializer(StrictSerializer):
    """Whether the manifests of what the picture was made from are wanted too."""

    returnActiveManifest = serializers.BooleanField(  # noqa: N815 - the specification's name
        default=False, help_text="leave out the manifests of what it was made from"
    )


class ManifestMatchSerializer(serializers.Serializer[Any]):
    manifestId = serializers.CharField(  # noqa: N815 - the specification's name
        help_text="the manifest's own name, such as urn:c2pa:…"
    )
    similarityScore = serializers.IntegerField(  # noqa: N815 - the specification's name
        min_value=0, max_value=100
    )


class ManifestMatchesSerializer(serializers.Serializer[Any]):
    matches = ManifestMatchSerializer(many=True)


class SoftBindingAlgorithmSerializer(serializers.Serializer[Any]):
    alg = serializers.CharField()


class SupportedAlgorithmsSerializer(serializers.Serializer[Any]):
    watermarks = SoftBindingAlgorithmSerializer(many=True)
    fingerprints = SoftBindingAlgorithmSerializer(many=True)
