"""What lets a client ask for a file's own type by `Accept`."""

from __future__ import annotations

from rest_framework.renderers import JSONRenderer


class FileRenderer(JSONRenderer):
    """Beside the one of JSON: the view answers with the file, a problem is still told in JSON."""

    media_type = "*/*"
    format = "file"
