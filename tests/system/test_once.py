"""Programs that do one thing and end."""

import sys

import pytest

from xunlu_deploy.errors import DeployError
from xunlu_deploy.once import run_once

pytestmark = pytest.mark.system


async def test_the_output_comes_back_and_the_environment_goes_in() -> None:
    code = "import os; print(os.environ['WORD'])"
    assert await run_once([sys.executable, "-c", code], {"WORD": "巡录"}, timeout_s=20) == "巡录\n"


async def test_a_failure_tells_what_was_said() -> None:
    code = "import sys; print('half done'); sys.exit('no disk left')"
    with pytest.raises(DeployError, match=r"(?s)failed with 1.*half done.*no disk left"):
        await run_once([sys.executable, "-c", code], {}, timeout_s=20)


async def test_a_failure_never_tells_a_password() -> None:
    code = "import sys; print('hunter2'); sys.exit('no disk left')"
    with pytest.raises(DeployError, match="no disk left") as caught:
        await run_once([sys.executable, "-c", code], {}, timeout_s=20, secret=True)
    assert "hunter2" not in str(caught.value)
