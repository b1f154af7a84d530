"""The radio net: how somebody joins it, which groups there are, and who talks."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path

from xunlu_platform.api.access import allow
from xunlu_platform.api.audit import record
from xunlu_platform.api.devices import UnitName
from xunlu_platform.api.paging import After, Answer, Limit, Page, decode_cursor, page
from xunlu_platform.api.problems import Problem, conflict, not_found
from xunlu_platform.api.services import Services, Serving
from xunlu_platform.auth.logins import Caller
from xunlu_platform.auth.talk_tokens import PERSON_LIVE_S
from xunlu_platform.dispatch.talk_groups import tell_group
from xunlu_platform.store.store import Row, Session
from xunlu_protocol.talk import GroupKind, Urgency

router = APIRouter(prefix="/talk", tags=["talk"])

SESSION_GROUPS_MAX = 500

Gid = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="Name of the talk group.")]


class Member(Answer):
    """Somebody of a group: `id` as on the radio net, a device or `u-` and an account."""

    id: str
    name: str
    number: str | None
    did: str | None
    listener: bool


class Talker(Answer):
    """Who has the floor, at the latest until when."""

    id: str
    name: str | None
    did: str | None
    urgency: Urgency
    until: datetime


class Group(Answer):
    """A talk group; its unit and those of its members whom the reader may see."""

    gid: str
    name: str
    kind: GroupKind
    unit: UnitName | None
    duplex: bool
    created_at: datetime
    until: datetime | None
    members: list[Member]
    talker: Talker | None


class SessionGroup(Answer):
    """A group that the session may tune to."""

    gid: str
    name: str
    kind: GroupKind
    duplex: bool


class TalkSession(Answer):
    """How to join `/ptt`.

    Attributes:
        url: of the WebSocket.
        token: for its `hello`; good to begin with for `expires_s` seconds.
        me: the participant that the caller is.
        main: the group that fits best, if there is one.
        groups: all in scope, at most 500.
    """

    url: str
    token: str
    me: str
    main: str | None
    groups: list[SessionGroup]
    expires_s: int


@router.post("/session")
async def begin(services: Serving, caller: Annotated[Caller, allow("talk")]) -> TalkSession:
    """Join the radio net: an address and a token for one hour."""
    async with services.store.session(caller.scope) as session:
        me = await session.one("talk", "caller", {"account_id": caller.account_id})
        rows = await session.all("talk", "joinable", {"limit": SESSION_GROUPS_MAX})
    if me is None:
        title, detail = "Nobody is at this account.", "An administrator must connect it to an officer first."
        raise conflict("no-officer", title, detail)
    groups = [SessionGroup(**row) for row in rows]
    main = f"unit-{me['unit_id']}"
    return TalkSession(
        url=services.settings.talk_websocket,
        token=services.talk_tokens.person(caller, me),
        me=me["person"],
        main=main if any(group.gid == main for group in groups) else None,
        groups=groups,
        expires_s=PERSON_LIVE_S,
    )


@router.get("/groups")
async def groups(
    services: Serving, caller: Annotated[Caller, allow("talk")], limit: Limit = 100, after: After = None
) -> Page[Group]:
    """Open talk groups by their name in topics, and who has the floor now."""
    values = {"gid": None, "after": decode_cursor(after, str), "limit": limit + 1}
    async with services.store.session(caller.scope) as session:
        rows = await session.all("talk", "page", values)
    cut = page([{"row": row} for row in rows], limit, lambda item: item["row"]["gid"])
    items = [shown(services, row) for row in rows[:limit]]
    return Page(items=items, next=cut["next"])


@router.delete("/groups/{gid}", status_code=HTTPStatus.NO_CONTENT)
async def close(services: Serving, caller: Annotated[Caller, allow("talk")], gid: Gid) -> None:
    """End a group; whoever talks in it is cut off. What was said in it stays."""
    async with services.store.session(caller.scope) as session:
        group = await one_group(session, gid)
        require_desk(caller)
        if group["kind"] == "squad":
            title = "The group of a unit follows the organisation."
            raise conflict("squad-group", title, "It is there as long as its unit.")
        await session.run("talk", "close", {"gid": gid})
        await record(session, caller, "talk.close", gid, name=group["name"])
    await tell_group(services.mqtt, services.settings.tenant, gid, None)


async def one_group(session: Session, gid: str) -> Row:
    """An open group within the scope, or 404."""
    row = await session.one("talk", "page", {"gid": gid, "after": None, "limit": 1})
    if row is None:
        raise not_found("talk group")
    return row


def require_desk(caller: Caller) -> None:
    """Refuse an officer: groups are made and ended at a desk."""
    if caller.role == "officer":
        detail = "Ask the dispatcher. An SOS calls those who are near by itself."
        raise Problem(HTTPStatus.FORBIDDEN, "forbidden", "Officers make and end no talk groups.", detail)


def shown(services: Services, row: Row) -> Group:
    """A group with who has its floor."""
    state = services.floors.of(row["gid"])
    talker = None
    if state is not None and state.talker is not None and state.until is not None:
        until = datetime.fromtimestamp(state.until / 1000, UTC)
        talker = Talker(id=state.talker, name=state.name, did=state.did, urgency=state.urgency, until=until)
    return Group(**row, talker=talker)
