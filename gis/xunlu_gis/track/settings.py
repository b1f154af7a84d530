"""What a unit may set about how its tracks are read."""

from dataclasses import dataclass
from typing import Final

YEAR_2020_MS: Final = 1_577_836_800_000


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackSettings:
    """Limits of cleaning, gaps and stops; the defaults suit a patrol that walks and rides.

    Exports show them, because a figure in a report depends on them.

    Attributes:
        box: west, south, east, north of the service, degrees; west above east crosses the antimeridian.
        speed_max_mps: no faster between two believed fixes, above 0.
        rejections_max: so many fixes in a row are rejected for speed; the next one is believed, because a ride on the
            metro looks like a jump.
        spike_s: a move out and back within so many seconds may be a spike; a longer one may be a walk.
        still_mps: below this speed a small move is jitter.
        still_m: a move that is small for every receiver; twice the accuracy is for a bad one.
        hdop_max: a fix with a larger dilution of precision is marked.
        satellites_min: a fix with fewer satellites is marked.
        earliest_ms: no fix is older, UTC milliseconds.
        future_s: a fix time may lie so far after its arrival.
        report_s: interval of reports; None takes the median step of the track.
        gap_reports: so many missed reports are still no gap.
        gap_min_s: nothing shorter is a gap.
        late_s: a fix that arrives longer after its time is back-filled.
        stop_radius_m: of the place where somebody stops.
        stop_min_s: shortest stop.
        stop_fixes_min: fewest fixes of a stop.
        stop_merge_s: longest absence that does not end a stop.
        telemetry_s: telemetry speaks for the device so long.
        signal_min_dbm: below it the radio carries no positions.
    """

    box: tuple[float, float, float, float] = (-180.0, -90.0, 180.0, 90.0)
    speed_max_mps: float = 60.0
    rejections_max: int = 3
    spike_s: float = 15.0
    still_mps: float = 0.5
    still_m: float = 8.0
    hdop_max: float = 5.0
    satellites_min: int = 4
    earliest_ms: int = YEAR_2020_MS
    future_s: float = 60.0
    report_s: float | None = None
    gap_reports: float = 3.0
    gap_min_s: float = 60.0
    late_s: float = 60.0
    stop_radius_m: float = 50.0
    stop_min_s: float = 180.0
    stop_fixes_min: int = 3
    stop_merge_s: float = 60.0
    telemetry_s: float = 180.0
    signal_min_dbm: float = -115.0


DEFAULT: Final = TrackSettings()

ON_FOOT: Final = TrackSettings(speed_max_mps=12.0)
"""For units that never ride."""
