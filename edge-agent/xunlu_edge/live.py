"""Live video as the agent knows it: who asked, what runs, and what the officer sees and hears of it.

The codecs are imported when somebody wants to watch, in a thread, and never before.
"""

import asyncio
import importlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from xunlu_edge.clock_watch import ClockWatch
from xunlu_edge.errors import DeviceError, LiveError
from xunlu_edge.hardware import Hardware
from xunlu_edge.settings import AgentSettings
from xunlu_protocol.command import LiveStart

if TYPE_CHECKING:
    from xunlu_edge.media.publication import Publication

log = logging.getLogger(__name__)

START_TIMEOUT_S = 20.0
PICTURE_TIMEOUT_S = 5.0
ENGINE = "xunlu_edge.media.engine"
WORDS = {
    "zh": {"begin": "{by}正在查看实时画面", "end": "实时画面已结束", "by": "调度"},
    "en": {"begin": "{by} is watching live", "end": "Nobody is watching any more", "by": "Dispatch"},
}


@dataclass(eq=False, slots=True)
class _Run:
    """A publication and its task.

    Attributes:
        publication: what runs.
        task: its life.
        failure: why it ended, when that was not wanted.
    """

    publication: "Publication"
    task: asyncio.Task[None] | None = None
    failure: DeviceError | None = None

    async def published(self) -> None:
        """Wait for the first session.

        Raises:
            DeviceError: it ended before.
        """
        assert self.task is not None
        waiting = asyncio.create_task(self.publication.published.wait(), name="live.published")
        try:
            await asyncio.wait([waiting, self.task], return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        if not self.publication.published.is_set():
            raise self.failure or LiveError("The live video was ended before it began.")


class Live:
    """Owns the camera while somebody watches.

    Attributes:
        started: set when a publication stands; whoever waits for it clears it.
    """

    def __init__(self, hardware: Hardware, settings: AgentSettings, watch: ClockWatch) -> None:
        self.started = asyncio.Event()
        self._hardware = hardware
        self._settings = settings
        self._watch = watch
        self._current: _Run | None = None
        self._group: asyncio.TaskGroup | None = None
        self._snapping: asyncio.Task[bytes] | None = None

    async def run(self) -> None:
        """Own every publication, for ever; whoever cancels this ends them."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                # A group that is ending takes nobody in.
                self._group = None

    @property
    def is_live(self) -> bool:
        """Whether pictures go out."""
        return self._current is not None and self._current.publication.published.is_set()

    async def start(self, request: LiveStart) -> dict[str, Any]:
        """Publish; returns when the first session stands, and what is sent.

        For the same address the running publication goes on, with the fresh token; for another one it is replaced.

        Raises:
            LiveError: the relay refused or could not be reached.
            DeviceError: the camera failed.
        """
        engine = await asyncio.to_thread(importlib.import_module, ENGINE)
        current = self._current
        if current is None or not _is_for(current.publication.request, request):
            current = self._begin(
                engine.publication(request, self._hardware, self._settings, self._watch.utc_ms), replaces=current
            )
        else:
            current.publication.refresh(request)
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await current.published()
        except TimeoutError as error:
            if current.task is not None:
                current.task.cancel()
            raise LiveError(f"The relay was not reached within {START_TIMEOUT_S:.0f} s.") from error
        return {"codec": "H264", "audio": request.audio and self._hardware.microphone is not None}

    async def stop(self) -> None:
        """End what runs, if anything does."""
        if self._current is not None and self._current.task is not None:
            self._current.task.cancel()
            await asyncio.wait([self._current.task])

    async def thumbnail(self) -> bytes:
        """A JPEG of what the camera sees: of the live picture, else the camera is switched on for a moment.

        Raises:
            DeviceError: there is no camera, it failed, or somebody began to watch.
        """
        if self._current is not None:
            try:
                async with asyncio.timeout(PICTURE_TIMEOUT_S):
                    frame = await self._current.publication.latest_picture()
            except TimeoutError as error:
                raise DeviceError("The camera has shown nothing yet.") from error
            engine = importlib.import_module(ENGINE)
            return cast(bytes, await asyncio.to_thread(engine.jpeg, frame))
        if self._hardware.video is None:
            raise DeviceError("This recorder has no camera for live video.")
        self._snapping = asyncio.create_task(self._hardware.video.thumbnail(), name="live.thumbnail")
        try:
            await asyncio.wait([self._snapping])
            if self._snapping.cancelled():
                raise DeviceError("Somebody began to watch.")
            return self._snapping.result()
        finally:
            self._snapping.cancel()
            self._snapping = None

    # -- one publication ----------------------------------------------------------------------------------------------

    def _begin(self, publication: "Publication", *, replaces: _Run | None) -> _Run:
        if self._group is None:
            raise LiveError("The agent is not running.")
        self._current = run = _Run(publication)
        run.task = self._group.create_task(self._live(run, replaces), name="live")
        return run

    async def _live(self, run: _Run, before: _Run | None) -> None:
        """The life of a publication; nothing that goes wrong in it harms the rest of the agent."""
        telling: asyncio.Task[None] | None = None
        try:
            await self._free_camera(before)
            telling = asyncio.create_task(self._tell(run), name="live.telling")
            log.info("live video ended", extra={"why": await run.publication.run()})
        except DeviceError as error:
            run.failure = error
            log.warning("live video failed", extra={"error": str(error)})
        except Exception as error:
            run.failure = LiveError(f"The live video failed: {error}.")
            log.exception("live video failed")
        finally:
            if self._current is run:
                self._current = None
            if telling is not None:
                telling.cancel()
            if run.publication.published.is_set():
                self._told_end()

    async def _free_camera(self, before: _Run | None) -> None:
        """A camera has one reader: end a thumbnail, and the publication that this one replaces."""
        others = [task for task in (self._snapping, before.task if before is not None else None) if task is not None]
        for task in others:
            task.cancel()
        if others:
            await asyncio.wait(others)

    # -- the officer --------------------------------------------------------------------------------------------------

    async def _tell(self, run: _Run) -> None:
        """Once, when pictures go out."""
        await run.publication.published.wait()
        self.started.set()
        self._show(on=True)
        words = WORDS[self._settings.language]
        await self._say(words["begin"].format(by=run.publication.request.by or words["by"]))

    def _told_end(self) -> None:
        self._show(on=False)
        if self._group is not None:
            self._group.create_task(self._say(WORDS[self._settings.language]["end"]), name="live.end")

    def _show(self, *, on: bool) -> None:
        if self._hardware.watched is None:
            return
        try:
            self._hardware.watched.show(on=on)
        except DeviceError as error:
            log.warning("indicator failed", extra={"error": str(error)})

    async def _say(self, text: str) -> None:
        """Say it, unless the voice is switched off."""
        hardware = self._hardware
        if hardware.speaker is None or (hardware.lamps is not None and hardware.lamps.read().voice is False):
            return
        try:
            await hardware.speaker.say(text, self._settings.language)
        except DeviceError as error:
            log.warning("speaker failed", extra={"error": str(error)})


def _is_for(running: LiveStart, wanted: LiveStart) -> bool:
    """Whether a running publication serves a request: bounds of size are its encoder's, and cannot change."""
    fields = {"whip", "audio", "height_max", "fps_max"}
    return running.model_dump(include=fields) == wanted.model_dump(include=fields)
