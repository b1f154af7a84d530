"""What tests of incidents share: one of the morning of the day of `review_rig`, with its recordings on the disk."""

import hashlib
from pathlib import Path
from typing import Any

from tests.integration.api_client import Caller, Platform

HOUR = {"from": "2026-03-02T07:00:00Z", "to": "2026-03-02T08:00:00Z"}
VIDEO, SOUND = b"not a film, but bytes", b"OggS and more"

MEDIA = """
insert into recording (id, device_id, officer_id, why, file, started_at, ended_at, size_bytes, sha256, video, gaps,
    complete)
  select id, device, device, 'hand', file, at::timestamptz, at::timestamptz + interval '10 min', %(video)s,
    %(video_hash)s, 'H264', '[]', true
  from (values ('rec-1', 1, 'R1/a.mp4', '2026-03-02T07:10:00Z'), ('rec-2', 1, 'R1/gone.mp4', '2026-03-02T07:30:00Z'),
    ('rec-3', 3, 'R3/c.mp4', '2026-03-02T07:10:00Z'), ('rec-4', 1, 'R1/a.mp4', '2026-03-02T09:10:00Z'))
    as made (id, device, file, at)
"""
BURST = """
insert into burst (id, gid, unit_id, talker, device_id, officer_id, grant_number, urgency, file, started_at, ended_at,
    size_bytes, sha256, lost, complete)
  values ('b-1', 'unit-2', 2, 'R1', 1, 1, 1, 1, 'ptt/b.opus', '2026-03-02T07:15:00Z', '2026-03-02T07:15:04Z', %(sound)s,
    %(sound_hash)s, 0, true)
"""


async def film(platform: Platform, *, video: bytes = VIDEO, sound: bytes = SOUND) -> Path:
    """Recordings and a burst of R1; `rec-2` has no file, `rec-3` is of somebody else, `rec-4` of another hour."""
    folder = platform.services.settings.recordings
    for name, data in (("R1/a.mp4", video), ("R3/c.mp4", video), ("ptt/b.opus", sound)):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    values = {"video": len(video), "video_hash": hashlib.sha256(video).hexdigest()}
    await platform.sql(MEDIA, values)
    await platform.sql(BURST, {"sound": len(sound), "sound_hash": hashlib.sha256(sound).hexdigest()})
    return folder


async def make_incident(caller: Caller, **more: Any) -> dict[str, Any]:
    answer = await caller.post("/incidents", json={"title": "外滩走失儿童", **HOUR, "subjects": ["o1"], **more})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made
