"""A desk that was cut off and is back: it misses nothing, and learns when nobody remembers all of it."""

import json
from typing import Any

from xunlu_kit.clock import SystemClock
from xunlu_platform.api.fleet import Fleet
from xunlu_platform.api.fleet_device import Device
from xunlu_platform.api.lately import TOLD_MAX, Lately
from xunlu_platform.api.viewer import MESSAGES_WAITING_MAX, FleetViewer, View
from xunlu_platform.dispatch.floors import Floors
from xunlu_platform.dispatch.relays import Relays
from xunlu_platform.store.store import Scope, Store

NOW_MS = 1_000_000
EAST, WEST = "/1/2/", "/1/3/"
HERE = View(type="view", bbox=(121, 31, 122, 32))


def a_fleet() -> Fleet:
    """One that has read nothing yet."""
    clock = SystemClock()
    return Fleet(Store("host=localhost"), clock, Relays(clock), Floors(clock, "main"))


def stands(fleet: Fleet, did: str, path: str = EAST, *, changed_ms: int = 0) -> None:
    fields = {"did": did, "lat": 31.2, "lon": 121.5, "tms": 1, "acc": 5, "spd": 0, "cog": 0, "sat": 9, "bds": 4}
    fleet.devices[did] = Device(path, fields, changed_ms=changed_ms)


def resumed(viewer: FleetViewer, since_ms: int = NOW_MS - 1000) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(viewer.resume(since_ms, NOW_MS))
    return message


def taken(viewer: FleetViewer) -> list[dict[str, Any]]:
    return [json.loads(message) for message in viewer.take(NOW_MS)]


def test_what_was_told_is_remembered_until_it_is_too_much() -> None:
    lately = Lately()
    for at_ms in range(1, TOLD_MAX + 1):
        lately.add(at_ms, EAST, {"type": "event", "event": at_ms})
    assert len(lately.since(1) or ()) == TOLD_MAX
    lately.add(TOLD_MAX + 1, WEST, {"type": "zones"})
    assert lately.since(1) is None, "the first one is forgotten"
    assert len(lately.since(2) or ()) == TOLD_MAX
    assert lately.since(TOLD_MAX + 1) == [(WEST, {"type": "zones"})]


def test_who_left_meanwhile_is_gone_but_not_who_is_back() -> None:
    fleet = a_fleet()
    stands(fleet, "back", changed_ms=NOW_MS - 400)
    stands(fleet, "moved", WEST, changed_ms=NOW_MS - 400)
    for did, path in (("disabled", EAST), ("moved", EAST), ("back", EAST), ("theirs", WEST)):
        fleet.lately.add(NOW_MS - 500, path, {"type": "gone", "did": did})
    fleet.lately.add(NOW_MS - 5000, EAST, {"type": "gone", "did": "long ago"})
    delta = resumed(FleetViewer(fleet, 1, Scope(EAST)))
    assert (delta["type"], delta["gone"]) == ("delta", ["disabled", "moved"])
    assert [device["did"] for device in delta["devices"]] == ["back"]
    above = resumed(FleetViewer(fleet, 1, Scope("/1/")))
    assert above["gone"] == ["disabled", "theirs"]


def test_events_and_steps_of_commands_are_told_again_in_order_within_the_scope() -> None:
    fleet = a_fleet()
    for path, state in ((EAST, "delivered"), (WEST, "running"), (EAST, "done")):
        fleet.lately.add(NOW_MS - 500, path, {"type": "command", "command": {"state": state}})
    viewer = FleetViewer(fleet, 1, Scope(EAST))
    assert resumed(viewer)["type"] == "delta"
    steps = [message["command"]["state"] for message in taken(viewer) if message["type"] == "command"]
    assert steps == ["delivered", "done"]


def test_whoever_missed_more_than_can_wait_begins_anew_and_what_others_missed_does_not_count() -> None:
    fleet = a_fleet()
    stands(fleet, "ours")
    for number in range(MESSAGES_WAITING_MAX + 1):
        fleet.lately.add(NOW_MS - 500, EAST, {"type": "event", "event": {"id": number}})
    viewer = FleetViewer(fleet, 1, Scope(EAST))
    snapshot = resumed(viewer)
    assert (snapshot["type"], [device["did"] for device in snapshot["devices"]]) == ("snapshot", ["ours"])
    assert not viewer.overflowed
    assert [message["type"] for message in taken(viewer)] == ["movements"]
    assert resumed(FleetViewer(fleet, 1, Scope(WEST)))["type"] == "delta"


def test_a_position_that_the_map_of_before_withheld_comes_when_this_one_shows_it() -> None:
    fleet = a_fleet()
    stands(fleet, "silent", changed_ms=NOW_MS - 60_000)
    viewer = FleetViewer(fleet, 1, Scope(EAST))
    assert resumed(viewer)["devices"] == []
    viewer.look(HERE)
    [told] = [device for message in taken(viewer) for device in message.get("devices", ())]
    assert (told["did"], told["lat"]) == ("silent", 31.2)
