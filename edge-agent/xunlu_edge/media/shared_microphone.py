"""One microphone for live video and push-to-talk: opened once, heard by everybody who wants it.

A device of ALSA has one reader. Here one thread reads it while anybody listens, and gives each listener a copy.
"""

import logging
import threading
from collections import deque
from typing import TYPE_CHECKING

from xunlu_edge.errors import DeviceError
from xunlu_edge.hardware import Capture, Microphone

if TYPE_CHECKING:
    from av import AudioFrame

log = logging.getLogger(__name__)

FRAMES_MAX = 10
"""That wait for a listener, 0.2 s; of more the oldest are dropped."""


class SharedMicrophone:
    """A microphone that may be opened several times."""

    def __init__(self, device: Microphone) -> None:
        """Describe it; `device` is opened for the first listener, and closed after the last one."""
        self._device = device
        self._listeners: list[Listener] = []
        self._is_read = False
        # Of the listeners, and of opening and closing: a device that is just being closed cannot be opened.
        self._lock = threading.Lock()

    def open(self) -> "Listener":
        """Listen, blocking until the device is open.

        Raises:
            DeviceError: it cannot be opened.
        """
        listener = Listener(self)
        with self._lock:
            if not self._is_read:
                capture = self._device.open()
                self._is_read = True
                # A daemon, because a driver that hangs must not hang the agent's end.
                threading.Thread(target=self._read, args=(capture,), name="microphone", daemon=True).start()
            self._listeners.append(listener)
        return listener

    def leave(self, listener: "Listener") -> None:
        """Somebody does not listen any more."""
        with self._lock:
            if listener in self._listeners:
                self._listeners.remove(listener)

    def _read(self, capture: "Capture[AudioFrame]") -> None:
        try:
            while self._give(capture.read(), capture):
                pass
        except DeviceError as error:
            self._end(capture, error)
        except Exception as error:
            log.exception("microphone failed")
            self._end(capture, DeviceError(f"The microphone failed: {error}."))

    def _give(self, frame: "AudioFrame", capture: "Capture[AudioFrame]") -> bool:
        """Let everybody hear it; False when there is nobody, and the device is closed."""
        with self._lock:
            for listener in self._listeners:
                listener.put(copied(frame))
            if not self._listeners:
                capture.close()
                self._is_read = False
            return self._is_read

    def _end(self, capture: "Capture[AudioFrame]", error: DeviceError) -> None:
        with self._lock:
            for listener in self._listeners:
                listener.fail(error)
            self._listeners.clear()
            capture.close()
            self._is_read = False


class Listener:
    """What one listener hears; see `Capture`.

    Attributes:
        dropped: frames that it did not take in time.
    """

    def __init__(self, microphone: SharedMicrophone) -> None:
        self.dropped = 0
        self._microphone = microphone
        self._waiting: deque[AudioFrame] = deque()
        self._failure: DeviceError | None = None
        self._changed = threading.Condition()

    def read(self) -> "AudioFrame":
        """The next frame.

        Raises:
            DeviceError: the device failed.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._failure is not None)
            if self._waiting:
                return self._waiting.popleft()
        assert self._failure is not None
        raise self._failure

    def close(self) -> None:
        """Listen no more."""
        self._microphone.leave(self)

    def put(self, frame: "AudioFrame") -> None:
        """A frame of its own came."""
        with self._changed:
            if len(self._waiting) >= FRAMES_MAX:
                self._waiting.popleft()
                self.dropped += 1
            self._waiting.append(frame)
            self._changed.notify()

    def fail(self, error: DeviceError) -> None:
        """No more will come."""
        with self._changed:
            self._failure = error
            self._changed.notify()


def copied(frame: "AudioFrame") -> "AudioFrame":
    """The same sound; encoders write their own times into what they are given."""
    copy = type(frame)(format=frame.format, layout=frame.layout, samples=frame.samples)
    for target, source in zip(copy.planes, frame.planes, strict=True):
        target.update(bytes(source))
    copy.sample_rate, copy.pts, copy.time_base = frame.sample_rate, frame.pts, frame.time_base
    return copy
