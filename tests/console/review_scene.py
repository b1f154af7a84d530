"""An afternoon that is over, for whoever looks back at it: three officers, a gap, a film, a few words, an SOS."""

import hashlib
import itertools
import json
import math
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import numpy as np

from tests.console.bureau import SQUAD, Bureau
from tests.console.test_talk_bursts import write_tone
from tests.integration.ingest_rig import TENANT

BEGIN = datetime(2026, 11, 22, 5, 50, tzinfo=UTC)
END = BEGIN + timedelta(minutes=50)
FILM_S = 120
RATE_FPS = 10
STEP_S = 5
# Walking around blocks near the People's Square, metres a second.
PACE_MPS = 1.3
METRES_LAT = 111_320.0
CENTRE = (31.2300, 121.4760)
# Officers of one state stand in the table by number: whoever came last stands first, where the table shows them.
NUMBERS = itertools.count(999_999, -1)

WALK = """
insert into position (device_id, fix_at, sid, seq, received_at, lat, lon, speed_mps, accuracy_m, fix, sat, late)
select (select id from device where did = %s), at, 1, n, at + interval '1 s', lat, lon, speed, 4, 1, 18, false
from unnest(%s::timestamptz[], %s::int[], %s::float8[], %s::float8[], %s::float8[]) as w(at, n, lat, lon, speed)
"""
# As ingest does, so that the job shapes the hours.
DUE = """
insert into position_hour_due (device_id, hour)
select distinct (select id from device where did = %s), date_trunc('hour', at) from unnest(%s::timestamptz[]) at
on conflict do nothing
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Past:
    """An officer of the afternoon."""

    id: int
    did: str
    name: str
    number: str

    @property
    def subject(self) -> str:
        return f"o{self.id}"


def at(minutes: float) -> datetime:
    """So long after the beginning."""
    return BEGIN + timedelta(minutes=minutes)


def address(*people: Past, t: float = 0, more: str = "") -> str:
    """The view of the whole afternoon."""
    subjects = ",".join(one.subject for one in people)
    first, last, now = (one.strftime("%Y-%m-%dT%H:%M:%SZ") for one in (BEGIN, END, at(t)))
    return f"/review?s={subjects}&from={first}&to={last}&t={now}{more}"


async def officer(bureau: Bureau, name: str) -> Past:
    """Somebody who wore a recorder that day."""
    number = f"N{next(NUMBERS)}"
    did = f"rx-{secrets.token_hex(6)}"
    rows = await bureau.rig.rows(
        "with worn as (insert into device (did, tenant, unit_id, kind, serial, vendor, model, status, created_at)"
        " select %s, %s, id, 'recorder', %s, 'Xunlu', 'SIM-4G', 'approved', %s from unit where name = %s"
        " returning id, unit_id),"
        " who as (insert into officer (tenant, unit_id, number, name, pinyin) select %s, unit_id, %s, %s, '' from worn"
        " returning id), bound as (insert into binding (device_id, officer_id, bound_at)"
        " select worn.id, who.id, %s from worn, who) select id from who",
        did, TENANT, did, BEGIN - timedelta(days=1), SQUAD, TENANT, number, name, BEGIN - timedelta(hours=1),
    )  # fmt: skip
    return Past(id=rows[0]["id"], did=did, name=name, number=number)


async def walks(bureau: Bureau, who: Past, first: float, last: float, *, turn: float = 0.0, east: float = 0.0) -> None:
    """From one minute to another, along streets: north, east, north again."""
    count = int((last - first) * 60 / STEP_S)
    times = [at(first) + timedelta(seconds=STEP_S * n) for n in range(count)]
    lat, lon = [], []
    x, y = east + first * 20, first * 10.0
    for n in range(count):
        heading = turn + (0 if (n // 40) % 2 else math.pi / 2)
        x, y = x + math.sin(heading) * PACE_MPS * STEP_S, y + math.cos(heading) * PACE_MPS * STEP_S
        lat.append(CENTRE[0] + y / METRES_LAT)
        lon.append(CENTRE[1] + x / (METRES_LAT * math.cos(math.radians(CENTRE[0]))))
    numbers = [int(first * 60) + n for n in range(count)]
    speeds = [PACE_MPS + 0.4 * math.sin(n / 7) for n in range(count)]
    await bureau.rig.connection.execute(WALK, [who.did, times, numbers, lat, lon, speeds])
    await bureau.rig.connection.execute(DUE, [who.did, times])


def write_film(path: Path, seconds: int) -> None:
    """Fragmented MP4 as the server's recorder writes it: a key frame each second, brighter from second to second."""
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
    with av.open(str(path), "w", options=options) as out:
        stream = out.add_stream(
            "libvpx-vp9", rate=RATE_FPS, options={"deadline": "realtime", "cpu-used": "8", "g": "10"}
        )
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for n in range(seconds * RATE_FPS):
            picture = np.full((180, 320, 3), 40 + (n // RATE_FPS) % 160, dtype=np.uint8)
            picture[60:120, (n * 4) % 280 : (n * 4) % 280 + 40] = 230
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            out.mux(stream.encode(frame))
        out.mux(stream.encode())


async def films(
    bureau: Bureau, who: Past, first: float, *, there: bool = True, unseen: tuple[float, float] | None = None
) -> str:
    """The server recorded two minutes, perhaps without a picture from one minute to another; returns the recording."""
    name = secrets.token_hex(6)
    bounds_ms = [round(at(minute).timestamp() * 1000) for minute in unseen or ()]
    gaps = json.dumps([dict(zip(("from_ms", "to_ms"), bounds_ms, strict=True))] if unseen else [])
    path = bureau.recordings / f"{name}.mp4"
    sha256 = "0" * 64
    if there:
        write_film(path, FILM_S)
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    await bureau.rig.connection.execute(
        "insert into recording (id, device_id, officer_id, why, file, started_at, ended_at, size_bytes, sha256, gaps,"
        " complete) select %s, id, %s, 'hand', %s, %s, %s, 1234, %s, %s, true from device where did = %s",
        [name, who.id, f"{name}.mp4", at(first), at(first) + timedelta(seconds=FILM_S), sha256, gaps, who.did],
    )
    return name


async def speaks(bureau: Bureau, who: Past, first: float) -> str:
    """Six seconds on the radio net; returns the burst."""
    burst = f"burst-{secrets.token_hex(6)}"
    write_tone(bureau.recordings / "ptt" / f"{burst}.opus", 6)
    await bureau.rig.connection.execute(
        "insert into burst (id, gid, unit_id, talker, device_id, officer_id, grant_number, urgency, file, started_at,"
        " ended_at, size_bytes, sha256, lost, complete) select %s, 'unit-' || d.unit_id, d.unit_id, d.did, d.id,"
        " %s, 7, 0, %s, %s, %s, 4000, repeat('a', 64), 0, true from device d where did = %s",
        [burst, who.id, f"ptt/{burst}.opus", at(first), at(first) + timedelta(seconds=6), who.did],
    )
    return burst


async def listens(bureau: Bureau, who: Past, first: float) -> None:
    """With the recorder in the group of the squad from then on."""
    await bureau.rig.connection.execute(
        "insert into floor_entry (id, gid, unit_id, at, what, who, urgency, priority)"
        " select %s, 'unit-' || unit_id, unit_id, %s, 'joined', did, 0, 5 from device where did = %s",
        [secrets.token_hex(8), at(first), who.did],
    )


async def is_told(bureau: Bureau, who: Past, first: float, text: str) -> None:
    """An order that the recorder was to read aloud."""
    account = await bureau.account("dispatcher")
    await bureau.rig.connection.execute(
        "with made as (insert into message (id, unit_id, target, text, speak, account_id, username, created_at)"
        " select %s, d.unit_id, d.did, %s, true, a.id, a.username, %s from device d, account a"
        " where d.did = %s and a.username = %s returning id)"
        " insert into message_target (message_id, person) select id, %s from made",
        [secrets.token_hex(8), text, at(first), who.did, account.username, who.did],
    )


async def marks(bureau: Bureau, who: Past, first: float) -> None:
    """The key for marks."""
    await bureau.rig.connection.execute(
        "insert into event (device_id, at, received_at, sid, seq, type, payload, late)"
        " select id, %s, %s, 1, %s, 'mark', '{}', false from device where did = %s",
        [at(first), at(first), int(first * 60) + 9000, who.did],
    )


async def calls_for_help(bureau: Bureau, who: Past, first: float, *, lasting: float | None = 5) -> None:
    """An SOS that was dealt with after some minutes, or never."""
    closed = None if lasting is None else at(first + lasting)
    await bureau.rig.connection.execute(
        "insert into alarm (device_id, officer_id, kind, severity, sid, seq, raised_at, received_at, closed_at, state)"
        " select id, %s, 'sos', 3, 1, %s, %s, %s, %s, %s from device where did = %s",
        [
            who.id,
            int(first * 60) + 9500,
            at(first),
            at(first),
            closed,
            "new" if closed is None else "resolved",
            who.did,
        ],
    )


async def guards(bureau: Bureau, name: str, first: datetime, last: datetime | None) -> None:
    """A post that was in force for a time."""
    shape = {
        "type": "Feature",
        "properties": {"radius_m": 150},
        "geometry": {"type": "Point", "coordinates": [CENTRE[1], CENTRE[0]]},
    }
    await bureau.rig.connection.execute(
        "with made as (insert into zone (unit_id, kind, name, pinyin)"
        " select id, 'post', %s, '' from unit where name = %s returning id)"
        " insert into zone_version (zone_id, shape, valid_from, valid_to) select id, %s, %s, %s from made",
        [name, SQUAD, json.dumps(shape), first, last],
    )


async def leaps(bureau: Bureau, who: Past, minute: float) -> None:
    """One fix across the city, as a reflection makes it."""
    moment = at(minute) + timedelta(seconds=2)
    values = [who.did, [moment], [20_000], [CENTRE[0] + 0.02], [CENTRE[1] + 0.02], [1.0]]
    await bureau.rig.connection.execute(WALK, values)
    await bureau.rig.connection.execute(DUE, [who.did, [moment]])


async def afternoon(bureau: Bureau) -> tuple[Past, Past, Past]:
    """What most tests look at: the third lost the signal from the 14th to the 22nd minute."""
    one, two, three = [await officer(bureau, name) for name in ("周敏", "陈志远", "李倩")]
    await walks(bureau, one, 0, 50)
    await walks(bureau, two, 0, 50, turn=0.7, east=-250)
    await walks(bureau, three, 0, 14, turn=-0.5, east=420)
    await walks(bureau, three, 22, 50, turn=-0.5, east=420)
    await films(bureau, one, 8)
    await speaks(bureau, two, 9)
    await marks(bureau, one, 12)
    await calls_for_help(bureau, one, 31)
    return one, two, three
