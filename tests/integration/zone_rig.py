"""A zone, and recorders that walk into it and out of it through the real ingest."""

import itertools
import json
from collections.abc import Sequence
from typing import Any

from tests.integration.ingest_rig import Rig, eventually, fix
from xunlu_protocol.location import Location, encode_locations

HOME = (31.2300, 121.4700)
AWAY = (31.2330, 121.4700)
"""330 m north of home, far outside of the circle of 100 m."""


async def zone(ingest: Rig, did: str, kind: str = "responsibility", **version: Any) -> int:
    """A circle of 100 m around home that concerns the wearer's unit, in force since a day ago."""
    shape = {
        "type": "Feature",
        "properties": {"radius_m": 100.0},
        "geometry": {"type": "Point", "coordinates": [HOME[1], HOME[0]]},
    }
    [row] = await ingest.rows(
        "insert into zone (unit_id, kind, name) select unit_id, %s, 'home of ' || did from device where did = %s "
        "returning id",
        kind,
        did,
    )
    await ingest.rows(
        "insert into zone_version (zone_id, shape, dwell_s_max, severity, window_from, window_to, valid_from) "
        "values (%s, %s, %s, %s, %s, %s, now() - interval '1 day') returning id",
        row["id"],
        json.dumps(shape),
        *(version.get(name) for name in ("dwell_s_max", "severity", "window_from", "window_to")),
    )
    return int(row["id"])


async def known(ingest: Rig, number: int, did: str) -> None:
    """Wait until the worker knows a zone: a recorder that has been silent for an hour stands in it."""
    numbers = itertools.count(1)

    async def stands() -> bool:
        seq = next(numbers)
        await ingest.publish(did, "loc", fix(seq, lat=HOME[0], lon=HOME[1], age_s=3600 - seq, acc=5.0).encode())
        inside = await ingest.rows(
            "select 1 from zone_watch w join device d on d.id = w.device_id"
            " cross join lateral jsonb_array_elements(w.state -> 'zones') s"
            " join zone_version v on v.id = (s.value ->> 0)::bigint where d.did = %s and v.zone_id = %s",
            did,
            number,
        )
        return bool(inside)

    await eventually(stands)


def walk(places: Sequence[tuple[float, float]], *, ago_s: int, first: int = 1, every_s: int = 10) -> list[Location]:
    """Fixes at places, one every ten seconds."""
    return [
        fix(first + step, lat=lat, lon=lon, age_s=ago_s - step * every_s, acc=5.0)
        for step, (lat, lon) in enumerate(places)
    ]


async def report(ingest: Rig, did: str, fixes: Sequence[Location], channel: str = "loc") -> None:
    await ingest.publish(did, channel, encode_locations(list(fixes)))
    last = max(one.sequence for one in fixes)

    async def stored() -> bool:
        return any(row["seq"] == last for row in await ingest.positions(did))

    await eventually(stored)
