"""NMEA 0183: captured logs against gpsd's reading of them, and everything that goes wrong on a serial line."""

import gzip
import json
import os
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.repository import ROOT
from tests.unit.xunlu_edge.rig import START_MS, epoch_bytes, sentence
from xunlu_edge.gnss.epoch import Epoch
from xunlu_edge.gnss.nmea import NmeaDecoder
from xunlu_edge.gnss.sentences import SENTENCE_BYTES_MAX, SentenceReader

LOGS = Path(os.environ.get("XUNLU_TEST_DATA", ROOT.parent / "shared" / "data")) / "nmea"
captured = pytest.mark.skipif(not LOGS.is_dir(), reason="the captured NMEA logs are not on this machine")


def decode(data: bytes) -> list[Epoch]:
    decoder = NmeaDecoder()
    return decoder.feed(data) + decoder.flush()


def only(data: bytes) -> Epoch:
    (epoch,) = decode(data)
    return epoch


@pytest.mark.parametrize(
    ("name", "gga", "rmc"),
    [
        ("alt_m", "1,12,0.8,-99999.0", "1.0,90.0"),
        ("satellites", "1,999,0.8,10.0", "1.0,90.0"),
        ("hdop", "1,12,-1.0,10.0", "1.0,90.0"),
        ("quality", "9,12,0.8,10.0", "1.0,90.0"),
        ("speed_mps", "1,12,0.8,10.0", "9999.9,90.0"),
        ("course_deg", "1,12,0.8,10.0", "1.0,-5.0"),
    ],
)
def test_a_number_that_no_message_could_carry_costs_its_field_only(name: str, gga: str, rmc: str) -> None:
    place = "120000.00,{}3113.8000,N,12128.2000,E"
    epoch = only(
        sentence(f"GNRMC,{place.format('A,')},{rmc},010126,,,A") + sentence(f"GNGGA,{place.format('')},{gga},M,8.0,M,,")
    )
    assert not getattr(epoch, name)
    assert (epoch.lat, epoch.lon) == pytest.approx((31.23, 121.47))


# -- captured ---------------------------------------------------------------------------------------------------------


@captured
@pytest.mark.parametrize(
    ("log", "epochs", "fixes"),
    [
        ("beidou-bd", 10, 5),
        ("beidou-gb", 5, 2),
        ("quectel-l76k-nmea", 151, 151),
        ("ublox-neo-m9n-nmea", 61, 61),
        ("skytraq-dgps", 96, 96),
        ("quectel-eg25-g", 60, 23),
        ("haicom-305N", 74, 68),
        ("sirfstarv-nmea", 59, 59),
    ],
)
def test_a_captured_log_gives_the_fixes_that_its_receiver_had(log: str, epochs: int, fixes: int) -> None:
    decoded = decode((LOGS / f"{log}.log").read_bytes())
    assert (len(decoded), sum(epoch.quality > 0 for epoch in decoded)) == (epochs, fixes)


@captured
@pytest.mark.parametrize(
    "log", ["beidou-bd", "quectel-l76k-nmea", "ublox-neo-m9n-nmea", "skytraq-dgps", "haicom-305N", "sirfstarv-nmea"]
)
def test_places_agree_with_gpsd(log: str) -> None:
    reports = (
        json.loads(line) for line in (LOGS / f"{log}.log.chk").read_text("utf-8").splitlines() if line[:1] == "{"
    )
    oracle = {
        round(datetime.fromisoformat(report["time"]).timestamp() * 1000): (report["lat"], report["lon"])
        for report in reports
        if report["class"] == "TPV" and "lat" in report and "time" in report
    }
    ours = {e.utc_ms: (e.lat, e.lon) for e in decode((LOGS / f"{log}.log").read_bytes()) if e.quality and e.utc_ms}
    # gpsd guesses the date of some old receivers; what both date alike must agree to a decimetre.
    both = oracle.keys() & ours.keys()
    assert len(both) >= 0.8 * min(len(oracle), len(ours))
    assert all(ours[at] == pytest.approx(oracle[at], abs=1e-6) for at in both)


