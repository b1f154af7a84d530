"""A recorder of the console's tests that is a real agent: what its officer's key does is what the platform said."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.console.bureau import Bureau, Worn
from tests.integration.agent_rig import device_accounts
from tests.integration.talk_officer import Officer
from tests.talk import until


@asynccontextmanager
async def on_the_air(bureau: Bureau, worn: Worn, state: Path) -> AsyncIterator[Officer]:
    """An officer whose agent has joined the radio net as it was invited."""
    officer = Officer(bureau.broker, state, worn.did)
    async with device_accounts(bureau.broker) as accounts:
        await accounts.put(worn.did, officer.recorder.password, "approved", "recorder")
        officer.recorder.know_itself()
        async with officer.recorder.running() as officer.agent:
            await until(lambda: officer.is_on_the_net, "the recorder did not join")
            yield officer
