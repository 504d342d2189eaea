"""The logo under which a project's notices stand: made anew from what was uploaded, so that nothing
of the file itself is ever served.
"""

from __future__ import annotations

from hashlib import sha256
from io import BytesIO
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from PIL import Image

from config.accounts.projects import administering
from config.core.errors import ProofsheetError
from config.core.projects.models import Project
from config.core.storage import private_storage
from moderation.public_notices.issuers import LOGO_MAX_BYTES
from provenance.pictures import decoder
from provenance.pictures.refusals import PictureUnreadable

SIDE_MAX_PX = 512


class LogoUnusable(ProofsheetError):
    """Too large, or no picture."""

    default_code = "logo_unusable"
    default_message = "That is no picture that can be shown as a logo."
    default_advice = f"Send a PNG, JPEG or WebP of at most {LOGO_MAX_BYTES // 1024} KiB."
    default_status = 422


def set_logo(project_id: UUID, file: UploadedFile[Any] | None, *, by: User) -> Project:
    """The picture as the project's logo; none takes it away.

    Raises administering.NoSuchProject, administering.RoleTooLow, LogoUnusable.
    """
    project, _ = administering.find(project_id, by=by, needs=administering.Role.OWNER)
    data = _drawn(file) if file is not None else b""
    storage, before = private_storage(), project.notice_logo
    name = ""
    if data:
        name = storage.save(f"logos/{sha256(data).hexdigest()[:16]}.png", ContentFile(data))
    with transaction.atomic():
        project.notice_logo = name
        project.save(update_fields=["notice_logo"])
        if before:
            transaction.on_commit(lambda: storage.delete(before), robust=True)
    return project


def _drawn(file: UploadedFile[Any]) -> bytes:
    """Its pixels alone, as a PNG that is small enough."""
    if not file.size or file.size > LOGO_MAX_BYTES:
        raise LogoUnusable(message=f"A logo has at most {LOGO_MAX_BYTES // 1024} KiB.")
    try:
        image = Image.fromarray(decoder.read(file.read()).pixels)
    except PictureUnreadable as error:
        raise LogoUnusable from error
    image.thumbnail((SIDE_MAX_PX, SIDE_MAX_PX))
    out = BytesIO()
    image.save(out, "PNG")
    if out.tell() > LOGO_MAX_BYTES:
        raise LogoUnusable(advice="Send a simpler picture, such as a drawing with few colours.")
    return out.getvalue()