@captured
@pytest.mark.parametrize(
    ("log", "most"), [("beidou-bd", 3), ("beidou-gb", 1), ("quectel-l76k-nmea", 3), ("skytraq-dgps", 1)]
)
def test_beidou_is_counted_under_every_talker(log: str, most: int) -> None:
    assert max(epoch.beidou for epoch in decode((LOGS / f"{log}.log").read_bytes())) >= most


@captured
def test_vendor_sentences_are_skipped_without_complaint() -> None:
    for log in ("pynmeagps-feyman_nmea", "pynmeagps-quectel_nmea_response", "pynmeagps-unicore_nmea"):
        assert decode((LOGS / f"{log}.log").read_bytes()) == []


@captured
def test_a_real_drive_has_no_fix_out_of_line() -> None:
    epochs = decode(gzip.decompress((LOGS / "garmin-drive-2005.nmea.gz").read_bytes()))
    assert len(epochs) > 4000
    assert max(epoch.speed_mps or 0 for epoch in epochs) == pytest.approx(108 / 3.6, abs=2)


# -- own sentences ----------------------------------------------------------------------------------------------------


def test_a_combined_receiver_tells_place_time_speed_and_constellations() -> None:
    epoch = only(epoch_bytes(START_MS + 250, 31.23, 121.47, knots=10, course=45))
    assert [epoch.lat, epoch.lon] == pytest.approx([31.23, 121.47], abs=1e-6)
    assert (epoch.utc_ms, epoch.quality, epoch.hdop, epoch.alt_m) == (START_MS + 250, 1, 0.8, 10.1)
    assert [epoch.speed_mps, epoch.course_deg] == pytest.approx([5.144, 45.0], abs=1e-3)
    assert (epoch.satellites, epoch.beidou, dict(epoch.used)) == (12, 3, {"GPS": 4, "BDS": 3})


@pytest.mark.parametrize("talker", ["BD", "GB"])
def test_a_beidou_only_receiver_is_beidou_without_a_system_id(talker: str) -> None:
    gga = sentence(f"{talker}GGA,120000.00,3113.80000,N,12128.20000,E,1,05,1.2,10.1,M,8.0,M,,")
    assert only(gga + sentence(f"{talker}GSA,A,3,01,02,03,07,10,,,,,,,,2.0,1.2,1.6")).beidou == 5


def test_gns_alone_gives_the_quality_of_its_best_constellation() -> None:
    assert only(sentence("GNGNS,120000.00,3113.80000,N,12128.20000,E,NADN,09,1.2,10.1,8.0,,,V")).quality == 2


def test_a_void_rmc_is_no_fix_whatever_gga_says() -> None:
    rmc = sentence("GNRMC,120000.00,V,3113.80000,N,12128.20000,E,0.0,,010126,,,N,V")
    assert only(rmc + sentence("GNGGA,120000.00,3113.80000,N,12128.20000,E,1,04,9.0,10.1,M,8.0,M,,")).quality == 0


def test_without_a_date_there_is_no_time() -> None:
    assert only(sentence("GNGGA,120000.00,3113.80000,N,12128.20000,E,1,05,1.2,10.1,M,8.0,M,,")).utc_ms is None


def test_midnight_moves_the_date_on_when_only_the_time_is_told() -> None:
    rmc = sentence("GNRMC,235959.00,A,3113.80000,N,12128.20000,E,0.0,,311225,,,A,V")
    before, after = decode(rmc + sentence("GNGGA,000000.00,3113.80000,N,12128.20000,E,1,05,1.2,10.1,M,8.0,M,,"))
    assert before.utc_ms is not None
    assert after.utc_ms == before.utc_ms + 1000


def test_zda_dates_a_receiver_without_rmc() -> None:
    gns = sentence("GNGNS,120000.00,3113.80000,N,12128.20000,E,AA,09,1.2,10.1,8.0,,,V")
    epoch = only(gns + sentence("GNZDA,120000.00,21,09,2026,00,00"))
    assert epoch.utc_ms == 1_789_992_000_000


