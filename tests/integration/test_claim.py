"""Provisioning by claim at the real broker: refusals, nonsense, and the answer that counts."""

import asyncio
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.agent_rig import Recorder, session, task
from tests.services import TestBroker
from tests.unit.xunlu_edge.rig import HandClock
from xunlu_edge.identity import FILE_NAME, load_identity
from xunlu_edge.provisioning import claim
from xunlu_kit.errors import ConfigError
from xunlu_protocol.provision import ProvisionRequest
from xunlu_protocol.topics import PROVISION_REQUEST_FILTER, provision_response

pytestmark = pytest.mark.integration

ANSWER = b'{"status": "pending", "did": "d-9", "tenant": "main", "username": "d-9", "password": "told once"}'


class Desk:
    """Answers one recorder's claims, in order."""

    def __init__(self, serial: str) -> None:
        self.serial = serial
        self.answers: list[bytes] = []
        self.requests: list[ProvisionRequest] = []

    async def serve(self, broker: TestBroker, open_for_business: asyncio.Event) -> None:
        async with session(broker.account("xunlu-api"), PROVISION_REQUEST_FILTER) as api:
            open_for_business.set()
            async for message in api.messages():
                api.acknowledge(message)
                request = ProvisionRequest.decode(message.payload)
                if request.serial == self.serial:
                    self.requests.append(request)
                    await api.publish(provision_response(message.topic.rsplit("/", 1)[1]), self.answers.pop(0))


@pytest.fixture
def recorder(broker: TestBroker, tmp_path: Path) -> Recorder:
    return Recorder(broker, tmp_path)


@pytest.fixture
async def desk(broker: TestBroker, recorder: Recorder) -> AsyncIterator[Desk]:
    desk, ready = Desk(recorder.did), asyncio.Event()
    async with task(desk.serve(broker, ready), "desk"):
        await ready.wait()
        yield desk


@pytest.mark.parametrize(
    "first",
    [b'{"status": "refused", "why": "unknown serial"}', b'{"status": "pending"}', b"{", b'{"status": "perhaps"}'],
    ids=["refused", "without-identity", "no-json", "unknown-status"],
)
async def test_a_recorder_asks_until_it_is_answered_with_an_identity(
    desk: Desk, recorder: Recorder, first: bytes
) -> None:
    desk.answers = [first, ANSWER]
    identity = await claim(recorder.settings, HandClock())
    assert (identity.did, identity.password) == ("d-9", "told once")
    assert len(desk.requests) == 2
    assert load_identity(recorder.settings.state) == identity
    assert stat.S_IMODE((recorder.settings.state / FILE_NAME).stat().st_mode) == 0o600


async def test_a_claim_says_what_the_inspection_report_says(desk: Desk, recorder: Recorder) -> None:
    desk.answers = [ANSWER]
    await claim(recorder.settings.model_copy(update={"vendor": "Example", "model": "RX-5"}), HandClock())
    assert [(r.serial, r.vendor, r.model, r.kind) for r in desk.requests] == [
        (recorder.did, "Example", "RX-5", "recorder")
    ]


@pytest.mark.parametrize("file", [None, Path("gone")])
async def test_a_claim_without_password_says_what_to_set(recorder: Recorder, file: Path | None) -> None:
    with pytest.raises(ConfigError, match=r"claim password|CLAIM_PASSWORD_FILE"):
        await claim(recorder.settings.model_copy(update={"claim_password_file": file}), HandClock())
