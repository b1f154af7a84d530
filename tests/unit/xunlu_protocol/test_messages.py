"""Every message survives the wire, and nothing malformed gets in."""

import contextlib
import json
from collections import Counter
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xunlu_protocol.base import PAYLOAD_BYTES_MAX, Wire
from xunlu_protocol.command import CommandName, Reply, Request, arguments, check
from xunlu_protocol.confirm import Confirmation
from xunlu_protocol.errors import ProtocolError
from xunlu_protocol.event import Event, SequenceRange
from xunlu_protocol.fleet import FleetDevice, FleetFrame, Notice
from xunlu_protocol.location import LOCATIONS_PER_MESSAGE_MAX, Location, decode_locations, encode_locations
from xunlu_protocol.media import (
    PATHS_PER_FRAME_MAX,
    VIEWINGS_PER_FRAME_MAX,
    Gap,
    MediaAck,
    MediaClaims,
    MediaEnd,
    MediaFrame,
    PathState,
    RecordingOrder,
    RecordingReport,
    Viewing,
    worker_of,
)
from xunlu_protocol.provision import ProvisionRequest, ProvisionResponse
from xunlu_protocol.shadow import RecorderConfig, Shadow
from xunlu_protocol.status import Birth, Lamps, ServerState, State, Telemetry

counters = st.integers(0, 2**53)
seconds = st.integers(0, 32_503_680_000)
milliseconds = st.integers(0, 32_503_680_000_000)
names = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)
text = st.text(min_size=1, max_size=64)
percent = st.floats(0, 100)
plain = st.dictionaries(
    st.text(max_size=8), st.none() | st.booleans() | st.integers() | st.text(max_size=8), max_size=4
)


def maybe(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.none() | strategy


locations = st.builds(
    Location,
    kind=st.just("location"),
    lat=st.floats(-90, 90),
    lon=st.floats(-180, 180),
    tst=seconds,
    tms=maybe(milliseconds),
    acc=maybe(st.floats(0, 1e6)),
    alt=maybe(st.floats(-1000, 1e5)),
    vel=maybe(st.floats(-1, 5000)),
    cog=maybe(st.floats(0, 360)),
    batt=maybe(percent),
    sid=counters,
    seq=maybe(counters),
    hist=maybe(st.booleans()),
    fix=maybe(st.integers(0, 8)),
    sat=maybe(st.integers(0, 200)),
    sys=maybe(st.lists(st.sampled_from(["BDS", "GPS"]), max_size=6).map(tuple)),
    rec=maybe(names),
)
ranges = st.builds(SequenceRange, first=counters, last=counters)
events = st.builds(
    Event,
    tst=seconds,
    tms=maybe(milliseconds),
    sid=counters,
    seq=maybe(counters),
    lat=maybe(st.floats(-90, 90)),
    lon=maybe(st.floats(-180, 180)),
    text=maybe(text),
    jump_ms=maybe(st.integers(-(2**53), 2**53)),
    thinned=maybe(st.lists(ranges, max_size=5).map(tuple)),
    thinned_sid=maybe(counters),
)
telemetry = st.builds(
    Telemetry,
    tst=seconds,
    sid=counters,
    batt=maybe(percent),
    signal_dbm=maybe(st.integers(-200, 0)),
    net=maybe(st.text(max_size=16)),
    temp_c=maybe(st.floats(-100, 200)),
    clock_ms=maybe(st.integers(-(2**53), 2**53)),
    lamps=maybe(st.builds(Lamps, white=maybe(st.booleans()), ir=maybe(st.booleans()))),
)
configs = st.builds(RecorderConfig, still_s=st.floats(0.2, 3600), satellites_min=st.integers(3, 20))
causes = st.sampled_from(["hand", "sos", "always"])
paths = st.builds(
    PathState,
    did=names,
    live=st.booleans(),
    since_ms=milliseconds,
    viewers=st.integers(0, 10_000),
    video=maybe(st.sampled_from(["H264", "VP8"])),
    width=maybe(st.integers(0, 16_384)),
    loss_percent=percent,
)
viewings = st.builds(
    Viewing, id=names, did=names, from_ms=milliseconds, to_ms=maybe(milliseconds), why=maybe(st.text(max_size=32))
)
media = st.one_of(
    st.builds(
        MediaClaims, path=names, act=st.sampled_from(["publish", "play"]), jti=names, sub=text, iat=seconds, exp=seconds
    ),
    st.builds(
        MediaFrame,
        worker=names,
        tms=milliseconds,
        paths=st.lists(paths, max_size=3).map(tuple),
        viewings=st.lists(viewings, max_size=3).map(tuple),
    ),
    st.builds(RecordingOrder, id=names, why=causes, by=maybe(text), until=maybe(seconds)),
    st.builds(
        RecordingReport,
        id=names,
        did=names,
        why=causes,
        order=maybe(names),
        file=st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_./-]{0,200}", fullmatch=True),
        started_ms=milliseconds,
        ended_ms=milliseconds,
        size_bytes=st.integers(0),
        sha256=st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
        gaps=st.lists(st.builds(Gap, from_ms=milliseconds, to_ms=milliseconds), max_size=3).map(tuple),
        complete=st.booleans(),
    ),
    st.builds(
        MediaAck, viewings=st.lists(names, max_size=3).map(tuple), recordings=st.lists(names, max_size=3).map(tuple)
    ),
    st.builds(MediaEnd, viewings=st.lists(names, max_size=3).map(tuple), paths=st.lists(names, max_size=3).map(tuple)),
)
messages = st.one_of(
    media,
    locations,
    events,
    telemetry,
    st.builds(Birth, sid=counters, tst=seconds, fw=text, serial=text, caps=st.just(("record", "live"))),
    st.builds(State, st=st.sampled_from(["online", "offline", "sleep"]), sid=counters, tst=seconds, why=maybe(text)),
    st.builds(
        Confirmation,
        sid=counters,
        upto=counters,
        missing=st.lists(st.tuples(counters, counters), max_size=5).map(tuple),
    ),
    st.builds(Request, rid=names, name=st.sampled_from(["photo", "reboot"]), args=plain, exp=seconds),
    st.builds(
        Reply, st=st.sampled_from(["done", "failed"]), tst=seconds, code=st.integers(0, 999), result=maybe(plain)
    ),
    st.builds(Shadow, version=st.integers(0), config=configs, why=maybe(text)),
    st.builds(ProvisionRequest, serial=st.from_regex(r"[A-Za-z0-9._-]{1,64}", fullmatch=True), vendor=text, model=text),
    st.builds(ProvisionResponse, status=st.just("pending"), did=maybe(names), password=maybe(text)),
    st.builds(ServerState, online=st.booleans(), timestamp=st.integers(0)),
    st.builds(
        FleetFrame,
        devices=st.lists(st.builds(FleetDevice, did=names, lat=maybe(st.floats(-90, 90))), max_size=3).map(tuple),
        notices=st.lists(st.builds(Notice, what=st.just("event"), id=names), max_size=3).map(tuple),
    ),
)


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
json_values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)


