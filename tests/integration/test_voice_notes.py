"""From the desk to the ear of an officer: real API, jobs, ingest, broker and agent, though each of them may die."""

import asyncio
import dataclasses
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from tests.integration.agent_rig import Recorder, device_accounts
from tests.integration.ingest_rig import Rig, eventually, rig
from tests.processes import Api, platform_environment, running, running_api
from tests.services import TestBroker, TestDatabase
from tests.sound import voice_note
from xunlu_edge.errors import DeviceError
from xunlu_kit.clock import SystemClock
from xunlu_platform.auth.logins import hash_token
from xunlu_sim.hardware import Loudspeaker, Speaker

pytestmark = pytest.mark.integration

TOKEN = secrets.token_urlsafe(32)
PIECES_A_SECOND = 50


class Ear(Loudspeaker):
    """A loudspeaker that somebody else may be using."""

    def __init__(self) -> None:
        super().__init__()
        self.taken = False

    def open(self) -> "Ear":
        if self.taken:
            raise DeviceError("The loudspeaker is in use.")
        return self


@dataclasses.dataclass
class Bureau:
    """A desk, and a recorder that can be switched on."""

    made: Rig
    api: Api
    recorder: Recorder
    ear: Ear
    speaker: Speaker
    jobs: dict[str, str]

    async def leave(self, duration_s: float) -> str:
        """Leave a note for the recorder; returns its name."""
        async with httpx2.AsyncClient() as client:
            answer = await client.post(
                f"{self.api.url}/api/v1/messages/voice",
                params={"to": self.recorder.did},
                content=voice_note(duration_s),
                headers={"Authorization": f"Bearer {TOKEN}"},
            )
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    async def states(self) -> list[str]:
        """How far the orders came, the oldest first, as the desk sees it."""
        async with httpx2.AsyncClient() as client:
            headers = {"Authorization": f"Bearer {TOKEN}"}
            answer = await client.get(f"{self.api.url}/api/v1/messages", headers=headers)
        return [str(one["targets"][0]["state"]) for one in reversed(answer.json()["items"])]

    async def played(self) -> bool:
        return set(await self.states()) == {"read"}


@pytest_asyncio.fixture
async def bureau(database: TestDatabase, broker: TestBroker, tmp_path: Path) -> AsyncIterator[Bureau]:
    async with AsyncExitStack() as stack:
        made = await stack.enter_async_context(rig(database, broker))
        await stack.enter_async_context(made.working())
        accounts = await stack.enter_async_context(device_accounts(broker))
        recorder, ear = Recorder(broker, tmp_path / "state"), Ear()
        speaker = Speaker(SystemClock())
        recorder.hardware = dataclasses.replace(recorder.hardware, loudspeaker=ear, speaker=speaker)
        await accounts.put(recorder.did, recorder.password, "approved", "recorder")
        recorder.know_itself()
        await _enrol(made, recorder.did)
        api = await stack.enter_async_context(running_api(database, broker))
        yield Bureau(made, api, recorder, ear, speaker, platform_environment(database, broker, recorder_url=api.url))


async def _enrol(made: Rig, did: str) -> None:
    known = await made.device()
    await made.connection.execute("update device set did = %s where did = %s", [did, known])
    await made.connection.execute(
        "insert into account (unit_id, username, display_name, role, password_hash, must_change_password)"
        " select unit_id, 'desk', '调度', 'dispatcher', 'x', false from device where did = %s",
        [did],
    )
    await made.connection.execute(
        "insert into login (token_hash, account_id, kind, csrf_token, expires_at)"
        " select %s, id, 'bearer', '', now() + interval '1 hour' from account",
        [hash_token(TOKEN)],
    )


async def test_notes_wait_for_a_recorder_that_is_away_and_are_played_in_their_order(bureau: Bureau) -> None:
    async with running("xunlu_platform", "jobs", environment=bureau.jobs):
        await bureau.leave(0.6)
        await bureau.leave(0.2)
        assert await bureau.states() == ["waiting", "waiting"]
        async with bureau.recorder.running():
            await eventually(bureau.played, timeout_s=40)
    assert bureau.ear.count == pytest.approx(0.8 * PIECES_A_SECOND, abs=4)
    assert await _commands(bureau) == [("play_note", "done"), ("play_note", "done")]
    assert await bureau.made.rows("select args from command where args ? 'token'") == []


async def test_a_note_is_played_once_though_jobs_and_recorder_die_on_the_way(bureau: Bureau) -> None:
    bureau.ear.taken = True
    await bureau.leave(0.4)
    async with bureau.recorder.running(), running("xunlu_platform", "jobs", environment=bureau.jobs) as jobs:

        async def failed() -> bool:
            return ("play_note", "failed") in await _commands(bureau)

        await eventually(failed, timeout_s=40)
        assert await bureau.states() == ["waiting"]
        jobs.kill()
        await jobs.wait()
    # Kept on the recorder; its life goes on with another session, and the wait before the next try is over.
    assert await asyncio.to_thread(lambda: len(list((bureau.recorder.settings.state / "notes").iterdir()))) == 1
    bureau.ear.taken = False
    await bureau.made.connection.execute("update command set finished_at = finished_at - interval '1 minute'")
    async with running("xunlu_platform", "jobs", environment=bureau.jobs), bureau.recorder.running():
        await eventually(bureau.played, timeout_s=40)
    assert bureau.ear.count == pytest.approx(0.4 * PIECES_A_SECOND, abs=3)
    assert (await _commands(bureau))[-1] == ("play_note", "done")


async def test_an_order_by_text_whose_sender_died_is_read_aloud_once(bureau: Bureau) -> None:
    await bureau.made.connection.execute(
        "with order_ as (insert into message (id, unit_id, target, text, speak, account_id, username)"
        " select 'm1', unit_id, %s, '回中队', true, id, username from account returning id),"
        " unsent as (insert into command (rid, device_id, name, args, created_at, expires_at)"
        " select 'c1', id, 'say_text', '{\"text\": \"回中队\"}', now() - interval '1 minute', now() + interval '1 hour'"
        " from device where did = %s returning rid)"
        " insert into message_target (message_id, person, rid) select order_.id, %s, rid from order_, unsent",
        [bureau.recorder.did, bureau.recorder.did, bureau.recorder.did],
    )
    async with running("xunlu_platform", "jobs", environment=bureau.jobs), bureau.recorder.running():
        await eventually(bureau.played, timeout_s=60)
    assert list(bureau.speaker.said) == ["回中队"]


async def _commands(bureau: Bureau) -> list[tuple[Any, Any]]:
    rows = await bureau.made.rows("select name, state from command order by created_at")
    return [(row["name"], row["state"]) for row in rows]
