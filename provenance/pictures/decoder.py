"""Reading a picture that a stranger sent: the house's one decoder. Known formats only, bounded,
never more than one frame.

Whatever the bytes hold, the answer is a `Picture` or one of the named exceptions. What is small and
plain is decoded here; what is large, has a colour profile, or is coded in a way that is dearer or
riskier to decode goes to a process of its own (ADR 66).
"""

from provenance.pictures import file_parts, pixel_decoding, sandbox
from provenance.pictures.file_parts import MAX_PIXELS as MAX_PIXELS
from provenance.pictures.file_parts import mime_of as mime_of
from provenance.pictures.pixel_decoding import Picture as Picture
from provenance.pictures.refusals import ACCEPT as ACCEPT
from provenance.pictures.refusals import COPY_LOSES as COPY_LOSES
from provenance.pictures.refusals import MIN_SIDE as MIN_SIDE
from provenance.pictures.refusals import Mime as Mime
from provenance.pictures.refusals import NotAPicture as NotAPicture
from provenance.pictures.refusals import PictureAnimated as PictureAnimated
from provenance.pictures.refusals import PictureEmpty as PictureEmpty
from provenance.pictures.refusals import PictureTooCostly as PictureTooCostly
from provenance.pictures.refusals import PictureTooSmall as PictureTooSmall
from provenance.pictures.refusals import PictureUnreadable as PictureUnreadable
from provenance.pictures.refusals import TooManyPixels as TooManyPixels


def read(data: bytes) -> Picture:
    """The picture in a file, shrunk to at most about four megapixels.

    Raises `PictureUnreadable` and its kinds, `gate.Busy`, and nothing else.
    """
    file = file_parts.inspect(data)
    if pixel_decoding.is_plain(file):
        return pixel_decoding.decode(file)
    return sandbox.read(data)


def read_whole(data: bytes) -> Picture:
    """The picture in a file of the house's own or its operator's, at its full size. Raises as
    `read`.
    """
    file = file_parts.inspect(data)
    if pixel_decoding.is_plain(file):
        return pixel_decoding.decode(file)
    return sandbox.read(data, is_whole=True)