@given(messages)
def test_every_message_survives_the_wire(message: Wire) -> None:
    assert type(message).decode(message.encode()) == message


@given(messages)
def test_unknown_fields_are_kept_out(message: Wire) -> None:
    value = json.loads(message.encode()) | {"colour of the sky": "blue"}
    assert type(message).parse(value) == message


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_a_protocol_error(payload: bytes) -> None:
    kinds = (
        Location,
        Event,
        Telemetry,
        Birth,
        State,
        Confirmation,
        Request,
        Reply,
        Shadow,
        MediaFrame,
        RecordingReport,
    )
    for kind in kinds:
        with contextlib.suppress(ProtocolError):
            kind.decode(payload)


@given(json_values)
def test_no_value_raises_anything_but_a_protocol_error(value: object) -> None:
    for kind in (Location, Event, Telemetry, Confirmation, Request, MediaClaims, MediaFrame, RecordingReport):
        with contextlib.suppress(ProtocolError):
            kind.parse(value)


GOOD = {"_type": "location", "lat": 31.23, "lon": 121.47, "tst": 1_790_000_000}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"lat": 91}, "lat"),
        ({"lon": -180.1}, "lon"),
        ({"lat": "north"}, "lat"),
        ({"tst": -1}, "tst"),
        ({"tst": 10**18}, "tst"),
        ({"_type": "waypoint"}, "_type"),
        ({"seq": 2**53 + 1}, "seq"),
        ({"fix": 9}, "fix"),
        ({"sys": ["MOON"]}, "sys.0"),
        ({"rec": "../../etc"}, "rec"),
        ({"hdop": None, "lat": None}, "lat"),
    ],
    ids=["91", "west", "text", "negative", "far", "kind", "huge", "quality", "moon", "path", "null"],
)
def test_a_bad_field_is_named(change: dict[str, object], reason: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        Location.parse(GOOD | change)
    assert caught.value.reason == reason


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_json_does_not_have_are_refused(number: str) -> None:
    with pytest.raises(ProtocolError):
        Location.decode(b'{"_type": "location", "lat": %s, "lon": 1, "tst": 1}' % number.encode())


def test_a_payload_beyond_the_bound_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(ProtocolError) as caught:
        decode_locations(b"[" * (PAYLOAD_BYTES_MAX + 1))
    assert caught.value.reason == "size"


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(ProtocolError):
        decode_locations(b"[" * 100_000 + b"]" * 100_000)


@given(st.lists(locations, max_size=LOCATIONS_PER_MESSAGE_MAX))
def test_an_array_of_locations_survives_the_wire(batch: list[Location]) -> None:
    decoded = decode_locations(encode_locations(batch))
    assert (decoded.locations, decoded.errors) == (batch, [])


def test_a_bad_location_costs_nothing_beside_it() -> None:
    decoded = decode_locations(json.dumps([GOOD, GOOD | {"lat": 91}, "x", None, GOOD]).encode())
    assert len(decoded.locations) == 2
    assert [error.reason for error in decoded.errors] == ["lat", "type", "type"]


def test_too_many_locations_are_refused_as_a_whole() -> None:
    with pytest.raises(ProtocolError) as caught:
        decode_locations(json.dumps([GOOD] * (LOCATIONS_PER_MESSAGE_MAX + 1)).encode())
    assert caught.value.reason == "count"


def test_a_location_without_sequence_is_identified_by_its_time() -> None:
    assert Location.parse(GOOD).sequence == 1_790_000_000_000
    assert Location.parse(GOOD | {"tms": 1_790_000_000_250}).sequence == 1_790_000_000_250
    assert Location.parse(GOOD | {"seq": 7}).sequence == 7


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("track_interval", {}),
        ("track_interval", {"interval_s": 4000}),
        ("say_text", {"text": ""}),
        ("say_text", {"text": "x" * 501}),
        ("lamp", {"lamp": "disco", "on": True}),
        ("config", {}),
        ("live_start", {}),
        ("live_start", {"whip": "ftp://x/whip/R1", "token": "t"}),
        ("live_start", {"whip": "http://x/whip/R1", "token": "t", "height_max": 1}),
    ],
)
def test_arguments_out_of_bounds_are_refused(name: str, args: dict[str, object]) -> None:
    with pytest.raises(ProtocolError) as caught:
        check(Request.parse({"rid": "r", "name": name, "args": args, "exp": 1}))
    assert caught.value.reason == "args"


