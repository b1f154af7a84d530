"""Why a track has no line: every moment of a time gets exactly one state.

The first rule that fits decides:

1. Between two fixes without a gap the device was there: `on_air`, or `back_filled` when the later one came late.
2. `off_planned`: the last word was sleep, or off for a reason that somebody meant. In a shift of the roster only a word
   of that shift counts: who docked a device yesterday did not say goodbye today.
3. `server_down`: nobody could listen.
4. In touch (telemetry that is fresh, or the word online of a device that sends none):
   `no_fix` when the receiver said so, or when nothing was recorded; `no_signal` when it had a fix that did not come,
   or when the radio was too weak; otherwise `no_fix`.
5. Out of touch: `off_planned` outside of the shifts of a roster, unless the next sign of life is of the same session,
   because then it ran; `off_unplanned` when the next sign of life is of another session, because the device restarted,
   and in a shift before which it said goodbye;
   `no_fix` when the fixes on both sides are neighbours in the sequence, because it ran and recorded nothing;
   otherwise `no_signal`.

What was recorded counts more than what was said: a fix that arrives later turns any of it into `back_filled`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import numpy as np

from xunlu_gis.plane import Floats
from xunlu_gis.track.piece import gap_limit_s
from xunlu_gis.track.settings import DEFAULT, TrackSettings
from xunlu_gis.track.track import Bools, Ints, Track

State = Literal["on_air", "back_filled", "no_fix", "no_signal", "off_planned", "off_unplanned", "server_down"]

STATES: Final[tuple[State, ...]] = (
    "on_air", "back_filled", "no_fix", "no_signal", "off_planned", "off_unplanned", "server_down"
)  # fmt: skip
ON_AIR, BACK_FILLED, NO_FIX, NO_SIGNAL, OFF_PLANNED, OFF_UNPLANNED, SERVER_DOWN = range(len(STATES))

PLANNED: Final = frozenset({"shutdown", "sleep", "dock", "update", "reboot"})
"""Why a device said goodbye when it was meant; a will says `lost`."""


class Availability(NamedTuple):
    """A change of state as the device or its will told it.

    Attributes:
        at_ms: UTC milliseconds.
        state: what it is from then on.
        why: word of the protocol, or None.
        sid: session that it is about; 0 where unknown.
    """

    at_ms: int
    state: Literal["online", "offline", "sleep"]
    why: str | None = None
    sid: int = 0


class Telemetry(NamedTuple):
    """A word of a device about itself.

    Attributes:
        at_ms: UTC milliseconds.
        fix: GGA quality, 0 without a fix; None where it said nothing.
        signal_dbm: of the radio; None where it said nothing.
    """

    at_ms: int
    fix: int | None = None
    signal_dbm: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """What is known of a device beside its fixes, in any order.

    Give also the last entry before the time that is asked for, and the first after it: they speak for its ends.

    Attributes:
        availability: changes of state.
        telemetry: what it said about itself.
        server_down: from and to, UTC milliseconds, when no server listened.
        on_duty: from and to, UTC milliseconds, when its wearer was to be on duty; no two overlap.
        off_duty: from and to, UTC milliseconds, when a wearer who has a roster was not. Neither: nobody knows.
    """

    availability: Sequence[Availability] = ()
    telemetry: Sequence[Telemetry] = ()
    server_down: Sequence[tuple[int, int]] = ()
    on_duty: Sequence[tuple[int, int]] = ()
    off_duty: Sequence[tuple[int, int]] = ()


class Span(NamedTuple):
    """From `from_ms` to before `to_ms`, UTC milliseconds, all in one state."""

    from_ms: int
    to_ms: int
    state: State


def explain(
    track: Track, from_ms: int, to_ms: int, evidence: Evidence | None = None, settings: TrackSettings = DEFAULT
) -> list[Span]:
    """Part a time into states: complete, without overlap, in order, neighbours different.

    Args:
        track: of one device, with sessions, sequences and times of arrival; the last fix before the time and the first
            after it belong to it. Any order.
        from_ms: UTC milliseconds, included.
        to_ms: UTC milliseconds, excluded.
        evidence: what else is known.
        settings: limits.
    """
    if to_ms <= from_ms:
        return []
    known = _Known(track[np.argsort(track.time_ms, kind="stable")], evidence or Evidence(), settings)
    edges = known.edges()
    at = np.concatenate(((from_ms,), edges[(edges > from_ms) & (edges < to_ms)]))
    states = known.states(at)
    changes = np.concatenate(((0,), np.flatnonzero(np.diff(states)) + 1))
    begins = at[changes].tolist()
    return [
        Span(begin, end, STATES[state])
        for begin, end, state in zip(begins, [*begins[1:], to_ms], states[changes].tolist(), strict=True)
    ]


_UNKNOWN, _ONLINE, _ASLEEP, _OFF, _LOST = range(5)


def _word(said: Availability) -> int:
    if said.state == "online":
        return _ONLINE
    if said.state == "sleep":
        return _ASLEEP
    return _OFF if said.why in PLANNED else _LOST


class _Known:
    """The evidence as columns in order of time; `at` is always an array of moments, and so is every answer."""

    def __init__(self, track: Track, evidence: Evidence, settings: TrackSettings) -> None:
        said = sorted(evidence.availability, key=lambda one: one.at_ms)
        told = sorted(evidence.telemetry, key=lambda one: one.at_ms)
        self._track, self._settings = track, settings
        self._there, self._late, self._neighbours = _steps(track, settings)
        self._fresh_ms = int(settings.telemetry_s * 1000)
        self._said_ms = _times([one.at_ms for one in said])
        self._words = _times([_UNKNOWN, *map(_word, said)])
        self._told_ms = _times([one.at_ms for one in told])
        self._told_fix = _numbers([None, *(one.fix for one in told)])
        self._signal_dbm = _numbers([None, *(one.signal_dbm for one in told)])
        self._down = _Times.of(evidence.server_down)
        self._on_duty, self._off_duty = _Times.of(evidence.on_duty), _Times.of(evidence.off_duty)
        signs_ms = np.concatenate((track.time_ms, self._said_ms))
        sids = np.concatenate((track.sid, _times([one.sid for one in said])))
        order = np.argsort(signs_ms, kind="stable")
        order = order[sids[order] > 0]
        self._signs_ms, self._sids = signs_ms[order], sids[order]

    def edges(self) -> Ints:
        """Moments at which the state may change."""
        told_ms = (self._told_ms, self._told_ms + self._fresh_ms)
        # Between two fixes without a gap nothing else counts: a day on air has few edges.
        same = self._there[:-1] & self._there[1:] & (self._late[:-1] == self._late[1:])
        fixes_ms = self._track.time_ms[~same]
        known = (*self._down, *self._on_duty, *self._off_duty)
        return np.unique(np.concatenate((fixes_ms, self._said_ms, *told_ms, *known)))

    def states(self, at: Ints) -> Ints:
        """The rules of this module, first to last."""
        after = _passed(self._track.time_ms, at)
        there, late, nothing_recorded = self._there[after], self._late[after], self._neighbours[after]
        goodbye, said_ms, heard, fix, signal_dbm = self._words_at(at)
        absent = goodbye & self._on_duty.at(at) & (said_ms < self._on_duty.begun_ms(at))
        restarted, ran_on = self._next_signs(at)
        rules = (
            (there & ~late, ON_AIR),
            (there, BACK_FILLED),
            (goodbye & ~absent, OFF_PLANNED),
            (self._down.at(at), SERVER_DOWN),
            (heard & ((fix == 0) | nothing_recorded), NO_FIX),
            (heard & ((fix > 0) | (signal_dbm < self._settings.signal_min_dbm)), NO_SIGNAL),
            (heard, NO_FIX),
            (self._off_duty.at(at) & ~ran_on, OFF_PLANNED),
            (restarted | absent, OFF_UNPLANNED),
            (nothing_recorded, NO_FIX),
        )
        conditions, states = zip(*rules, strict=True)
        return np.select(conditions, states, NO_SIGNAL)

    def _words_at(self, at: Ints) -> tuple[Bools, Ints, Bools, Floats, Floats]:
        """Whether the device said goodbye, when it spoke last, whether it is in touch, what fresh telemetry says."""
        said, told = _passed(self._said_ms, at), _passed(self._told_ms, at)
        word, said_ms = self._words[said], _latest(self._said_ms, said)
        told_ms, fix_ms = _latest(self._told_ms, told), _latest(self._track.time_ms, _passed(self._track.time_ms, at))
        off = (word == _OFF) | (word == _LOST)
        fresh = (told > 0) & (at - told_ms < self._fresh_ms) & ~(off & (said_ms >= told_ms))
        goodbye = (word == _ASLEEP) | ((word == _OFF) & (said_ms >= np.maximum(told_ms, fix_ms)))
        heard = fresh | ((word == _ONLINE) & (not len(self._told_ms)))
        fix, signal_dbm = (np.where(fresh, column[told], np.nan) for column in (self._told_fix, self._signal_dbm))
        return goodbye, said_ms, heard, fix, signal_dbm

    def _next_signs(self, at: Ints) -> tuple[Bools, Bools]:
        """Whether the next sign of life is of another session than the last one, and whether it is of the same."""
        after = _passed(self._signs_ms, at)
        between = (after > 0) & (after < len(self._sids))
        restarted, ran_on = (np.zeros(len(at), dtype=bool) for _ in range(2))
        restarted[between] = self._sids[after[between] - 1] != self._sids[after[between]]
        ran_on[between] = ~restarted[between]
        return restarted, ran_on


class _Times(NamedTuple):
    """Stretches of time: their beginnings and their ends, each in order."""

    begins_ms: Ints
    ends_ms: Ints

    @classmethod
    def of(cls, stretches: Sequence[tuple[int, int]]) -> "_Times":
        """Those that last."""
        lasting = [(begin, end) for begin, end in stretches if begin < end]
        return cls(_times(sorted(begin for begin, _ in lasting)), _times(sorted(end for _, end in lasting)))

    def at(self, at: Ints) -> Bools:
        """Whether each moment lies in one."""
        return _passed(self.begins_ms, at) > _passed(self.ends_ms, at)

    def begun_ms(self, at: Ints) -> Ints:
        """When the newest began."""
        return _latest(self.begins_ms, _passed(self.begins_ms, at))


def _steps(track: Track, settings: TrackSettings) -> tuple[Bools, Bools, Bools]:
    """What is known of the time before each fix and after the last one, (n + 1,).

    Whether fixes cover it, whether the fix that ends it came late, whether the sequence leaves nothing out.
    """
    covered = np.diff(track.time_ms) <= gap_limit_s(track.time_ms, settings) * 1000
    late = (track.received_ms - track.time_ms)[1:] > settings.late_s * 1000
    neighbours = (np.diff(track.sid) == 0) & (np.diff(track.seq) == 1)
    there, came_late, whole = (np.zeros(len(track) + 1, dtype=bool) for _ in range(3))
    there[1:-1], came_late[1:-1], whole[1:-1] = covered, late, neighbours
    return there, came_late, whole


def _times(values: Sequence[int]) -> Ints:
    return np.array(values, dtype=np.int64)


def _numbers(values: Sequence[float | None]) -> Floats:
    return np.array(values, dtype=np.float64)


def _passed(times: Ints, at: Ints) -> Ints:
    """How many of some times are not after each moment."""
    return np.searchsorted(times, at, side="right")


def _latest(times: Ints, passed: Ints) -> Ints:
    """The last time that has passed; before the first one, long ago."""
    return np.concatenate((_times([np.iinfo(np.int64).min // 2]), times))[passed]
