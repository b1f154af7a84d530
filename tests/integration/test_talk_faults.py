"""What goes wrong on a radio net: keys that stick, people who vanish, forgers, lost packets, a killed server."""

import asyncio
import json
import signal
import socket
import sqlite3
import time
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import OKPKey
from websockets.asyncio.client import connect

from tests.integration.talk_rig import GRACE_S, TENANT, Net, running_net
from tests.media import free_udp_port
from tests.services import TestBroker, free_ports
from tests.talk import Participant, Talk, running_talk, sign, until
from xunlu_kit.mqtt import Message
from xunlu_protocol.base import Wire
from xunlu_protocol.talk import Deny, FloorState, Granted, Hello, Idle, Problem, Revoke, Taken, from_server
from xunlu_protocol.talk_reports import FloorEntry, TalkAck, TalkLog
from xunlu_protocol.topics import floor, talk_ack, talk_log
from xunlu_sim.udp_impairment import UdpOptions, impaired_udp

pytestmark = pytest.mark.integration


async def pair(net: Net, **claims: Any) -> tuple[str, Participant, Participant]:
    gid = await net.group("a", "b")
    a, b = net.person("a", 440, **claims), net.person("b", 900)
    await asyncio.gather(a.join(gid), b.join(gid))
    return gid, a, b


async def test_a_stuck_key_is_revoked_and_its_sound_stops(broker: TestBroker, tmp_path: Path) -> None:
    async with running_net(broker, tmp_path, talk_longest_s=3, talk_retry_after_s=30) as net:
        gid, a, b = await pair(net)
        await a.press(gid)
        await b.hears(a)
        revoke = await a.told(Revoke, gid=gid, cause="too_long")
        assert 0 < revoke.left_s <= GRACE_S
        await b.told(Idle, gid=gid)
        await a.press(gid)
        await a.told(Deny, gid=gid, cause="wait")


async def test_a_talker_that_falls_silent_or_vanishes_loses_the_floor(broker: TestBroker, tmp_path: Path) -> None:
    async with running_net(broker, tmp_path) as net:
        gid, a, b = await pair(net)
        await a.press(gid)
        await b.hears(a)
        a.microphone.pressed.clear()
        await b.told(Idle, gid=gid)
        await a.press(gid)
        await b.told(Taken, gid=gid)
        await a.vanish()
        await b.told(Idle, gid=gid)
        await b.press(gid)
        await b.told(Deny, gid=gid, cause="alone")


async def test_a_talker_that_comes_back_on_another_line_keeps_the_floor(broker: TestBroker, tmp_path: Path) -> None:
    async with running_net(broker, tmp_path) as net:
        gid, a, b = await pair(net)
        await a.press(gid)
        grant = (await a.told(Granted, gid=gid)).grant
        await b.hears(a)
        a.socket.transport.abort()
        again = net.person("a", 1500)
        again.microphone.pressed.set()
        await again.join(gid)
        assert (await again.told(Granted, gid=gid)).grant == grant
        await b.hears(again)


async def test_of_two_requests_at_once_one_is_granted(broker: TestBroker, tmp_path: Path) -> None:
    async with running_net(broker, tmp_path) as net:
        gid, a, b = await pair(net)
        await asyncio.gather(a.press(gid, wait=False), b.press(gid, wait=False))
        await until(lambda: sum(isinstance(m, Granted | Deny) for one in (a, b) for m in one.said) == 2)
        told = [type(m) for one in (a, b) for m in one.said if isinstance(m, Granted | Deny)]
        assert set(told) == {Granted, Deny}


async def test_forgers_and_nonsense_are_refused_in_words(broker: TestBroker, tmp_path: Path) -> None:
    async with running_net(broker, tmp_path) as net:
        gid = await net.group("a", "b")
        talk = net.talk
        other_key = sign_with_another_key()
        expired = talk.token("a", exp=1)
        hello = {"t": "hello", "sdp": "v=0", "main": gid}
        for sent, slug in (
            ("nonsense", "message"),
            (json.dumps({"t": "request", "gid": gid}), "message"),
            (json.dumps(hello | {"token": "x"}), "token-malformed"),
            (json.dumps(hello | {"token": other_key}), "token-malformed"),
            (json.dumps(hello | {"token": expired}), "token-expired"),
            (json.dumps(hello | {"token": talk.token("a")}), "offer-media"),
        ):
            async with connect(talk.url) as one:
                await one.send(sent)
                problem = from_server(str(await one.recv()).encode())
                assert isinstance(problem, Problem)
                assert (problem.slug, problem.final) == (slug, True)
        stranger = await net.person("stranger", path="/9/").join(gid)
        await stranger.press(gid)
        await stranger.told(Deny, gid=gid, cause="receive_only")
        await stranger.socket.send("{}")
        await stranger.told(Problem, slug="message")


