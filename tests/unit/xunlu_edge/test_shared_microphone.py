"""One microphone, heard by live video and push-to-talk at once."""

import threading
from collections import deque

import av
import pytest

from xunlu_edge.errors import DeviceError
from xunlu_edge.media.opus import OpusEncoder
from xunlu_edge.media.shared_microphone import FRAMES_MAX, SharedMicrophone
from xunlu_edge.media.tone import Tone

WAIT_S = 10.0


class OneReaderMicrophone:
    """Refuses to be opened twice, as ALSA does."""

    def __init__(self) -> None:
        self.opened = 0
        self.closed = threading.Event()
        self.fails = threading.Event()
        self._tone: Tone | None = None

    def open(self) -> "OneReaderMicrophone":
        if self._tone is not None:
            raise DeviceError("Device or resource busy.")
        self._tone = Tone()
        self.opened += 1
        self.closed.clear()
        return self

    def read(self) -> av.AudioFrame:
        if self.fails.is_set():
            raise DeviceError("It is unplugged.")
        assert self._tone is not None
        return self._tone.read()

    def close(self) -> None:
        self._tone = None
        self.closed.set()


def test_two_listeners_hear_the_same_and_the_device_is_opened_once() -> None:
    device = OneReaderMicrophone()
    shared = SharedMicrophone(device)
    first, second = shared.open(), shared.open()
    a, b = ([one.read() for _ in range(3)] for one in (first, second))
    encoders = OpusEncoder(), OpusEncoder()
    for frame in a:
        encoders[0].encode(frame)
    common = {bytes(x.planes[0]) for x in a} & {bytes(y.planes[0]) for y in b}
    assert common
    assert all(encoders[1].encode(frame) is not None for frame in b), "times of one are not those of the other"
    first.close()
    second.read()
    second.close()
    assert device.closed.wait(WAIT_S), "the last one switches it off"
    shared.open().close()
    assert device.opened == 2
    assert device.closed.wait(WAIT_S)


def test_whoever_does_not_listen_loses_the_oldest_and_holds_up_nobody() -> None:
    shared = SharedMicrophone(OneReaderMicrophone())
    slow, quick = shared.open(), shared.open()
    times = [float(quick.read().time or 0.0) for _ in range(FRAMES_MAX + 5)]
    assert slow.dropped >= 4
    assert float(slow.read().time or 0.0) > times[0]
    for one in (slow, quick):
        one.close()


def test_a_device_that_fails_tells_every_listener_and_may_be_opened_anew() -> None:
    device = OneReaderMicrophone()
    shared = SharedMicrophone(device)
    listeners = [shared.open(), shared.open()]
    device.fails.set()
    for one in listeners:
        # What was heard before is still there.
        with pytest.raises(DeviceError, match="unplugged"):
            deque(iter(one.read, None), maxlen=0)
        one.close()
    device.fails.clear()
    again = shared.open()
    assert again.read().samples
    again.close()


def test_a_device_that_cannot_be_opened_says_so() -> None:
    device = OneReaderMicrophone()
    device.open()
    with pytest.raises(DeviceError, match="busy"):
        SharedMicrophone(device).open()
