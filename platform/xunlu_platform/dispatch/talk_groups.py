"""Talk groups as the talk server is told of them: retained by the broker, as the database has them."""

import functools
import logging

from xunlu_kit.errors import TransportError
from xunlu_kit.mqtt import Session as MqttSession
from xunlu_platform.dispatch.publish import publish
from xunlu_platform.store.store import Row
from xunlu_protocol.talk import MEMBERS_MAX, TalkGroup
from xunlu_protocol.topics import talk_group

log = logging.getLogger(__name__)


def group_message(row: Row | None) -> bytes:
    """What is retained for a group (query `published` of `sql/talk.sql`); nothing withdraws it.

    Nobody makes a group that is too large, but its units may grow: whoever may talk stays in it then.
    """
    if row is None:
        return b""
    members, listeners = row["members"], {*row["listeners"]}
    if len(members) > MEMBERS_MAX:
        _warn(row["gid"], len(members) - MEMBERS_MAX)
        members = sorted(members, key=lambda person: person in listeners)[:MEMBERS_MAX]
    named = set(members)
    return TalkGroup(
        gid=row["gid"],
        name=row["name"],
        kind=row["kind"],
        path=row["path"],
        members=tuple(members),
        listeners=tuple(person for person in row["listeners"] if person in named),
        duplex=row["duplex"],
        until=None if row["until"] is None else int(row["until"].timestamp()),
    ).encode()


@functools.lru_cache(maxsize=1000)
def _warn(gid: str, count: int) -> None:
    """Once for each number, however often the group is told."""
    log.warning("members left out of a talk group: make smaller ones", extra={"gid": gid, "count": count})


async def tell_group(mqtt: MqttSession, tenant: str, gid: str, row: Row | None) -> None:
    """Tell the talk server at once what was committed; what gets lost, the jobs process mends."""
    try:
        await publish(mqtt, talk_group(tenant, gid), group_message(row), retain=True)
    except TransportError as error:
        log.warning("talk group not published", extra={"gid": gid, "error": str(error)})