def test_sentences_of_one_time_are_one_epoch_in_any_order() -> None:
    lines = epoch_bytes(START_MS).splitlines(keepends=True)
    assert only(b"".join(lines)) == only(b"".join(reversed(lines)))


# -- what goes wrong --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (b"$GNGGA,120000.00,3113.80000,N,12128.20000,E,1,05,1.2,10.1,M,8.0,M,,*00\r\n", "checksum"),
        (b"$GNGGA,120000.00,3113.80000,N,12128.20000,E,1,05,1.2,10.1,M,8.0,M,,\r\n", "checksum"),
        (b"$GNGGA,1200\r\n", "checksum"),
        (b"$GNGGA,12000*ZZ\r\n", "checksum"),
        (b"$GNGGA,120000.00,31" + sentence("GNTXT,01"), "half"),
        (b"\x00\xff\xb5b\x01\x07 binary\r\n", "noise"),
        (b"# a comment with $GPRMC in it\r\n", "noise"),
        (b"$" + b"A" * 300 + b"\r\n", "length"),
        (sentence("GNGGA,120000.00"), "field"),
        (sentence("GNGGA,120000.00,3113.80000,N,12128.20000,E,x,05,1.2,10.1,M,8.0,M,,"), "field"),
    ],
    ids=[
        "wrong checksum",
        "no checksum",
        "cut short",
        "no hexadecimal",
        "half",
        "binary",
        "comment",
        "endless",
        "few fields",
        "letters",
    ],
)
def test_what_is_broken_is_counted_and_costs_nothing_behind_it(broken: bytes, reason: str) -> None:
    decoder = NmeaDecoder()
    epochs = decoder.feed(broken + epoch_bytes(START_MS)) + decoder.flush()
    assert decoder.rejected[reason] >= 1
    assert [epoch.utc_ms for epoch in epochs if epoch.quality][-1] == START_MS


@pytest.mark.parametrize(
    "place", ["9113.80000,N,12128.20000,E", "31x3.8,N,12128.2,E", ",,,"], ids=["91", "31x", "none"]
)
def test_an_impossible_place_is_no_place(place: str) -> None:
    assert only(sentence(f"GNGGA,120000.00,{place},1,05,1.2,10.1,M,8.0,M,,")).lat is None


def test_an_impossible_time_is_no_time() -> None:
    assert only(sentence("GNGGA,999999.00,3113.8,N,12128.2,E,1,05,1.2,10.1,M,8.0,M,,")).utc_ms is None


def test_a_line_without_end_is_bounded() -> None:
    reader = SentenceReader()
    for _ in range(1000):
        assert reader.feed(b"x" * 100) == []
    assert len(reader._pending) <= SENTENCE_BYTES_MAX
    assert reader.feed(b"\n" + sentence("GNTXT,01")) == [sentence("GNTXT,01").rstrip()]


@given(st.integers(1, 40))
def test_the_size_of_the_chunks_does_not_matter(size: int) -> None:
    data = epoch_bytes(START_MS) + epoch_bytes(START_MS + 1000)
    decoder = NmeaDecoder()
    epochs = [epoch for i in range(0, len(data), size) for epoch in decoder.feed(data[i : i + size])]
    assert epochs + decoder.flush() == decode(data)


@given(st.binary(max_size=600))
def test_no_noise_stops_the_decoder(noise: bytes) -> None:
    decoder = NmeaDecoder()
    decoder.feed(noise)
    epochs = decoder.feed(b"\r\n" + epoch_bytes(START_MS)) + decoder.flush()
    assert START_MS in [epoch.utc_ms for epoch in epochs]


@given(st.text("0123456789,.ANESWV-*$GPRMCA", max_size=90))
def test_no_sentence_with_a_good_checksum_stops_the_decoder(fields: str) -> None:
    for kind in ("RMC", "GGA", "GNS", "GSA", "VTG", "ZDA"):
        decode(sentence(f"GN{kind},{fields}"))
