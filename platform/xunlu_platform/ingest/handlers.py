"""What happens to a message, in order. Each handler has one idea; only a filter drops, and it counts what it drops.

A handler takes an item and the batch. A filter raises `ProtocolError` for the whole message, or removes single fixes
and refuses them on the batch; its `reason` is what is counted.
"""

import json
from collections.abc import Callable
from typing import Final

from xunlu_platform.ingest.batch import Batch, Item, instant
from xunlu_platform.ingest.decode import decode
from xunlu_platform.store.position_row import PositionRow
from xunlu_protocol.command import Reply
from xunlu_protocol.errors import ProtocolError
from xunlu_protocol.event import Event
from xunlu_protocol.fleet import FleetDevice
from xunlu_protocol.location import Location
from xunlu_protocol.shadow import Shadow
from xunlu_protocol.status import Birth, State, Telemetry

FUTURE_MS_MAX: Final = 5 * 60_000
AGE_MS_MAX: Final = 366 * 86_400_000
FIRST_PLAUSIBLE_MS: Final = 1_577_836_800_000  # 2020-01-01: before it no recorder of this protocol existed
SPEED_KMH_MAX: Final = 400.0
LATE_MS: Final = 60_000
ALARM_SEVERITY: Final = {"sos": 3, "fall": 2, "tamper": 2}


def identify(item: Item, batch: Batch) -> None:
    """Device, tenant and status: nobody writes for another, and who is not approved writes its state only."""
    device = batch.registry.get(item.did)
    if device is None:
        raise ProtocolError("unknown_device", f"No device is called {item.did}.")
    if item.tenant and device.tenant != item.tenant:
        raise ProtocolError("tenant", f"{item.did} does not belong to {item.tenant}.")
    if (item.kind == "s") != (device.kind == "station"):
        raise ProtocolError("kind", f"{item.did} is a {device.kind}.")
    if device.status == "disabled":
        raise ProtocolError("disabled", f"{item.did} is switched off by an administrator.")
    if device.status == "pending" and item.channel != "state":
        raise ProtocolError("pending", f"{item.did} is not approved yet and may write its state only.")
    item.device = device
    batch.touch(device)


def drop_shreds(item: Item, batch: Batch) -> None:
    """Refuse more sequences of a session that has too many holes: a sender in disorder must not fill the database."""
    content = item.content
    sid = (
        content.sid if isinstance(content, Event) else content[0].sid if isinstance(content, list) and content else None
    )
    if sid is not None and (item.identity.id, sid) in batch.shredded:
        raise ProtocolError("sequence", f"Session {sid} of {item.did} has too many holes; begin a new session.")


def drop_duplicates(item: Item, batch: Batch) -> None:
    """Leave out what is known to be stored; the database has the last word on the rest.

    Who sends something again has not heard the confirmation: it is said again. It is never noted as held here, where
    nothing is stored: a database that was restored from a backup then asks for what it lost.
    """
    device = item.identity
    if isinstance(item.content, list):
        fresh = [fix for fix in item.content if not _is_covered(batch, device.id, fix.sid, fix.seq)]
        batch.duplicates += len(item.content) - len(fresh)
        for sid in {fix.sid for fix in item.content} if len(fresh) < len(item.content) else ():
            batch.ask(device, sid)
        item.content = fresh
    elif isinstance(item.content, Event) and _is_covered(batch, device.id, item.content.sid, item.content.seq):
        batch.duplicates += 1
        batch.ask(device, item.content.sid)
        item.content = None


def _is_covered(batch: Batch, device_id: int, sid: int, seq: int | None) -> bool:
    return seq is not None and seq <= batch.covered.get((device_id, sid), -1)


def drop_implausible(item: Item, batch: Batch) -> None:
    """Times, speeds and places that cannot be: counted, kept as dead letters, and never asked for again."""
    if isinstance(item.content, list):
        good = []
        for fix in item.content:
            if complaint := _complaint(fix, item.received_ms):
                batch.refuse(item, *complaint)
                _give_up(batch, item, fix.sid, fix.seq)
            else:
                good.append(fix)
        item.content = good
    elif isinstance(item.content, Event) and (reason := _implausible_time(item.content.event_ms, item.received_ms)):
        _give_up(batch, item, item.content.sid, item.content.seq)
        raise ProtocolError(reason, f"The event's time is not plausible ({reason}).")


def _give_up(batch: Batch, item: Item, sid: int, seq: int | None) -> None:
    if seq is not None:
        batch.give_up(item.identity, sid, seq, seq)


def _complaint(fix: Location, received_ms: int) -> tuple[str, str] | None:
    if reason := _implausible_time(fix.fix_ms, received_ms):
        return reason, f"The fix time is not plausible ({reason}): {instant(fix.fix_ms).isoformat()}."
    if fix.lat == 0 and fix.lon == 0:
        return "null_island", "Latitude and longitude are exactly zero: that is a receiver without a fix."
    if fix.fix == 0:
        return "no_fix", "Quality 0 says that there is no fix; report it as telemetry."
    if fix.vel is not None and fix.vel > SPEED_KMH_MAX:
        return "speed", f"{fix.vel:.0f} km/h is faster than anything that wears a recorder."
    return None


def _implausible_time(ms: int, received_ms: int) -> str | None:
    if ms > received_ms + FUTURE_MS_MAX:
        return "future"
    if ms < FIRST_PLAUSIBLE_MS or ms < received_ms - AGE_MS_MAX:
        return "ancient"
    return None


