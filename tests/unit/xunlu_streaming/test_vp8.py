"""The VP8 descriptor is read like aiortc reads it, and rewritten without a trace."""

from aiortc.codecs.vpx import VpxPayloadDescriptor
from hypothesis import given
from hypothesis import strategies as st

from xunlu_streaming import vp8

payloads = st.binary(min_size=1, max_size=12).map(lambda data: bytes([data[0] & 0xB7]) + data[1:])


@given(payloads)
def test_every_descriptor_is_read_as_aiortc_reads_it(payload: bytes) -> None:
    seen = vp8.descriptor(payload)
    try:
        expected, rest = VpxPayloadDescriptor.parse(payload)
    except ValueError:
        assert seen is None
        return
    assert seen is not None
    assert seen.length == len(payload) - len(rest)
    assert seen.starts == (expected.partition_start == 1 and expected.partition_id == 0)
    assert (seen.picture_id, seen.tl0picidx, seen.keyidx) == (expected.picture_id, expected.tl0picidx, expected.keyidx)
    assert seen.tid == (expected.tid[0] if expected.tid else None)


@given(payloads, st.integers(0, 2**20), st.integers(0, 2**20))
def test_a_rewrite_changes_the_running_numbers_and_nothing_else(payload: bytes, picture_id: int, base: int) -> None:
    changed = bytearray(payload)
    vp8.rewrite(memoryview(changed), picture_id, base)
    before, after = vp8.descriptor(payload), vp8.descriptor(changed)
    assert len(changed) == len(payload)
    if before is None:
        assert changed == payload
        return
    bits = 0x7FFF if before.wide else 0x7F
    assert after == before._replace(
        picture_id=None if before.picture_id is None else picture_id & bits,
        tl0picidx=None if before.tl0picidx is None else base & 0xFF,
    )
    assert changed[before.length :] == payload[before.length :]


@given(st.integers(0, 0x7FFF), st.integers(0, 255), st.integers(0, 3), st.integers(0, 31))
def test_what_aiortc_writes_is_read(picture_id: int, base: int, tid: int, keyidx: int) -> None:
    head = bytes(VpxPayloadDescriptor(1, 0, picture_id, base, (tid, 0), keyidx))
    seen = vp8.descriptor(head + b"data")
    assert seen == vp8.Descriptor(6, True, picture_id, 2, True, base, 4, tid, keyidx)


def test_an_empty_payload_has_no_descriptor() -> None:
    assert vp8.descriptor(b"") is None
    vp8.rewrite(bytearray(), 1, 1)
