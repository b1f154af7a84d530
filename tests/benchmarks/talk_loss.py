"""What lost packets do to speech, and what mends it: nothing, concealment, in-band FEC, or sending again (NACK).

Packets of the recorder's own encoder are lost by chance, decoded by its own decoder, and compared with what would have
been heard without loss, over the pieces that were lost and in which somebody spoke: the log-spectral distance up to
8 kHz (Gray and Markel 1976; smaller is better) and the ratio of the sound to the error.

A NACK leaves when the packet behind the lost one is there; its repair comes a round trip later, unless it is lost, too.
It is of use only if the jitter buffer waits that long, so the wait that each way needs stands beside it.
"""

import random
from collections.abc import Callable, Sequence
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.registry import Bench, benchmark
from xunlu_edge.media.opus import FRAME_SAMPLES, RATE_HZ, OpusEncoder
from xunlu_edge.talk.opus_decoder import OpusDecoder

SPEECH_S, LOSS, ROUND_TRIP_MS, PIECE_MS = 60, 0.1, 80, 20
AUDIBLE = 300.0
"""Root mean square of a piece in which somebody speaks."""
BINS = 160
"""Of 50 Hz: up to 8 kHz."""
Sound = NDArray[np.float64]
Mend = Callable[[OpusDecoder, int], bytes]


@benchmark("talk_loss", unit="dB", limit_s=120)
async def talk_loss(bench: Bench) -> None:
    """10 % of the packets lost, 80 ms round trip; seeded."""
    packets = _encoded(_speech())
    whole = _heard(packets, frozenset(), lambda decoder, _: decoder.mend(None))
    chance = random.Random(7)
    lost = frozenset(number for number in range(1, len(packets) - 1) if chance.random() < LOSS)
    again = frozenset(number for number in lost if chance.random() < LOSS)
    spoken = [number for number in lost if float(np.sqrt(np.mean(whole[number] ** 2))) > AUDIBLE]

    def fec(decoder: OpusDecoder, number: int) -> bytes:
        return decoder.mend(packets[number + 1] if number + 1 not in lost else None)

    ways: dict[str, tuple[frozenset[int], Mend, int]] = {
        "silence": (lost, lambda *_: bytes(FRAME_SAMPLES * 2), 0),
        "concealment": (lost, lambda decoder, _: decoder.mend(None), 0),
        "fec": (lost, fec, PIECE_MS),
        "nack_and_fec": (again, fec, PIECE_MS + ROUND_TRIP_MS + PIECE_MS // 2),
    }
    for name, (missing, mend, wait_ms) in ways.items():
        heard = _heard(packets, missing, mend)
        note = f"{len(lost)} of {len(packets)} packets lost, {len(missing)} for good; the buffer waits ≥ {wait_ms} ms"
        distances = [_distance_db(whole[number], heard[number]) for number in spoken]
        bench.result(f"{name}_distance", distances, value=float(np.mean(distances)), note=f"mean; {note}")
        bench.result(f"{name}_ratio", [_ratio_db(whole, heard, spoken)], note=note)


def _distance_db(whole: Sound, heard: Sound) -> float:
    window = np.hanning(FRAME_SAMPLES)
    # A floor of one step of 16 bits, so that silence is far away and not infinitely so.
    first, second = (np.abs(np.fft.rfft(piece * window))[:BINS] + FRAME_SAMPLES / 2 for piece in (whole, heard))
    return float(np.sqrt(np.mean((20 * np.log10(first / second)) ** 2)))


def _ratio_db(whole: Sequence[Sound], heard: Sequence[Sound], pieces: Sequence[int]) -> float:
    sound = sum(float(np.sum(whole[number] ** 2)) for number in pieces)
    error = sum(float(np.sum((whole[number] - heard[number]) ** 2)) for number in pieces)
    return 10 * float(np.log10(sound / max(error, 1.0)))


def _heard(packets: Sequence[bytes], missing: frozenset[int], mend: Mend) -> list[Sound]:
    decoder = OpusDecoder()
    pieces = [
        mend(decoder, number) if number in missing else decoder.decode(packet) for number, packet in enumerate(packets)
    ]
    return [np.frombuffer(piece, "<i2").astype(np.float64) for piece in pieces]


def _encoded(speech: NDArray[np.int16]) -> list[bytes]:
    encoder, packets = OpusEncoder(), []
    for at in range(0, len(speech), FRAME_SAMPLES):
        frame = av.AudioFrame(format="s16", layout="mono", samples=FRAME_SAMPLES)
        frame.planes[0].update(speech[at : at + FRAME_SAMPLES].tobytes())
        frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, at, Fraction(1, RATE_HZ)
        packets += [sound.data for sound in encoder.encode(frame)]
    return packets


def _speech() -> NDArray[np.int16]:
    """Like speech to a codec: a gliding pitch with two moving formants, in syllables, and breath between them."""
    at_s = np.arange(RATE_HZ * SPEECH_S) / RATE_HZ
    pitch_hz = 120 + 30 * np.sin(2 * np.pi * 0.7 * at_s) + 10 * np.sin(2 * np.pi * 3 * at_s)
    phase = 2 * np.pi * np.cumsum(pitch_hz) / RATE_HZ
    formants = (500 + 200 * np.sin(2 * np.pi * 1.3 * at_s), 1500 + 500 * np.sin(2 * np.pi * 0.9 * at_s + 1))
    voice = np.zeros_like(at_s)
    for harmonic in range(1, 30):
        nearness = (np.exp(-(((harmonic * pitch_hz - hz) / 150) ** 2)) for hz in formants)
        voice += sum(nearness, 0.02) * np.sin(harmonic * phase)
    syllables = np.clip(np.sin(2 * np.pi * 2.2 * at_s) + 0.6, 0, 1)
    breath = (
        0.05 * np.random.default_rng(1).standard_normal(len(at_s)) * np.clip(np.sin(2 * np.pi * 2.2 * at_s + 2), 0, 1)
    )
    sound = voice * syllables + breath
    return np.asarray(sound / np.abs(sound).max() * 12_000, dtype=np.int16)
