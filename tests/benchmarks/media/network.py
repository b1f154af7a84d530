"""The program that is a bad network: two UDP proxies to one port, one for the publisher, one for the viewer.

Its first answer names their ports; `lose` and `find` take the publisher's network away and give it back.
"""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from tests.benchmarks.media.conversation import questions, say
from xunlu_sim.udp_impairment import UdpOptions, impaired_udp


@dataclass(frozen=True, kw_only=True, slots=True)
class NetworkPlan:
    """What is between the clients and the relay.

    Attributes:
        host: of the relay.
        port: of its media.
        up: options of the publisher's leg.
        down: options of the viewer's leg.
    """

    host: str
    port: int
    up: dict[str, Any]
    down: dict[str, Any]


async def main() -> None:
    """Carry datagrams until the input ends."""
    asked = questions()
    plan = NetworkPlan(**json.loads(await anext(asked)))
    async with (
        impaired_udp(plan.host, plan.port, UdpOptions(**plan.up)) as up,
        impaired_udp(plan.host, plan.port, UdpOptions(**plan.down)) as down,
    ):
        say({})
        async for question in asked:
            if question == "lose":
                up.lose()
            elif question == "find":
                up.find()
            say(
                {
                    "up": up.port,
                    "down": down.port,
                    "carried": up.carried + down.carried,
                    "dropped": up.dropped + down.dropped,
                }
            )


if __name__ == "__main__":
    asyncio.run(main())