def test_a_confirmation_lists_at_most_two_hundred_ranges() -> None:
    with pytest.raises(ProtocolError):
        Confirmation.parse({"sid": 1, "upto": 1000, "missing": [[i, i] for i in range(201)]})


@pytest.mark.parametrize("file", ["/etc/passwd", "../secret", ".hidden", "-rf", "a b.mp4", ""])
def test_a_recording_lies_below_its_folder(file: str) -> None:
    report = {
        "id": "r",
        "did": "R1",
        "why": "hand",
        "started_ms": 1,
        "ended_ms": 2,
        "size_bytes": 1,
        "sha256": "0" * 64,
    }
    with pytest.raises(ProtocolError) as caught:
        RecordingReport.parse(report | {"file": file})
    assert caught.value.reason == "file"


@given(names, st.lists(names, min_size=2, max_size=8, unique=True))
def test_a_worker_that_leaves_moves_no_path_but_its_own(path: str, workers: list[str]) -> None:
    serving = workers[worker_of(path, workers)]
    for gone in workers:
        left = [worker for worker in workers if worker != gone]
        assert gone == serving or left[worker_of(path, left)] == serving


def test_paths_spread_over_all_workers() -> None:
    workers = [f"http://relay-{number}.example" for number in range(4)]
    counts = Counter(worker_of(f"R{number:04d}", workers) for number in range(4000))
    assert all(900 < counts[number] < 1100 for number in range(4))


def test_a_full_media_frame_fits_into_a_message() -> None:
    name, number = "x" * 64, 32_503_680_000_000
    path = PathState(
        did=name, live=True, since_ms=number, viewers=9999, recorded=True, video="x" * 16, audio="x" * 16,
        width=16_384, height=16_384, bitrate_bps=10**9, loss_percent=99.99, fps=999.9,
    )  # fmt: skip
    viewing = Viewing(id=name, did=name, from_ms=number, to_ms=number, sent_bytes=10**12, why="x" * 32)
    frame = MediaFrame(
        worker=name, tms=number, paths=(path,) * PATHS_PER_FRAME_MAX, viewings=(viewing,) * VIEWINGS_PER_FRAME_MAX
    )
    assert MediaFrame.decode(frame.encode()) == frame


@pytest.mark.parametrize("name", get_args(CommandName))
def test_every_command_has_arguments(name: CommandName) -> None:
    with contextlib.suppress(ProtocolError):
        arguments(name, {})
