"""What every fix says about every zone that it may concern, in arrays, and the runs that visits follow."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from xunlu_gis.fence.batch import Batch
from xunlu_gis.fence.event import Reason
from xunlu_gis.fence.fixes import Flags, Numbers
from xunlu_gis.fence.index import ZoneIndex
from xunlu_gis.fence.ordered import located
from xunlu_gis.fence.rules import FenceRules
from xunlu_gis.fence.schedule import CLOSED
from xunlu_gis.fence.states import Rows
from xunlu_gis.fence.visit import BAND, IN, OUT, SHUT, UNKNOWN, Run


@dataclass(frozen=True, kw_only=True, slots=True)
class Hits:
    """Believed fixes inside of zones in force.

    Attributes:
        fix: number in the batch, (h,).
        key: of the device and the zone, as in `Pairs`, (h,).
    """

    fix: Numbers
    key: Numbers


@dataclass(frozen=True, kw_only=True, slots=True)
class Pairs:
    """Devices and zones.

    Attributes:
        group: number of the device in the batch, (p,).
        zone: number of the zone in the index; -1: it is no longer there, (p,).
        key: both as one number; -1 without a zone, (p,).
    """

    group: Numbers
    zone: Numbers
    key: Numbers

    @classmethod
    def of(cls, presences: Rows, batch: Batch, index: ZoneIndex) -> Self:
        """Of rows of `states.PRESENCE` whose devices are in the batch."""
        group = np.searchsorted(batch.devices, presences["device"])
        zone = index.numbers(presences["zone"])
        return cls(group=group, zone=zone, key=np.where(zone >= 0, group * len(index) + zone, -1))

    @classmethod
    def fresh(cls, hits: Hits, known: Self, index: ZoneIndex) -> Self:
        """Of hits that no known pair has."""
        keys = np.unique(hits.key)
        _, old = located(np.sort(known.key), keys)
        group, zone = np.divmod(keys[~old], max(1, len(index)))
        return cls(group=group, zone=zone, key=keys[~old])

    def __getitem__(self, which: Any) -> "Pairs":  # noqa: ANN401  whatever indexes an array
        return Pairs(group=self.group[which], zone=self.zone[which], key=self.key[which])

    def __add__(self, other: "Pairs") -> "Pairs":
        return Pairs(
            group=np.concatenate((self.group, other.group)),
            zone=np.concatenate((self.zone, other.zone)),
            key=np.concatenate((self.key, other.key)),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Looks:
    """Every fix of the device of every pair, pair by pair, as columns of m looks.

    Attributes:
        pair: number of the pair, (m,).
        fix: number in the batch, (m,).
        code: what the fix says, `OUT` … `SHUT`, (m,).
        silence: the fix ends a silence, (m,).
        reopened: the zone was in force before, but in another opening, (m,).
        initial: no fix was believed in this opening before, (m,).
    """

    pair: Numbers
    fix: Numbers
    code: npt.NDArray[np.int8]
    silence: Flags
    reopened: Flags
    initial: Flags

    @classmethod
    def of(cls, pairs: Pairs, hits: Hits, batch: Batch, index: ZoneIndex, rules: FenceRules) -> Self:
        """Look at all fixes of all pairs."""
        many = (batch.end - batch.start)[pairs.group]
        offset = np.cumsum(many) - many
        pair = np.repeat(np.arange(len(many)), many)
        fix = batch.start[pairs.group][pair] + np.arange(len(pair)) - offset[pair]
        zone, fixes = pairs.zone[pair], batch.fixes
        opening = index.openings(zone, fixes.time_ms[fix])
        before = index.openings(zone, batch.before_ms[fix])
        code = np.full(len(pair), OUT, dtype=np.int8)
        code[~batch.believed[fix]] = UNKNOWN
        code[_inside(pairs, hits, batch, offset)] = IN
        code[opening == CLOSED] = SHUT
        (rest,) = np.nonzero(code == OUT)
        at = fix[rest]
        xy = index.plane.to_xy(np.column_stack((fixes.lon[at], fixes.lat[at])))
        near = index.near(zone[rest], xy, np.maximum(rules.band_m, batch.accuracy_m[at]))
        code[rest[near]] = BAND
        return cls(
            pair=pair,
            fix=fix,
            code=code,
            silence=batch.silence[fix],
            reopened=(before != opening) & (before != CLOSED) & (opening != CLOSED),
            initial=index.openings(zone, batch.believed_before_ms[fix]) != opening,
        )

    def __getitem__(self, which: Flags) -> "Looks":
        """Those of some pairs, whose numbers close up."""
        new = np.concatenate(([False], np.diff(self.pair[which]) != 0)) if which.any() else which[:0]
        return Looks(
            pair=np.cumsum(new),
            fix=self.fix[which],
            code=self.code[which],
            silence=self.silence[which],
            reopened=self.reopened[which],
            initial=self.initial[which],
        )

    @property
    def stirring(self) -> Flags:
        """Which looks can end a visit, (m,)."""
        ends: Flags = (self.code == OUT) | (self.code == SHUT)
        return ends | self.silence | self.reopened

    def runs(self, batch: Batch) -> Iterator[tuple[int, Run]]:
        """Runs with the number of their pair."""
        if not len(self.pair):
            return
        new = np.concatenate(([True], (np.diff(self.pair) != 0) | (np.diff(self.code) != 0)))
        (first,) = np.nonzero(new | self.silence | self.reopened)
        end = np.concatenate((first[1:], [len(new)]))
        columns = (self.pair[first], self.code[first], self.fix[first], end - first, self.silence[first],
                   self.reopened[first], self.initial[first])  # fmt: skip
        for pair, code, fix, many, silent, reopened, initial in zip(*(c.tolist() for c in columns), strict=True):
            cut: Reason | None = "gap" if silent else "closed" if reopened or code == SHUT else None
            before = None if cut is None else batch.place_before(fix)
            yield pair, Run(code=code, first=fix, end=fix + many, before=before, cut=cut, initial=initial)


def _inside(pairs: Pairs, hits: Hits, batch: Batch, offset: Numbers) -> Numbers:
    """Numbers of the looks that are hits."""
    order = np.argsort(pairs.key, kind="stable")
    at, found = located(pairs.key[order], hits.key)
    fix, pair = hits.fix[found], order[at[found]]
    return offset[pair] + fix - batch.start[batch.group[fix]]
