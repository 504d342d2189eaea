"""How a picture differs in place and scale from the one that was marked. Pure."""

from dataclasses import dataclass, replace

from provenance.marks.watermark_pattern import SIZE, Placing


@dataclass(frozen=True, slots=True)
class Geometry:
    """How the picture differs from the one that was marked: pixels per tile pixel across, degrees
    anticlockwise, mirrored, turned to its negative, and `stretch`, how much more it was enlarged
    downwards than across.

    `matrix` (two rows of three) leads from the plane of folded tiles to the picture's pixels; there
    the marked picture was mirrored, then turned by `quarter_turns` anticlockwise, then moved by the
    offsets and any number of whole tiles.
    """

    scale: float
    rotation_degrees: float
    stretch: float
    is_mirrored: bool
    is_negative: bool
    offset_x: int
    offset_y: int
    quarter_turns: int
    matrix: tuple[tuple[float, float, float], tuple[float, float, float]]

    def of_picture(self, placing: Placing) -> "Geometry":
        """Of the picture, where this is of the tile before it was turned and moved."""
        is_mirrored = self.is_mirrored != (placing.orientation >= 4)
        before = placing.orientation % 4
        turns = (self.quarter_turns + (before if is_mirrored else -before)) % 4
        down, across = placing.row, -placing.column if is_mirrored else placing.column
        for _ in range(turns):
            down, across = -across, down
        degrees = self.rotation_degrees + 90 * (turns - self.quarter_turns)
        return replace(
            self,
            rotation_degrees=round((degrees + 180) % 360 - 180, 2),
            is_mirrored=is_mirrored,
            offset_x=(self.offset_x - across) % SIZE,
            offset_y=(self.offset_y - down) % SIZE,
            quarter_turns=turns,
        )