def sign_with_another_key() -> str:
    return sign(OKPKey.generate_key("Ed25519").as_pem(private=True).decode(), "a")


async def test_floors_are_published_and_the_log_is_told_until_confirmed(broker: TestBroker, tmp_path: Path) -> None:
    async with running_net(broker, tmp_path, floor(TENANT, "+"), talk_log(TENANT)) as net:
        heard: list[tuple[Message, Wire]] = []

        async def hear() -> None:
            async for message in net.session.messages():
                net.session.acknowledge(message)
                if message.payload:
                    kind = FloorState if message.topic.endswith("/floor") else TalkLog
                    heard.append((message, kind.decode(message.payload)))

        hearing = asyncio.create_task(hear())
        gid, a, b = await pair(net, did="rec-7")

        def states() -> list[FloorState]:
            return [one for _, one in heard if isinstance(one, FloorState) and one.gid == gid]

        def entries() -> list[str]:
            logs = [one for _, one in heard if isinstance(one, TalkLog)]
            return [entry.what for log in logs for entry in log.entries if entry.gid == gid]

        await until(lambda: states() and states()[0].talker is None)
        await a.press(gid)
        await b.hears(a)
        await a.let_go(gid)
        await until(lambda: states()[-1].talker is None and any(one.talker for one in states()))
        taken = next(one for one in states() if one.talker)
        assert (taken.talker, taken.did, taken.epoch) == ("a", "rec-7", states()[-1].epoch)
        assert taken.epoch > states()[0].epoch
        await until(lambda: "released" in entries())
        assert [one for one in entries() if one in ("granted", "released")][:2] == ["granted", "released"]
        logs = [one for _, one in heard if isinstance(one, TalkLog)]
        ids = tuple(entry.id for log in logs for entry in log.entries)
        await net.session.publish(talk_ack(TENANT, "log"), TalkAck(entries=ids).encode())
        hearing.cancel()


async def test_after_a_kill_everybody_is_back_and_grants_rise(broker: TestBroker, tmp_path: Path) -> None:
    ports = {"talk_port": free_ports(1)[0], "talk_media_port": free_udp_port()}
    async with running_net(broker, tmp_path, **ports) as net:
        gid, a, b = await pair(net)
        await a.press(gid)
        grant = (await a.told(Granted, gid=gid)).grant
        await b.hears(a)
        net.talk.process.send_signal(signal.SIGKILL)
        await net.talk.process.wait()
        async with running_net(broker, tmp_path, **ports) as after:
            c, d = after.person("a", 440), after.person("b", 900)
            await asyncio.gather(c.join(gid), d.join(gid))
            await c.press(gid)
            again = await c.told(Granted, gid=gid)
            assert again.grant > grant
            await d.hears(c)


async def test_the_floor_log_of_a_killed_server_is_told_by_the_next_one(broker: TestBroker, tmp_path: Path) -> None:
    ports = {"talk_port": free_ports(1)[0], "talk_media_port": free_udp_port()}
    async with running_net(broker, tmp_path, talk_log(TENANT), **ports) as net:
        told: list[FloorEntry] = []

        async def hear() -> None:
            async for message in net.session.messages():
                net.session.acknowledge(message)
                told.extend(TalkLog.decode(message.payload).entries)

        async def restart(talk: Talk) -> Talk:
            talk.process.send_signal(signal.SIGKILL)
            await talk.process.wait()
            told.clear()
            return await stack.enter_async_context(running_talk(broker, tmp_path, **ports))

        def happened(gid: str) -> list[str]:
            return [entry.what for entry in told if entry.gid == gid]

        hearing = asyncio.create_task(hear())
        async with AsyncExitStack() as stack:
            gid, a, b = await pair(net)
            await a.press(gid)
            await b.hears(a)
            talk = await restart(net.talk)
            await until(lambda: "interrupted" in happened(gid), "what was not confirmed is told again")
            assert happened(gid) == ["joined", "joined", "granted", "interrupted"]
            await net.session.publish(talk_ack(TENANT, "log"), TalkAck(entries=tuple(one.id for one in told)).encode())
            await until(lambda: not kept(tmp_path), "what is confirmed stays on the disk")
            net.talk = await restart(talk)
            await net.person("a").join(gid)
            await until(lambda: "joined" in happened(gid))
            assert happened(gid) == ["joined"], "what was confirmed is not told again"
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)


