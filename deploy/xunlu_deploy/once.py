"""Programs that do one thing and end."""

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

from xunlu_deploy.errors import DeployError
from xunlu_deploy.privilege import command

ERROR_BYTES_MAX = 4000


async def run_once(
    argv: Sequence[str | Path],
    environment: Mapping[str, str],
    *,
    timeout_s: float,
    secret: bool = False,
    show: bool = False,
) -> str:
    """Run a program to its end.

    Args:
        argv: program and arguments.
        environment: added to ours.
        timeout_s: after which it is killed.
        secret: its standard output holds passwords and stays out of messages.
        show: its standard error goes to ours as it comes, for steps that take long.

    Returns:
        Its standard output.

    Raises:
        DeployError: it failed or took too long; the message carries its last words.
    """
    name = " ".join([Path(argv[0]).name, *map(str, argv[1:2])])
    child = await asyncio.create_subprocess_exec(
        *command(argv),
        env={**os.environ, **environment},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=None if show else asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(timeout_s):
            output, errors = await child.communicate()
    except TimeoutError:
        raise DeployError(f"{name} did not end within {timeout_s:.0f} s.") from None
    finally:
        if child.returncode is None:
            # It leads a session of its own: what it has started ends with it.
            os.killpg(child.pid, signal.SIGKILL)
            await child.wait()
    if child.returncode:
        said = ((b"" if secret else output) + (errors or b""))[-ERROR_BYTES_MAX:].decode("utf-8", "replace")
        raise DeployError(f"{name} failed with {child.returncode}.\n{said}")
    return output.decode("utf-8", "replace")
