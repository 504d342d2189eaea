"""Serializers of what is sent: a member that is not known is refused by its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from rest_framework import serializers
from rest_framework.settings import api_settings

from config.core.api import json_bodies

CSRF_FIELD = "csrfmiddlewaretoken"
PLURAL = (serializers.ListField, serializers.MultipleChoiceField, serializers.ListSerializer)
IS_QUERY = "is_query"  # in a serializer's context: all that is sent is text
SHOWN = 80  # characters of a stranger's name
NAMED = 20  # of the names that are not known; of the others, how many


def unknown(names: Any, *, known: Any) -> dict[str, list[str]]:
    """What to say of each name that is not known, with the one that was perhaps meant."""
    strange = [name for name in names if name not in known]
    told = {}
    if more := len(strange[NAMED:]):
        told[api_settings.NON_FIELD_ERRORS_KEY] = [f"{more} more members are not known here."]
    for name in strange[:NAMED]:
        close = get_close_matches(str(name)[:SHOWN], list(known), n=1)
        meant = f" Did you mean “{close[0]}”?" if close else ""
        told[str(name)[:SHOWN]] = [f"There is no such member here.{meant}"]
    return told


def repeated(data: Any, *, lists: Any = ()) -> dict[str, list[str]]:
    """What to say of members of a form or a query that come more than once and are no lists."""
    if not isinstance(data, MultiValueDict):
        return {}
    return {
        name[:SHOWN]: ["It comes more than once; send it once."]
        for name, values in data.lists()
        if len(values) > 1 and name not in lists
    }


def _items(name: str, parts: Sequence[Any]) -> list[dict[str, Any]]:
    """Raises ValidationError."""
    found: list[Any] = []
    for part in parts:
        try:
            said = json_bodies.read(str(part)) if part else []
        except ValueError as error:
            wrong = {name: ["In a form this is JSON, such as [{…}]."]}
            raise serializers.ValidationError(wrong) from error
        found += said if isinstance(said, list) else [said]
    if not all(isinstance(item, dict) for item in found):
        raise serializers.ValidationError({name: ["Each item is an object."]})
    return found


def _not_text(data: Mapping[Any, Any], fields: Mapping[str, Any]) -> dict[str, list[str]]:
    """What to say of JSON's numbers where text belongs, which would be taken as their digits."""
    return {
        name: ["Send text."]
        for name, field in fields.items()
        if isinstance(field, serializers.CharField)
        and isinstance(data.get(name), int | float)
        and not isinstance(data.get(name), bool)  # said by the field itself
    }


def _not_boolean(
    data: Mapping[Any, Any], fields: Mapping[str, Any], *, is_text: bool
) -> dict[str, list[str]]:
    """What to say of other spellings of yes and no, of which DRF knows a dozen."""
    spellings = ("true", "false") if is_text else (True, False, None)
    return {
        name: ["Send true or false."]
        for name, field in fields.items()
        if isinstance(field, serializers.BooleanField)
        and name in data
        and not any(data[name] is said or str(data[name]).lower() == said for said in spellings)
    }


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses members that it does not name, and members of a form that come twice.

    Nothing that was sent is dropped without a word: who writes `stepps` learns it.
    """

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if isinstance(data, Mapping) and (told := self._refused(data)):
            raise serializers.ValidationError(told)
        return super().run_validation(data)

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(
            self._with_json_parts(data) if isinstance(data, QueryDict) else data
        )

    def _with_json_parts(self, form: QueryDict) -> QueryDict:
        """The form with each nested member that came as JSON, whole or an item a part, spelt as
        forms spell them (`adapters[0]slug`): otherwise it would be left out."""
        nested = [
            name
            for name, field in self.fields.items()
            if isinstance(field, serializers.ListSerializer) and name in form
        ]
        if not nested:
            return form
        spelt = form.copy()
        for name in nested:
            for index, item in enumerate(_items(name, spelt.pop(name))):
                for part, value in item.items():
                    if value is not None:
                        spelt[f"{name}[{index}]{part}"] = str(value)
        return spelt

    def _refused(self, data: Mapping[Any, Any]) -> dict[str, list[str]]:
        fields = self.fields
        if not isinstance(data, MultiValueDict):
            told = unknown(data, known=fields) | _not_text(data, fields)
            return told | _not_boolean(data, fields, is_text=IS_QUERY in self.context)
        lists = [name for name, field in fields.items() if isinstance(field, PLURAL)]
        # A form of a page may carry the token that its session's requests need.
        names = dict.fromkeys(name.partition("[")[0] or name for name in data if name != CSRF_FIELD)
        told = unknown(names, known=fields) | repeated(data, lists=lists)
        return told | _not_boolean(data, fields, is_text=True)
