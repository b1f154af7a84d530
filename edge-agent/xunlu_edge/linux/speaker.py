"""A voice by espeak-ng, where it is installed."""

import asyncio
import shutil
from typing import Literal

from xunlu_edge.errors import DeviceError

VOICES = {"zh": "cmn", "en": "en"}
SAY_TIMEOUT_S = 120.0


class EspeakSpeaker:
    """Reads aloud through the default sound device."""

    def __init__(self, program: str) -> None:
        self._program = program

    async def say(self, text: str, language: Literal["zh", "en"]) -> None:
        """Read `text` aloud; it goes over standard input, so that no text becomes an option.

        Raises:
            DeviceError: the program failed or took too long.
        """
        process = await asyncio.create_subprocess_exec(
            self._program,
            "-v",
            VOICES[language],
            "--stdin",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with asyncio.timeout(SAY_TIMEOUT_S):
                await process.communicate(text.encode())
        except TimeoutError as error:
            raise DeviceError("The text was not read aloud in time.") from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode != 0:
            raise DeviceError(f"The speech program ended with {process.returncode}.")


def find_speaker() -> EspeakSpeaker | None:
    """The speech program, where it is installed."""
    program = shutil.which("espeak-ng")
    return EspeakSpeaker(program) if program is not None else None
