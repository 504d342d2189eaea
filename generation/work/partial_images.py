"""Makes partial pictures of a running request, where a program asked for them: the preview at the
asked size, marked and screened like the picture itself. One that would be held is not shown.
"""

from __future__ import annotations

import logging
from uuid import uuid4

import numpy as np
from PIL import Image

from generation.engine.jobs import StepReport
from generation.models import GenerationRequest
from generation.progress import partials
from moderation.account_status import audiences
from moderation.policy import overlays
from moderation.screening import classify
from provenance.assets import marking
from provenance.marks import visible_label
from provenance.pictures import decoder

logger = logging.getLogger(__name__)


class PartialImages:
    """Of one request: its first picture's previews come in, those that are due go out."""

    def __init__(self, request: GenerationRequest) -> None:
        self._request = request
        self._made = 0

    def offer(self, report: StepReport) -> None:
        """Whatever fails here costs the picture nothing: a partial one is a courtesy."""
        if report.preview is None or self._made >= partials.MOST:
            return
        wanted = partials.wanted(self._request.id)
        if report.step * (wanted + 1) < report.total * (self._made + 1) or self._made >= wanted:
            return
        try:
            png = self._picture(report.preview)
        except Exception:
            logger.exception("a partial picture could not be made")
            return
        if png is not None:
            partials.keep(self._request.id, self._made, png)
            self._made += 1

    def _picture(self, preview: bytes) -> bytes | None:
        size = (self._request.width, self._request.height)
        small = Image.fromarray(decoder.read(preview).pixels)
        pixels = np.asarray(small.resize(size, Image.Resampling.BICUBIC), np.uint8)
        label = visible_label.parse(self._request.label)
        png = marking.embed(pixels, asset_id=uuid4(), label=label).png
        profile = audiences.profile_for(self._request.project)
        overlay = overlays.in_force(self._request.project_id)
        judged = classify.judge_known_image(png, profile=profile, overlay=overlay)
        return png if judged.verdict == "allow" else None