def kept(folder: Path) -> int:
    """How many entries of the floor log are on the disk."""
    with closing(sqlite3.connect(folder / "floor-log.db")) as database:
        [(count,)] = database.execute("select count(*) from entry")
    return int(count)


@pytest.mark.parametrize("options", [UdpOptions(loss=0.1, delay_s=0.02, jitter_s=0.01), UdpOptions(jitter_s=0.5)])
async def test_a_tenth_of_the_packets_lost_or_half_a_second_of_jitter_leaves_speech(
    broker: TestBroker, tmp_path: Path, options: UdpOptions
) -> None:
    async with running_net(broker, tmp_path, talk_longest_s=20) as net:
        gid = await net.group("a", "b")
        a, b = net.person("a", 440), net.person("b", 900)
        async with impaired_udp("127.0.0.1", net.talk.media_port, options) as link:
            await asyncio.gather(a.join(gid, port=link.port), b.join(gid, port=link.port))
            await a.press(gid)
            await b.hears(a, 100)


async def test_the_tap_tells_of_bursts_and_carries_their_packets(broker: TestBroker, tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    async with running_net(broker, tmp_path) as net:
        gid, a, b = await pair(net)
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as tap:
            tap.setblocking(False)
            await loop.sock_connect(tap, str(tmp_path / "ptt.tap"))
            await loop.sock_sendall(tap, b'{"take": "*"}')
            await a.press(gid)
            await b.hears(a)
            await a.let_go(gid)
            heard: list[bytes] = []
            async with asyncio.timeout(10):
                while not heard or heard[-1][:1] != b"E":
                    heard.append(await loop.sock_recv(tap, 4096))
        told, ended = json.loads(heard[0][1:]), json.loads(heard[-1][1:])
        assert heard[0][:1] == b"B"
        assert (told["gid"], told["talker"], told["burst"]) == (gid, "a", ended["burst"])
        assert ended["why"] == "released"
        assert len(heard) > 10
        assert {one[:1] for one in heard[1:-1]} == {b"R"}


async def test_a_full_net_says_when_to_come_again(broker: TestBroker, tmp_path: Path) -> None:
    async with running_net(broker, tmp_path, talk_participants_max=1) as net:
        gid = await net.group("a", "b")
        a, b = net.person("a"), net.person("b")
        await a.join(gid)
        joining = asyncio.create_task(b.join(gid))
        problem = await b.told(Problem, slug="overloaded")
        assert problem.final
        assert "Try again in" in problem.detail
        joining.cancel()
        await asyncio.gather(joining, return_exceptions=True)


async def test_a_storm_of_five_hundred_does_not_delay_those_who_talk(broker: TestBroker, tmp_path: Path) -> None:
    async with running_net(broker, tmp_path, talk_opening_max=50) as net:
        gid, a, b = await pair(net)
        sdp = a.connection.localDescription.sdp

        async def knock(number: int) -> str:
            """Say hello and never shake hands."""
            async with connect(net.talk.url, open_timeout=30) as one:
                await one.send(Hello(token=net.talk.token(f"s{number}"), sdp=sdp, main=gid).encode().decode())
                return from_server(str(await one.recv()).encode()).t

        storm = [asyncio.create_task(knock(number)) for number in range(500)]
        began_s = time.monotonic()
        await a.press(gid)
        await a.told(Granted, gid=gid)
        access_s = time.monotonic() - began_s
        await b.hears(a)
        answers = await asyncio.gather(*storm)
        assert set(answers) <= {"welcome", "problem"}
        assert access_s < 5, "with five hundred clients in this very process"


async def test_a_server_that_stops_in_order_leaves_no_floor_taken(broker: TestBroker, tmp_path: Path) -> None:
    async with running_net(broker, tmp_path, floor(TENANT, "+")) as net:
        gid, a, b = await pair(net)
        await a.press(gid)
        await b.hears(a)
        net.talk.process.terminate()
        async with asyncio.timeout(10):
            assert await net.talk.process.wait() == 0
            async for message in net.session.messages():
                net.session.acknowledge(message)
                state = FloorState.decode(message.payload) if message.payload else None
                if state is not None and state.gid == gid and state.talker is None and state.epoch:
                    break