def store_fixes(item: Item, batch: Batch) -> None:
    """Fixes become rows."""
    if not isinstance(item.content, list):
        return
    device, received_at, back_filled = item.identity, item.received_at, item.channel == "loc/hist"
    for fix in item.content:
        late = back_filled or bool(fix.hist) or item.received_ms - fix.fix_ms > LATE_MS
        batch.arrivals.positions[device.id, fix.sid, fix.sequence] = PositionRow(
            device_id=device.id,
            fix_at=instant(fix.fix_ms),
            sid=fix.sid,
            seq=fix.sequence,
            received_at=received_at,
            lat=fix.lat,
            lon=fix.lon,
            alt_m=fix.alt,
            speed_mps=_speed_mps(fix),
            course_deg=fix.cog,
            accuracy_m=fix.acc,
            hdop=fix.hdop,
            battery_percent=fix.batt,
            fix=fix.fix,
            sat=fix.sat,
            bds=fix.bds,
            late=late,
            rec=fix.rec,
        )
        batch.hold(device, fix.sid, fix.seq)
        if not late:
            batch.lag_ms = item.received_ms - fix.fix_ms


def store_condition(item: Item, batch: Batch) -> None:
    """Birth, availability, telemetry and reported configuration become rows."""
    device, content = item.identity, item.content
    row = {"device": device.id, "received_at": item.received_at}
    if isinstance(content, Birth):
        batch.arrivals.births.append({**row, "sid": content.sid, "birth": content.encode().decode()})
    elif isinstance(content, State):
        # A will was written when the connection began: what it tells is true from now on.
        at = item.received_at if content.why == "lost" else instant(min(content.tst * 1000, item.received_ms))
        batch.arrivals.states.append({**row, "sid": content.sid, "st": content.st, "why": content.why, "at": at})
    elif isinstance(content, Telemetry):
        at = instant(_within(content.tst * 1000, item.received_ms))
        batch.arrivals.telemetry.append({**row, "sid": content.sid, "at": at, "payload": content.encode().decode()})
    elif isinstance(content, Shadow):
        batch.arrivals.shadows.append({**row, "reported": content.encode().decode()})


def store_event(item: Item, batch: Batch) -> None:
    """Events become rows; the database raises the alarm in the same transaction."""
    event = item.content
    if not isinstance(event, Event):
        return
    batch.hold(item.identity, event.sid, event.seq)
    thinned_sid = event.sid if event.thinned_sid is None else event.thinned_sid
    for thinned in event.thinned or ():
        batch.give_up(item.identity, thinned_sid, thinned.first, thinned.last)
    batch.arrivals.events.append(
        {
            "device": item.identity.id,
            "at": instant(event.event_ms),
            "received_at": item.received_at,
            "sid": event.sid,
            "seq": event.sequence,
            "type": item.tail,
            "lat": event.lat,
            "lon": event.lon,
            "fix_at": instant(event.fix_tst * 1000) if event.fix_tst is not None else None,
            "payload": event.encode().decode(),
            "late": bool(event.hist) or item.received_ms - event.event_ms > LATE_MS,
            "severity": ALARM_SEVERITY.get(item.tail),
        }
    )


def store_reply(item: Item, batch: Batch) -> None:
    """Steps of a command's life become changes of its row."""
    reply = item.content
    if isinstance(reply, Reply):
        batch.arrivals.replies.append(
            {
                "device": item.identity.id,
                "rid": item.tail,
                "received_at": item.received_at,
                "st": reply.st,
                "code": reply.code,
                "why": reply.why,
                "progress": reply.progress,
                "result": json.dumps(reply.result) if reply.result is not None else None,
            }
        )


def show(item: Item, batch: Batch) -> None:
    """The newest of every device goes into the fleet frame."""
    if (change := _change(item)) is None:
        return
    before = batch.frame.get(item.did)
    if before is not None:
        if before.tms is not None and change.tms is not None and change.tms < before.tms:
            return
        change = before.model_copy(update=change.model_dump(exclude_unset=True))
    batch.frame[item.did] = change


def _change(item: Item) -> FleetDevice | None:
    content = item.content
    if isinstance(content, list):
        if not content:
            return None
        fix = max(content, key=lambda one: one.fix_ms)
        return FleetDevice(
            did=item.did,
            lat=fix.lat,
            lon=fix.lon,
            tms=fix.fix_ms,
            acc=fix.acc,
            speed=_speed_mps(fix),
            cog=fix.cog,
            sat=fix.sat,
            bds=fix.bds,
            rec=fix.rec or "",
        )
    if isinstance(content, State):
        at_ms = item.received_ms if content.why == "lost" else content.tst * 1000
        return FleetDevice(did=item.did, st=content.st, st_tms=at_ms, st_sid=content.sid, why=content.why)
    if isinstance(content, Telemetry):
        tele = content.model_dump(mode="json", exclude_none=True)
        return FleetDevice(did=item.did, batt=content.batt, rec=content.rec or "", tele=tele)
    return None


def _speed_mps(fix: Location) -> float | None:
    # OwnTracks writes -1 for "unknown".
    return round(fix.vel / 3.6, 3) if fix.vel is not None and fix.vel >= 0 else None


def _within(ms: int, received_ms: int) -> int:
    """A device's clock may be wrong; its telemetry is filed within a year around the arrival."""
    return ms if received_ms - AGE_MS_MAX <= ms <= received_ms + FUTURE_MS_MAX else received_ms


Handler = Callable[[Item, Batch], None]

FILTERS: tuple[Handler, ...] = (decode, identify, drop_shreds, drop_duplicates, drop_implausible)
"""A message that fails here goes no further."""

KEEPERS: tuple[Handler, ...] = (store_fixes, store_condition, store_event, store_reply, show)
"""One that fails here is logged, and the message goes on to the next."""
