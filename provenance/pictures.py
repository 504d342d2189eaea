"""Reading a picture that a stranger sent: the house's one decoder. Known formats only, bounded,
never more than one frame.

Whatever the bytes hold, the answer is a `Picture` or one of the named exceptions. What is small and
plain is decoded here; what is large, has a colour profile, or is coded in a way that is dearer or
riskier to decode goes to a process of its own (ADR 66).
"""

from provenance import picture_files, picture_pixels, picture_room
from provenance.picture_errors import ACCEPT as ACCEPT
from provenance.picture_errors import COPY_LOSES as COPY_LOSES
from provenance.picture_errors import MIN_SIDE as MIN_SIDE
from provenance.picture_errors import Mime as Mime
from provenance.picture_errors import NotAPicture as NotAPicture
from provenance.picture_errors import PictureAnimated as PictureAnimated
from provenance.picture_errors import PictureEmpty as PictureEmpty
from provenance.picture_errors import PictureTooCostly as PictureTooCostly
from provenance.picture_errors import PictureTooSmall as PictureTooSmall
from provenance.picture_errors import PictureUnreadable as PictureUnreadable
from provenance.picture_errors import TooManyPixels as TooManyPixels
from provenance.picture_files import MAX_PIXELS as MAX_PIXELS
from provenance.picture_files import PictureFile
from provenance.picture_files import mime_of as mime_of
from provenance.picture_pixels import LOOKED_AT_PIXELS
from provenance.picture_pixels import Picture as Picture


def read(data: bytes) -> Picture:
    """The picture in a file, shrunk to at most about four megapixels.

    Raises `PictureUnreadable` and its kinds, `gate.Busy`, and nothing else.
    """
    file = picture_files.inspect(data)
    if _is_plain(file):
        return picture_pixels.decode(file)
    return picture_room.read(data)


def read_whole(data: bytes) -> Picture:
    """The picture in a file of the house's own or its operator's, at its full size. Raises as
    `read`.
    """
    file = picture_files.inspect(data)
    if _is_plain(file):
        return picture_pixels.decode(file)
    return picture_room.read(data, is_whole=True)


def _is_plain(file: PictureFile) -> bool:
    is_small = 0 < file.width * file.height <= LOOKED_AT_PIXELS
    return is_small and not file.profile and file.depth <= 8
