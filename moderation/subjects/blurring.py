"""A blurred stand-in for a picture, so that what it shows is guessed and not seen. Pure."""

from io import BytesIO

from PIL import Image, ImageFilter

from provenance.pictures import decoder

SIDE = 48  # pixels of the longer side before it is blurred: no detail is left to sharpen
SHOWN_SIDE = 512
RADIUS = 2.5


def blurred(data: bytes) -> bytes:
    """PNG of the same shape, blurred in colour. Raises decoder.PictureUnreadable."""
    image = Image.fromarray(decoder.read(data).pixels)
    width, height = image.size
    scale = SHOWN_SIDE / max(width, height)
    image.thumbnail((SIDE, SIDE))
    small = image.filter(ImageFilter.GaussianBlur(RADIUS))
    large = small.resize((round(width * scale), round(height * scale)), Image.Resampling.BICUBIC)
    out = BytesIO()
    large.save(out, "PNG")
    return out.getvalue()
