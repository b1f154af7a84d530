"""From packets to sound, with real Opus."""

import asyncio

import av

from tests.talk import pitch_hz, until
from xunlu_edge.media.opus import OpusEncoder
from xunlu_edge.media.tone import BEEP_PIECES, PITCH_HZ, RATE_HZ, Tone
from xunlu_edge.talk.ear import Ear


def packets(count: int) -> list[bytes]:
    tone, encoder = Tone(), OpusEncoder()
    return [sound.data for _ in range(count) for sound in encoder.encode(tone.read())]


def pitch(pcm: bytes) -> int:
    frame = av.AudioFrame(format="s16", layout="mono", samples=len(pcm) // 2)
    frame.planes[0].update(pcm)
    frame.sample_rate = RATE_HZ
    return pitch_hz(frame)


async def test_what_was_said_is_heard_and_what_is_no_opus_is_counted() -> None:
    heard: list[bytes] = []
    ear = Ear(heard.append)
    said = packets(BEEP_PIECES)
    said[5] = b"\xff" * 3
    running = asyncio.create_task(ear.run())
    for number, payload in enumerate(said):
        ear.hear(number, payload)
    await until(lambda: len(heard) == len(said), "every packet is a piece")
    running.cancel()
    assert sum(abs(pitch(pcm) - PITCH_HZ) < 60 for pcm in heard) >= BEEP_PIECES - 4
    assert ear.decoder.broken == 1


async def test_a_lost_packet_is_heard_from_the_one_behind_it() -> None:
    heard: list[bytes] = []
    ear = Ear(heard.append)
    said = packets(BEEP_PIECES)
    lost = {4, 7}
    running = asyncio.create_task(ear.run())
    for number, payload in enumerate(said):
        if number not in lost:
            ear.hear(number, payload)
    await until(lambda: len(heard) == len(said), "every packet is a piece, the lost ones too")
    running.cancel()
    assert ear.buffer.lost == len(lost)
    assert [number for number in lost if abs(pitch(heard[number]) - PITCH_HZ) > 60] == []
