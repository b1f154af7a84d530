"""Nothing is lost and nothing is doubled, whatever is killed."""

from pathlib import Path

import pytest

from tests.system.endurance import endurance, run_rounds

pytestmark = [pytest.mark.system, pytest.mark.timeout(400)]

ROUNDS = 20


async def test_twenty_kills_of_anything_lose_and_double_nothing(tmp_path: Path) -> None:
    async with endurance(tmp_path, recorders=10, period_s=0.2) as chain:
        verdict = await run_rounds(chain, rounds=ROUNDS, seed=20261124)
        assert verdict.is_clean, verdict
        assert verdict.held > 1000
        assert chain.kills.total() == ROUNDS
        assert chain.unconfirmed == 0, "the outboxes let go of everything that is stored"
