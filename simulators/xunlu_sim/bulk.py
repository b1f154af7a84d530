"""A light crowd for load: thousands of devices over one MQTT connection, without an agent each.

The account must be allowed to write for all of them (the `server` role of a test broker). What it publishes is what
agents publish: locations with `sid` and `seq`, one a message, at QoS 1.
"""

import asyncio
import logging
import math
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

from xunlu_kit.mqtt import Broker
from xunlu_protocol.location import Location
from xunlu_protocol.topics import up
from xunlu_sim.wire import Publisher

log = logging.getLogger(__name__)

LINGER_S = 30.0
TICK_S = 0.005
BURST_MAX = 1000
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

    async def run(self, seconds: float) -> None:
        """Publish at the rate for a while; what the broker does not take in time slows it down, it never skips.

        Raises:
            TransportError: the broker hung up.
            TimeoutError: the broker did not take the rest within half a minute.
        """
        client_id = f"bulk-{random.getrandbits(32):08x}"
        async with asyncio.timeout(seconds + LINGER_S), Publisher(self.broker, client_id) as publisher:
            began_s = time.monotonic()
            due = 0
            while (passed_s := time.monotonic() - began_s) < seconds:
                target = int(min(passed_s + TICK_S, seconds) * self.per_s)
                # A broker that falls behind is not hit with all that is late at once.
                for number in range(due, min(target, due + BURST_MAX)):
                    device = self.devices[number % len(self.devices)]
                    payload = device.next_fix(time.time_ns() // 1_000_000).encode()
                    await publisher.publish(up(self.tenant, device.did, "loc"), payload)
                    due = number + 1
                await publisher.flush()
                await asyncio.sleep(TICK_S)
            await publisher.settle()
            self.sent = publisher.acknowledged
