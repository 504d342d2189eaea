"""What a tool is told of a call that cannot be read."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import ValidationError

from generation.compat.mcp import tool_answers


def test_what_is_wrong_within_a_list_is_told_by_its_path() -> None:
    wrong: dict[str, Any] = {
        "adapters": [{}, {"weight": ["A valid number is required."]}],
        "size": {"0": {"width": ["It is too large."]}},
        "prompt": "The prompt is empty.",
    }
    told = tool_answers.of_wrong_arguments(ValidationError(wrong))
    assert told.is_error
    said = (told.structured_content or {})["errors"]
    assert said == {
        "adapters.1.weight": "A valid number is required.",
        "size.0.width": "It is too large.",
        "prompt": "The prompt is empty.",
    }
