"""The fake hardware by itself, in time that a test sets."""

import random
from itertools import pairwise

import pytest

from tests.unit.xunlu_edge.rig import HandClock
from xunlu_edge.gnss.nmea import NmeaDecoder
from xunlu_sim.hardware import BATTERY_HOURS, PRESSED_MAX, STORAGE_BYTES, Kit
from xunlu_sim.sky import Sky
from xunlu_sim.way import Place


class East:
    """A walk to the east at 1 m/s."""

    def __init__(self) -> None:
        self._place = Place(31.23, 121.47, 1.0, 90.0)

    def second(self) -> Place:
        self._place = self._place.moved(1, 0)
        return self._place


def kit(clock: HandClock, seed: int = 1) -> Kit:
    return Kit(East(), clock, random.Random(seed), Sky(random.Random(seed)))


async def test_the_same_seed_says_the_same_byte_by_byte() -> None:
    said = []
    for seed in (1, 1, 2):
        receiver = kit(HandClock(), seed).hardware.gnss
        said.append(b"".join([await receiver.read() for _ in range(300)]))
    assert said[0] == said[1]
    assert said[0] != said[2]


async def test_a_receiver_speaks_once_a_second_and_tells_the_time_of_the_satellites() -> None:
    clock = HandClock()
    began_ms = clock.time_ms()
    receiver, decoder = kit(clock).hardware.gnss, NmeaDecoder()
    epochs = [epoch for _ in range(60) for epoch in decoder.feed(await receiver.read())] + decoder.flush()
    assert [epoch.utc_ms for epoch in epochs] == [began_ms + 1000 * second for second in range(1, 61)]


async def test_a_receiver_that_was_held_up_does_not_catch_up() -> None:
    clock = HandClock()
    receiver, decoder = kit(clock).hardware.gnss, NmeaDecoder()
    await receiver.read()
    clock.pass_s(100)
    began_s = clock.monotonic_s()
    for _ in range(3):
        decoder.feed(await receiver.read())
    assert clock.monotonic_s() - began_s == pytest.approx(2)


async def test_epochs_lie_on_whole_seconds_and_are_told_at_once_whenever_the_receiver_was_switched_on() -> None:
    clock = HandClock()
    clock.wall_ms += 613
    receiver, decoder = kit(clock).hardware.gnss, NmeaDecoder()
    for _ in range(5):
        decoder.feed(await receiver.read())
        assert clock.time_ms() % 1000 == 0
        assert [epoch.utc_ms for epoch in decoder.flush()] == [clock.time_ms()]


def test_a_battery_empties_and_is_changed() -> None:
    clock = HandClock()
    battery = kit(clock).hardware.battery
    assert battery is not None
    levels = []
    for _ in range(48):
        percent = battery.read().percent
        assert percent is not None
        levels.append(percent)
        clock.pass_s(BATTERY_HOURS * 3600 / 24)
    assert all(0 < level <= 100 for level in levels)
    assert any(later > earlier for earlier, later in pairwise(levels))


async def test_a_recording_fills_the_storage_and_a_second_start_goes_on_with_it() -> None:
    clock = HandClock()
    hardware = kit(clock).hardware
    assert hardware.recorder is not None
    assert hardware.storage is not None
    before = hardware.storage.read().free_bytes
    recording = await hardware.recorder.start("traffic")
    assert await hardware.recorder.start(None) == recording
    clock.pass_s(600)
    during = hardware.storage.read().free_bytes
    assert await hardware.recorder.stop() == recording
    assert 0 < during < before <= STORAGE_BYTES
    assert hardware.storage.read().free_bytes == pytest.approx(during)
    assert hardware.recording is None


async def test_keys_that_nobody_hears_are_counted_and_the_first_are_kept() -> None:
    keys = kit(HandClock()).keys
    for _ in range(PRESSED_MAX + 3):
        keys.press("mark")
    assert keys.unheard == 3
    signals = keys.signals()
    assert [await anext(signals) for _ in range(PRESSED_MAX)] == ["mark"] * PRESSED_MAX
