"""A light crowd for load: thousands of devices over a few MQTT sessions, without an agent each.

The account must be allowed to write for all of them (the `server` role of a test broker). What it publishes is what
agents publish: locations with `sid` and `seq`, one a message, at QoS 1.
"""

import asyncio
import logging
import math
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from xunlu_kit.errors import TransportError
from xunlu_kit.mqtt import Broker, Session, SessionOptions
from xunlu_protocol.location import Location
from xunlu_protocol.topics import up

log = logging.getLogger(__name__)

IN_FLIGHT_MAX = 500
LINGER_S = 30.0
DEGREE_M = 111_194.93
CENTRE = (31.23, 121.48)
SPREAD_M = 2500.0


@dataclass(slots=True)
class BulkDevice:
    """One device of the crowd; it walks in a circle.

    Attributes:
        did: name.
        sid: session.
        seq: last sequence sent.
    """

    did: str
    lat: float
    lon: float
    phase: float
    sid: int = 1
    seq: int = 0

    def next_fix(self, now_ms: int) -> Location:
        """The next fix, of now."""
        self.seq += 1
        angle = self.phase + self.seq / 40
        return Location(
            kind="location",
            lat=round(self.lat + 0.0004 * math.sin(angle), 7),
            lon=round(self.lon + 0.0004 * math.cos(angle), 7),
            tst=now_ms // 1000,
            tms=now_ms,
            sid=self.sid,
            seq=self.seq,
            vel=4.5,
            cog=round(math.degrees(-angle) % 360, 1),
            acc=3.0,
            sat=21,
            bds=12,
            hdop=0.8,
            fix=1,
        )


def crowd(dids: Sequence[str], seed: int = 1, *, sid: int = 1) -> list[BulkDevice]:
    """Devices around the centre of the demo district."""
    rng = random.Random(seed)
    lat, lon = CENTRE
    out = []
    for did in dids:
        east, north = rng.gauss(0, SPREAD_M / 2), rng.gauss(0, SPREAD_M / 2)
        place = (lat + north / DEGREE_M, lon + east / (DEGREE_M * math.cos(math.radians(lat))))
        out.append(BulkDevice(did, *place, rng.uniform(0, math.tau), sid))
    return out


@dataclass(slots=True)
class Bulk:
    """A running crowd.

    Attributes:
        broker: where.
        devices: who.
        per_s: positions a second, all together.
        sent: positions that the broker has taken.
    """

    broker: Broker
    devices: list[BulkDevice]
    per_s: float
    tenant: str = "main"
    sent: int = 0
    _order: int = field(default=0, init=False)

    async def run(self, seconds: float) -> None:
        """Publish at the rate for a while; what the broker does not take in time slows it down, it never skips.

        Raises:
            TimeoutError: the broker did not take the rest within half a minute.
        """
        options = SessionOptions(client_id=f"bulk-{random.getrandbits(32):08x}")
        async with asyncio.timeout(seconds + LINGER_S), Session(self.broker, options) as session:
            await session.wait_connected()
            gate = asyncio.Semaphore(IN_FLIGHT_MAX)
            began_s = time.monotonic()
            due = 0
            async with asyncio.TaskGroup() as tasks:
                while (passed_s := time.monotonic() - began_s) < seconds:
                    target = int(passed_s * self.per_s)
                    while due < target:
                        await gate.acquire()
                        due += 1
                        tasks.create_task(self._send(session, gate))
                    await asyncio.sleep(0.005)

    async def _send(self, session: Session, gate: asyncio.Semaphore) -> None:
        device = self.devices[self._order % len(self.devices)]
        self._order += 1
        fix = device.next_fix(time.time_ns() // 1_000_000)
        topic, payload = up(self.tenant, device.did, "loc"), fix.encode()
        try:
            while True:
                try:
                    await session.publish(topic, payload)
                except TransportError:
                    await session.wait_connected()
                else:
                    break
            self.sent += 1
        finally:
            gate.release()
