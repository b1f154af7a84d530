"""Asking for live video: who may, what the recorder is told, and what is written down."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from tests.integration.api_client import Caller, Platform, running_platform
from tests.integration.ingest_rig import eventually
from tests.integration.live_rig import claims_of, frame, path, viewing
from tests.services import TestBroker, TestDatabase
from xunlu_kit.mqtt import Message, Session, SessionOptions, Subscription
from xunlu_protocol.command import LiveStart, Request
from xunlu_protocol.media import MediaFrame, RecordingOrder, worker_of
from xunlu_protocol.topics import media_frame, media_order, up

pytestmark = pytest.mark.integration

RELAYS = ("http://relay-1.example:8001", "https://relay-2.example/media", "http://relay-3.example")
INSIDE = tuple(f"http://10.0.0.{number}:8001" for number in range(3))
BIRTH = {"caps": ["record", "live"]}
JPEG = b"\xff\xd8\xff\xe0" + bytes(100)


@pytest_asyncio.fixture
async def platform(database: TestDatabase, broker: TestBroker) -> AsyncIterator[Platform]:
    settings = {"streaming_urls": RELAYS, "recorder_streaming_urls": INSIDE}
    async with running_platform(database, broker, **settings) as running:
        await running.sql(
            "insert into officer (tenant, unit_id, number, name) values ('main', 2, 'D2001', '王小明');"
            "insert into device (did, tenant, unit_id, kind, serial, vendor, model, status) values"
            " ('L1', 'main', 2, 'recorder', 'S1', 'Xunlu', 'SIM-4G', 'approved'),"
            " ('L2', 'main', 3, 'recorder', 'S2', 'Xunlu', 'SIM-4G', 'approved'),"
            " ('new', 'main', 2, 'recorder', 'S3', 'Xunlu', 'SIM-4G', 'pending'),"
            " ('gone', 'main', 2, 'recorder', 'S4', 'Xunlu', 'SIM-4G', 'disabled'),"
            " ('plain', 'main', 2, 'tracker', 'S5', 'Xunlu', 'GPS', 'approved'),"
            " ('away', 'main', 2, 'recorder', 'S6', 'Xunlu', 'SIM-4G', 'approved');"
        )
        await running.sql(
            "insert into device_state (device_id, availability, birth)"
            " select id, case when did = 'away' then 'offline' else 'online' end,"
            " case when kind = 'recorder' then %s::jsonb end from device",
            [json.dumps(BIRTH)],
        )
        await running.services.fleet.refresh()
        await running.services.mqtt.wait_connected()
        yield running


@pytest_asyncio.fixture
async def other(broker: TestBroker) -> AsyncIterator[Session]:
    """A process that may say and hear everything."""
    async with Session(broker.account("xunlu-streaming"), SessionOptions(client_id="other")) as session:
        await session.wait_connected()
        yield session
        # The broker is everybody's.
        await session.publish(media_order("main", "L1"), b"", retain=True)


async def until(condition: Callable[[], Any]) -> Any:
    async def check() -> Any:
        return condition()

    return await eventually(check)


async def hear(session: Session, topic: str) -> Callable[[], Awaitable[Message]]:
    """Subscribe; the answer waits for the next message."""
    await session.subscribe(Subscription(topic=topic))

    async def following() -> Message:
        async with asyncio.timeout(15):
            message = await anext(session.messages())
        session.acknowledge(message)
        return message

    return following


async def say(session: Session, told: MediaFrame) -> None:
    await session.publish(media_frame("main", told.worker), told.encode())


async def live(platform: Platform, session: Session, *dids: str, worker: str = "relay-1", **values: Any) -> None:
    """Let a relay say that devices are live, and wait until it is known."""
    await say(session, frame(worker, paths=[path(did, **values) for did in dids]))
    await until(lambda: set(dids) <= platform.services.relays.live.keys())


async def test_a_look_is_written_down_and_the_recorder_told_to_publish_at_the_same_worker(
    platform: Platform, database: TestDatabase, other: Session
) -> None:
    dispatcher = await platform.sign_in("dispatcher")
    command = await hear(other, "xunlu/v1/main/d/L1/dn/rpc/#")
    answer = await dispatcher.post("/live/L1")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    number = worker_of("L1", RELAYS)
    assert (told["whep"], told["live"], told["expires_s"]) == (f"{RELAYS[number]}/whep/L1", False, 60)
    play = claims_of(told["token"], database)
    assert (play.path, play.act, play.jti, play.exp - play.iat) == ("L1", "play", told["viewing"], 60)

    request = Request.decode((await command()).payload)
    start = LiveStart.parse(request.args)
    assert (request.rid, request.name) == (told["command"], "live_start")
    assert (start.whip, start.by, start.audio) == (f"{INSIDE[number]}/whip/L1", "dispatcher", True)
    publish = claims_of(start.token, database)
    assert (publish.path, publish.act, publish.jti, publish.exp - publish.iat) == ("L1", "publish", request.rid, 3600)

    [(seen, who)] = await platform.sql("select id, username from viewing")
    [(action, target, detail)] = await platform.sql("select action, target, detail from audit")
    assert (seen, action, target, detail) == (told["viewing"], "live.watch", "L1", {"viewing": told["viewing"]})
    assert who == play.sub


async def test_no_token_is_kept_anywhere(platform: Platform, other: Session) -> None:
    dispatcher = await platform.sign_in("dispatcher")
    command = await hear(other, "xunlu/v1/main/d/L1/dn/rpc/#")
    told = (await dispatcher.post("/live/L1", json={"audio": False})).json()
    start = LiveStart.parse(Request.decode((await command()).payload).args)
    assert not start.audio
    shown = (await dispatcher.get(f"/devices/L1/commands/{told['command']}")).json()
    assert shown["args"]["whip"] == start.whip
    assert "token" not in shown["args"]
    for table in ("command", "viewing", "audit"):
        [(text,)] = await platform.sql(f"select coalesce(jsonb_agg(t), '[]')::text from {table} t")
        assert told["token"] not in text
        assert start.token not in text


async def test_one_uplink_is_enough_for_all_who_ask(platform: Platform, other: Session) -> None:
    first, second = await platform.sign_in("dispatcher"), await platform.sign_in("supervisor")
    answers = await asyncio.gather(first.post("/live/L1"), second.post("/live/L1"))
    assert len({answer.json()["command"] for answer in answers}) == 1
    assert len({answer.json()["viewing"] for answer in answers}) == 2
    await live(platform, other, "L1")
    told = (await first.post("/live/L1")).json()
    assert (told["live"], told["command"]) == (True, None)
    assert await platform.sql("select count(*) from command") == [(1,)]
    assert await platform.sql("select count(*) from viewing") == [(3,)]


@pytest.mark.parametrize(
    ("did", "slug"),
    [("new", "pending"), ("gone", "disabled"), ("plain", "not-live-capable"), ("away", "offline")],
)
async def test_who_cannot_be_seen_is_named_with_what_to_do(platform: Platform, did: str, slug: str) -> None:
    answer = await (await platform.sign_in("dispatcher")).post(f"/live/{did}")
    assert (answer.status_code, answer.json()["type"]) == (409, f"/problems/{slug}")
    assert answer.json()["detail"]
    assert await platform.sql("select count(*) from viewing") == [(0,)]


async def test_a_recorder_whose_state_is_late_is_seen_when_its_path_is_live(platform: Platform, other: Session) -> None:
    await live(platform, other, "away")
    assert (await (await platform.sign_in("dispatcher")).post("/live/away")).json()["live"] is True


async def test_another_squad_has_no_such_recorder(platform: Platform, other: Session) -> None:
    await live(platform, other, "L1", "L2")
    west = await platform.sign_in("dispatcher", unit=3)
    for method, address, body in (
        ("POST", "/live/L1", {}),
        ("DELETE", "/live/L1", None),
        ("PUT", "/live/L1/recording", {"on": True}),
        ("GET", "/devices/L1/thumb", None),
    ):
        assert (await west.request(method, address, json=body)).status_code == 404, address
    assert [item["did"] for item in (await west.get("/live")).json()["items"]] == ["L2"]


async def test_live_video_is_started_with_its_token_or_not_at_all(platform: Platform) -> None:
    args = {"whip": "http://elsewhere.example/whip/L1", "token": "x"}
    dispatcher = await platform.sign_in("dispatcher")
    answer = await dispatcher.post("/devices/L1/commands", json={"name": "live_start", "args": args})
    assert (answer.status_code, "/live/" in answer.json()["detail"]) == (422, True)


async def test_a_person_can_end_a_publication(platform: Platform, other: Session) -> None:
    command = await hear(other, "xunlu/v1/main/d/L1/dn/rpc/#")
    answer = await (await platform.sign_in("dispatcher")).request("DELETE", "/live/L1")
    request = Request.decode((await command()).payload)
    assert (answer.status_code, request.rid, request.name) == (202, answer.json()["command"], "live_stop")
    assert await platform.sql("select action, target from audit") == [("live.stop", "L1")]


async def test_the_list_shows_what_relays_measure_and_who_watches(platform: Platform, other: Session) -> None:
    dispatcher = await platform.sign_in("dispatcher")
    await platform.sql(
        "insert into viewing (id, device_id, username, began_at, ended_at) values"
        " ('v1', 1, 'lin', now(), null), ('v2', 1, 'wang', now(), now()), ('v3', 1, 'chen', null, null)"
    )
    measured: dict[str, Any] = {
        "video": "H264",
        "width": 1280,
        "height": 720,
        "bitrate_bps": 900_000,
        "loss_percent": 0.5,
        "fps": 25,
    }
    await live(platform, other, "L1", viewers=1, recorded=True, **measured)
    await dispatcher.put("/live/L1/recording", json={"on": True})
    [item] = (await dispatcher.get("/live")).json()["items"]
    assert {name: item[name] for name in measured} == measured
    assert (item["did"], item["worker"], item["viewers"], item["recorded"]) == ("L1", "relay-1", 1, True)
    assert [watcher["user"] for watcher in item["watchers"]] == ["lin"]
    assert item["order"]["why"] == "hand"


async def test_the_fleet_tells_who_is_live_until_its_relay_falls_silent(
    platform: Platform, other: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = platform.services.fleet.devices["L1"].fields
    assert (fields["live"], fields["srec"]) == (None, False)
    await say(other, frame("relay-1", paths=[path("L1", viewers=2, recorded=True)]))
    await until(lambda: (fields["live"], fields["srec"]) == (2, True))
    # A second frame, and whatever is read from the database meanwhile, change nothing.
    await platform.services.fleet.refresh()
    assert fields["live"] == 2
    monkeypatch.setattr("xunlu_platform.dispatch.relays.SILENT_S", 0.0)
    await until(lambda: fields["live"] is None)
    assert (await (await platform.sign_in("dispatcher")).get("/live")).json()["items"] == []


async def test_a_frame_that_is_none_changes_nothing(platform: Platform, other: Session) -> None:
    for payload in (b"", b"{", b'{"worker": "../x", "tms": 1}', b'{"worker": "w", "tms": -1}'):
        await other.publish(media_frame("main", "relay-1"), payload)
    await live(platform, other, "L1")
    assert platform.services.relays.live.keys() == {"L1"}


async def test_an_order_by_hand_is_kept_retained_audited_and_given_once(platform: Platform, other: Session) -> None:
    dispatcher = await platform.sign_in("dispatcher")
    retained = await hear(other, media_order("main", "L1"))
    assert (await dispatcher.get("/live/L1/recording")).json() == {"did": "L1", "on": False, "order": None}
    first = (await dispatcher.put("/live/L1/recording", json={"on": True})).json()
    order = RecordingOrder.decode((await retained()).payload)
    assert (order.id, order.why, order.by) == (first["order"]["id"], "hand", first["order"]["by"])
    assert (await dispatcher.put("/live/L1/recording", json={"on": True})).json() == first
    assert (await retained()).payload == order.encode()
    assert (await dispatcher.get("/live/L1/recording")).json() == first
    assert (await dispatcher.put("/live/L1/recording", json={"on": False})).json()["on"] is False
    assert (await retained()).payload == b""
    actions = await platform.sql("select action from audit order by id")
    assert actions == [("recording.order",), ("recording.release",)]


async def test_a_second_reason_cuts_no_recording_in_two(platform: Platform, other: Session) -> None:
    await platform.sql("insert into recording_order (id, device_id, why) values ('sos-1', 1, 'sos')")
    dispatcher = await platform.sign_in("dispatcher")
    retained = await hear(other, media_order("main", "L1"))
    for wanted in (True, False):
        told = (await dispatcher.put("/live/L1/recording", json={"on": wanted})).json()
        assert (told["on"], told["order"]["id"]) == (True, "sos-1")
        assert RecordingOrder.decode((await retained()).payload).id == "sos-1"


async def test_viewings_are_listed_by_device_person_and_time(platform: Platform) -> None:
    await platform.sql(
        "insert into viewing (id, device_id, username, asked_at, began_at, ended_at, why) values"
        " ('v1', 1, 'lin', '2026-03-01T00:00:00Z', '2026-03-01T00:00:01Z', '2026-03-01T00:01:00Z', 'left'),"
        " ('v2', 1, 'wang', '2026-03-02T00:00:00Z', null, null, null),"
        " ('v3', 2, 'lin', '2026-03-03T00:00:00Z', null, null, null)"
    )
    supervisor = await platform.sign_in("supervisor")

    async def listed(caller: Caller = supervisor, **query: str) -> list[str]:
        return [item["id"] for item in (await caller.get("/viewings", params=query)).json()["items"]]

    assert await listed() == ["v3", "v2", "v1"]
    assert await listed(did="L1") == ["v2", "v1"]
    assert await listed(account="lin") == ["v3", "v1"]
    assert await listed(supervisor, **{"from": "2026-03-02T00:00:00Z", "to": "2026-03-03T00:00:00Z"}) == ["v2"]
    assert await listed(await platform.sign_in("auditor", unit=3)) == ["v3"]
    page = (await supervisor.get("/viewings?limit=2")).json()
    assert await listed(limit="2", after=page["next"]) == ["v1"]


async def test_the_newest_thumbnail_is_shown_and_whoever_sees_it_audited(platform: Platform, other: Session) -> None:
    dispatcher = await platform.sign_in("dispatcher")
    assert (await dispatcher.get("/devices/L1/thumb")).status_code == 404
    webp = b"RIFF\x10\x00\x00\x00WEBPVP8 "
    for image in (JPEG, webp, b"GIF89a", b"\xff\xd8\xff" + bytes(12 * 1024), b"RIFF\x00\x00\x00\x00WAVE"):
        await other.publish(up("main", "L1", "thumb"), image)
    await until(lambda: (newest := platform.services.thumbnails.newest("L1")) and newest.media_type == "image/webp")
    answer = await dispatcher.get("/devices/L1/thumb")
    assert (answer.content, answer.headers["content-type"]) == (webp, "image/webp")
    assert answer.headers["last-modified"].endswith("GMT")
    again = await dispatcher.get("/devices/L1/thumb", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert (await dispatcher.post("/thumbs/watch")).status_code == 204
    assert await platform.sql("select action from audit order by id") == [("thumb.see",), ("thumbs.watch",)]
    other_desk = await platform.sign_in("dispatcher")
    await other_desk.get("/devices/L1/thumb")
    seen = "select username, target from audit where action = 'thumb.see'"
    assert len(set(await platform.sql(seen))) == len(await platform.sql(seen)) == 2
    await platform.sql("update audit set at = at - interval '2 hours'")
    await dispatcher.get("/devices/L1/thumb")
    assert len(await platform.sql(seen)) == 3


async def test_memory_holds_a_bounded_number_of_thumbnails(
    platform: Platform, other: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xunlu_platform.api.thumbnails.THUMBNAILS_MAX", 2)
    thumbnails = platform.services.thumbnails
    for did in ("a", "b", "a", "c"):
        await other.publish(up("main", did, "thumb"), JPEG)
    await until(lambda: thumbnails.newest("c"))
    assert thumbnails.newest("a") is not None
    assert thumbnails.newest("b") is None


async def test_browsers_may_reach_the_relays_and_nothing_else(platform: Platform) -> None:
    policy = (await platform.client.get("/")).headers["content-security-policy"]
    origins = "http://relay-1.example:8001 https://relay-2.example http://relay-3.example ws://127.0.0.1:8010"
    assert f"connect-src 'self' {origins};" in policy
    assert "media-src 'self' blob:;" in policy


async def test_a_viewing_of_a_frame_shows_among_the_watchers_only_through_the_database(
    platform: Platform, other: Session
) -> None:
    """Frames are for pictures; who watches is what was written down."""
    await say(other, frame("relay-1", paths=[path("L1")], viewings=[viewing("made-up", "L1")]))
    await until(lambda: "L1" in platform.services.relays.live)
    [item] = (await (await platform.sign_in("dispatcher")).get("/live")).json()["items"]
    assert item["watchers"] == []
