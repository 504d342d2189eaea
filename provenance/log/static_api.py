"""The log as static tiles (C2SP tlog-tiles): digests 256 wide, and bundles of entries."""

from provenance.log import transparency_log
from provenance.log.transparency_log import NotInLog
from provenance.models import Leaf

WIDTH = 256
HEIGHT = 8
MAX_LEVEL = 63 // HEIGHT


def number_from_path(path: str) -> int:
    """The tile's number of `x001/x234/067`."""
    return int(path.replace("x", "").replace("/", ""))


def hash_tile(level: int, number: int, width: int = WIDTH) -> bytes:
    """The digests of a tile, or its first `width`. Raises `NotInLog` where the tree ends before."""
    start = number * WIDTH
    _check_extent(start + width, level)
    places = [(level * HEIGHT, start + offset) for offset in range(width)]
    found = transparency_log.nodes(places)
    return b"".join(found[place] for place in places)


def entry_bundle(number: int, width: int = WIDTH) -> bytes:
    """The bodies of a tile's entries, each after its length in two bytes. Raises `NotInLog`."""
    start = number * WIDTH
    _check_extent(start + width, 0)
    leaves = Leaf.objects.select_related("entry").filter(index__gte=start, index__lt=start + width)
    bodies = [bytes(leaf.entry.body) for leaf in leaves.order_by("index")]
    return b"".join(len(body).to_bytes(2) + body for body in bodies)


def _check_extent(end: int, level: int) -> None:
    if level > MAX_LEVEL or end > transparency_log.latest_checkpoint().tree_size >> (
        HEIGHT * level
    ):
        raise NotInLog(message="The log has no such tile.")
