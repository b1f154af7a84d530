"""What tests of looking back share: a small bureau, walks of one day, and how to ask about them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.integration.api_client import Caller, Platform, running_platform
from tests.services import TestBroker, TestDatabase

DAY = datetime(2026, 3, 2, tzinfo=UTC)
PERIOD = {"from": DAY.isoformat(), "to": (DAY + timedelta(days=1)).isoformat()}
HOUR_MS = 3_600_000

BUREAU = """
insert into officer (tenant, unit_id, number, name) values
  ('main', 2, 'D2001', '王小明'), ('main', 2, 'D2002', '李大力'), ('main', 3, 'D3001', '周敏');
insert into device (did, tenant, unit_id, kind, serial, vendor, model, status, created_at) values
  ('R1', 'main', 2, 'recorder', 'S1', 'Xunlu', 'SIM-4G', 'approved', '2026-01-01Z'),
  ('R2', 'main', 2, 'recorder', 'S2', 'Xunlu', 'SIM-4G', 'approved', '2026-01-01Z'),
  ('R3', 'main', 3, 'recorder', 'S3', 'Xunlu', 'SIM-4G', 'approved', '2026-01-01Z');
insert into binding (device_id, officer_id, bound_at, released_at) values
  (1, 1, '2026-03-01T22:00:00Z', '2026-03-02T08:00:00Z'),
  (1, 2, '2026-03-02T08:00:00Z', null),
  (3, 3, '2026-03-01T00:00:00Z', null)
"""

# An officer's telephone, carried from seven on as device 4.
TELEPHONE = """
with made as (
  insert into account (unit_id, username, display_name, role, officer_id, password_hash)
    values (2, 'wang', '王小明', 'officer', 1, 'x') returning id
), telephone as (
  insert into device (did, tenant, unit_id, kind, serial, vendor, model, status, created_at, account_id)
    select 'P1', 'main', 2, 'phone', 'S4', 'Chrome', '150', 'approved', '2026-01-01Z', id from made returning id
)
insert into binding (device_id, officer_id, bound_at, phone) select id, 1, '2026-03-02T07:00:00Z', true from telephone
"""

# To the east at about 1.2 m/s, always the same way at the same time.
WALK = """
insert into position (device_id, fix_at, sid, seq, received_at, lat, lon, speed_mps, accuracy_m, fix, sat, late)
select %(device)s, at, %(sid)s, extract(epoch from at - '2026-03-02Z'::timestamptz),
  at + case when %(late)s then interval '2 h' else interval '1 s' end, 31.23,
  121.47 + extract(epoch from at - '2026-03-02Z'::timestamptz) * 0.0000126, 1.2, 4, 1, 18, %(late)s
from generate_series(%(since)s::timestamptz, %(since)s::timestamptz + (%(seconds)s - 1) * interval '1 s',
  %(step)s * interval '1 s') at
"""

HAPPENED = """
insert into event (device_id, at, received_at, sid, seq, type, payload, late) values
  (1, '2026-03-02T07:00:00Z', now(), 1, 1, 'mark', '{}', false),
  (1, '2026-03-02T09:00:00Z', now(), 1, 2, 'mark', '{}', false);
insert into recording (id, device_id, officer_id, why, file, started_at, ended_at, size_bytes, sha256, gaps, complete)
  values ('rec-1', 1, 1, 'hand', 'R1/a.mp4', '2026-03-02T07:50:00Z', '2026-03-02T08:10:00Z', 9, repeat('0', 64),
    '[{"from_ms": 1, "to_ms": 2}]', true);
insert into burst (id, gid, unit_id, talker, officer_id, grant_number, urgency, file, started_at, ended_at, size_bytes,
    sha256, lost, complete)
  values ('b-1', 'unit-2', 2, 'u-9', 2, 1, 1, 'x', '2026-03-02T06:00:00Z', '2026-03-02T06:00:04Z', 9, repeat('1', 64),
    0, true);
insert into alarm (device_id, kind, severity, sid, seq, raised_at, received_at, closed_at, state) values
  (1, 'sos', 3, 1, 9, '2026-03-02T10:00:00Z', '2026-03-02T10:00:00Z', '2026-03-02T10:05:00Z', 'resolved');
insert into command (rid, device_id, name, args, state, created_at, expires_at) values
  ('c-1', 1, 'photo', '{}', 'done', '2026-03-02T11:00:00Z', '2026-03-02T11:02:00Z');
insert into zone (unit_id, kind, name) values (2, 'post', '外滩');
insert into zone_version (zone_id, shape) values (1, '{}');
insert into zone_event (device_id, zone_id, version_id, kind, fix_at, lat, lon, late, withdrawn_at) values
  (1, 1, 1, 'enter', '2026-03-02T11:30:00Z', 31.2, 121.5, false, null),
  (1, 1, 1, 'leave', '2026-03-02T11:40:00Z', 31.2, 121.5, false, '2026-03-02T13:00:00Z');
insert into viewing (id, device_id, username, asked_at, began_at, ended_at) values
  ('v-1', 1, 'desk', '2026-03-02T12:00:00Z', '2026-03-02T12:00:01Z', '2026-03-02T12:09:00Z')
"""

FLEET = """
insert into availability (device_id, at, received_at, sid, availability, why) values
  (1, '2026-03-02T06:59:00Z', now(), 1, 'online', null), (1, '2026-03-02T09:00:00Z', now(), 1, 'offline', 'dock');
insert into telemetry (device_id, at, received_at, sid, payload) values
  (1, '2026-03-02T07:30:00Z', now(), 1, '{"batt": 80}'), (1, '2026-03-02T08:30:00Z', now(), 1, '{"batt": 60}');
insert into alarm (device_id, officer_id, kind, severity, sid, seq, raised_at, received_at, closed_at, state) values
  (1, 1, 'sos', 3, 1, 9, '2026-03-02T07:40:00Z', '2026-03-02T07:40:00Z', '2026-03-02T08:05:00Z', 'resolved')
"""


@asynccontextmanager
async def running_bureau(database: TestDatabase, broker: TestBroker, **settings: Any) -> AsyncIterator[Platform]:
    """Two squads; R1 goes from D2001 to D2002 at eight."""
    async with running_platform(database, broker, **settings) as running:
        await running.sql(BUREAU)
        yield running


async def walk(
    platform: Platform, device: int, since: str, *, seconds: int, step: int = 5, late: bool = False, sid: int = 1
) -> None:
    values = {"device": device, "since": f"2026-03-02T{since}Z", "seconds": seconds, "step": step}
    await platform.sql(WALK, {**values, "late": late, "sid": sid})


async def ask(caller: Caller, what: str, *subjects: str, **more: Any) -> dict[str, Any]:
    answer = await caller.get(f"/review/{what}", params={**PERIOD, "subject": list(subjects), **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def track(platform: Platform, subject: str, **more: Any) -> dict[str, Any]:
    """What one subject came to, for somebody of the whole district."""
    [found] = (await ask(await platform.sign_in("supervisor"), "tracks", subject, **more))["subjects"]
    return dict(found)


def states_of(subject: dict[str, Any]) -> list[tuple[str, float, float]]:
    """State with its begin and end in hours of the day."""
    return [(one["state"], one["from_ms"] / HOUR_MS, one["to_ms"] / HOUR_MS) for one in subject["states"]]


def hours_of(piece: dict[str, Any]) -> tuple[float, float]:
    return (round(piece["t"][0] / HOUR_MS, 2), round(piece["t"][-1] / HOUR_MS, 2))
