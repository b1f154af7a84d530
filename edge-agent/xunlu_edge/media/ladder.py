"""Size and frame rate follow the bitrate: fewer, smaller pictures that are sharp, not many that are mush."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One step of the ladder.

    Attributes:
        from_bps: the least video bitrate at which it is worth it.
        height: lines of the picture.
        fps: pictures a second.
    """

    from_bps: int
    height: int
    fps: float


# About 0.08 bit for each pixel: what a scene worn on the chest, all in motion, needs in baseline H.264.
LADDER = (
    Step(from_bps=0, height=180, fps=8),
    Step(from_bps=150_000, height=240, fps=12),
    Step(from_bps=300_000, height=360, fps=15),
    Step(from_bps=600_000, height=480, fps=20),
    Step(from_bps=1_000_000, height=720, fps=20),
    Step(from_bps=1_400_000, height=720, fps=25),
    Step(from_bps=2_800_000, height=1080, fps=25),
    Step(from_bps=5_000_000, height=1440, fps=25),
)
# A step up must be this much more than just affordable: every change of size costs a keyframe.
CLIMB = 1.2


def step_for(bitrate_bps: float, now: Step | None = None) -> Step:
    """The step for a bitrate, reluctant to leave `now` upwards.

    Args:
        bitrate_bps: what the encoder may spend.
        now: the step in use, None at the beginning.
    """
    chosen = LADDER[0]
    for step in LADDER:
        higher = now is not None and step.from_bps > now.from_bps
        if bitrate_bps >= step.from_bps * (CLIMB if higher else 1):
            chosen = step
    return chosen


def size_within(width: int, height: int, height_max: int) -> tuple[int, int]:
    """Width and height of a picture scaled down to `height_max` lines, never up, both even as 4:2:0 wants them."""
    lines = min(height, height_max)
    return max(2, round(width * lines / height / 2) * 2), max(2, lines // 2 * 2)
