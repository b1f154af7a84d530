"""All zones of an organisation, asked about many fixes at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from xunlu_gis.fence.batch import Batch, known_rows, place_of
from xunlu_gis.fence.event import ZoneEvent
from xunlu_gis.fence.fixes import Fixes, Flags, Numbers
from xunlu_gis.fence.index import ZoneIndex
from xunlu_gis.fence.looks import Hits, Looks, Pairs
from xunlu_gis.fence.ordered import located
from xunlu_gis.fence.rules import FenceRules
from xunlu_gis.fence.schedule import CLOSED
from xunlu_gis.fence.states import INSIDE, PRESENCE, Rows, States
from xunlu_gis.fence.visit import Visit
from xunlu_gis.fence.zone import Zone

BATCH_FIXES: Final = 4096
"""So many fixes at once; more come in turn, so that memory stays bounded where zones overlap by the hundred."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Evaluation:
    """What fixes changed.

    Attributes:
        events: in the order in which they were confirmed.
        states: to begin the next evaluation with.
        late: which of the given fixes are not newer than what the states had heard: they were left out, and the
            stretch they lie in wants another look (`event.revised`), (n,).
        unusable: which of the given fixes have no place or no time, and were left out, (n,).
    """

    events: tuple[ZoneEvent, ...]
    states: States
    late: Flags
    unusable: Flags


class Fences:
    """An index of zones. Built once for a set of zones; building takes about a millisecond for ten.

    Zones whose validity is over may be among them, for looks at the past. A zone that is not among them is not in
    force.
    """

    def __init__(self, zones: Sequence[Zone], rules: FenceRules | None = None) -> None:
        """Index the zones.

        Raises:
            ZoneError: two have the same id.
        """
        self.rules = rules or FenceRules()
        self.index = ZoneIndex(zones)

    def evaluate(self, fixes: Fixes, states: States | None = None) -> Evaluation:
        """Take fixes in order of device and time, and tell who entered, left, or stays too long.

        However a course of fixes is cut into evaluations, events and states are the same.

        Args:
            fixes: of any devices, in any order.
            states: of these devices and any others; a device without one begins with initial states.
        """
        states = states or States()
        usable = fixes.usable
        late = usable & (fixes.time_ms <= known_rows(states, fixes.device)["heard_ms"])
        ordered = fixes[usable & ~late].in_order()
        events: list[ZoneEvent] = []
        for first in range(0, len(ordered), BATCH_FIXES):
            states = self._advance(ordered[first : first + BATCH_FIXES], states, events)
        events.sort(key=lambda event: (event.confirmed_ms, event.device, event.zone, event.at_ms))
        return Evaluation(events=tuple(events), states=states, late=late, unusable=~usable)

    def silence(self, states: States, now_ms: int) -> Evaluation:
        """End the visits of whoever has not been heard of for longer than the longest gap.

        Args:
            states: of any devices.
            now_ms: UTC, less what fixes may take to arrive; whoever ends visits too soon has to withdraw them.
        """
        known = known_rows(states, states.presences["device"])
        silent = known["heard_ms"] + round(self.rules.gap_s * 1000) < now_ms
        events: list[ZoneEvent] = []
        for row, device in zip(states.presences[silent].tolist(), known[silent], strict=True):
            events += Visit(*row).end(place_of(device), now_ms, "gap")
        kept = States(devices=states.devices, presences=states.presences[~silent])
        nothing = np.zeros(0, dtype=bool)
        return Evaluation(events=tuple(events), states=kept, late=nothing, unusable=nothing)

    def _advance(self, fixes: Fixes, states: States, events: list[ZoneEvent]) -> States:
        batch = Batch.of(fixes, states, self.rules)
        hits = self._hits(batch)
        mine = np.flatnonzero(located(batch.devices, states.presences["device"])[1])
        presences = states.presences[mine]
        pairs = Pairs.of(presences, batch, self.index)
        new = Pairs.fresh(hits, pairs, self.index)
        looks = Looks.of(pairs + new, hits, batch, self.index, self.rules)
        moved = np.concatenate((self._moved(presences, pairs, looks, batch), np.ones(len(new.key), dtype=bool)))
        visits = [Visit(*row) for row in np.concatenate((presences, self._absent(new, batch)))[moved].tolist()]
        zones = self.index.named((pairs + new)[moved].zone)
        for number, run in looks[moved[looks.pair]].runs(batch):
            events.extend(visits[number].follow(run, fixes, zones[number], self.rules))
        return States(
            devices=_merged(states.devices, batch.heard()),
            presences=_replaced(states.presences, mine[moved[: len(mine)]], [v.row for v in visits if v.phase]),
        )

    def _hits(self, batch: Batch) -> Hits:
        """Every believed fix and every zone in force that it lies in."""
        (believed,) = np.nonzero(batch.believed)
        fixes = batch.fixes
        xy = self.index.plane.to_xy(np.column_stack((fixes.lon[believed], fixes.lat[believed])))
        place, zone = self.index.hits(xy)
        fix = believed[place]
        in_force = self.index.openings(zone, fixes.time_ms[fix]) != CLOSED
        fix, zone = fix[in_force], zone[in_force]
        return Hits(fix=fix, key=batch.group[fix] * len(self.index) + zone)

    def _moved(self, presences: Rows, pairs: Pairs, looks: Looks, batch: Batch) -> Flags:
        """Which visits do not go on as they are; most of them do, most of the time, and cost no more than arrays."""
        stirred = np.zeros(len(pairs.key), dtype=bool)
        stirring = looks.pair[looks.stirring]
        stirred[stirring[stirring < len(stirred)]] = True
        stays_ms = batch.last_ms[pairs.group] - presences["entered_ms"]
        overstays = ~presences["warned"] & (stays_ms >= self.index.dwell_ms[pairs.zone])
        moved: Flags = stirred | overstays | (presences["phase"] != INSIDE)
        return moved

    def _absent(self, new: Pairs, batch: Batch) -> Rows:
        """Rows for whoever was outside."""
        rows = np.zeros(len(new.key), dtype=PRESENCE)
        rows["device"], rows["zone"] = batch.devices[new.group], self.index.ids[new.zone]
        return rows


def _merged(old: Rows, new: Rows) -> Rows:
    """Rows of `states.DEVICE`, the new ones in place of the old."""
    at, known = located(old["device"], new["device"])
    merged = old.copy()
    merged[at[known]] = new[known]
    if known.all():
        return merged
    strangers = new[~known]
    return np.insert(merged, np.searchsorted(old["device"], strangers["device"]), strangers)


def _replaced(old: Rows, moved: Numbers, rows: list[tuple[Any, ...]]) -> Rows:
    """Rows of `states.PRESENCE` without those that moved, and with what they have become."""
    if not len(moved) and not rows:
        return old
    kept = np.concatenate((np.delete(old, moved), np.array(rows, dtype=PRESENCE)))
    return kept[np.lexsort((kept["zone"], kept["device"]))]
