"""Sheets beside the roster: who was to be there, was heard, and was absent without a word."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio

from tests.integration.api_client import Platform
from tests.integration.review_rig import running_bureau, walk
from tests.services import TestBroker, TestDatabase

pytestmark = pytest.mark.integration

DUTY = ("rostered", "rostered_on_air", "absent")
HOUR_S = 3600
WALKED_S = 2400
SHIFT = "insert into shift (officer_id, begins_at, ends_at, zone_id) values "
# Local ten to twelve at a post, and four to eight in the evening, when D2001 has given the recorder away.
DAY = f"""
insert into zone (unit_id, kind, name) values (2, 'post', '外滩');
{SHIFT} (1, '2026-03-02T02:00Z', '2026-03-02T04:00Z', 1), (1, '2026-03-02T08:00Z', '2026-03-02T12:00Z', null)
"""
# Local ten in the evening to six in the morning, from Monday to Tuesday and from Sunday to Monday.
NIGHTS = (
    f"{SHIFT} (3, '2026-03-02T14:00Z', '2026-03-02T22:00Z', null), (3, '2026-03-08T14:00Z', '2026-03-08T22:00Z', null)"
)
SAID = """
insert into availability (device_id, at, received_at, sid, availability, why) values
  (1, '2026-03-02T01:59Z', now(), 1, 'online', null), (1, '2026-03-02T02:40Z', now(), 1, 'offline', '{}'),
  (1, '2026-03-02T04:30Z', now(), 2, 'online', null)
"""


@pytest_asyncio.fixture
async def platform(database: TestDatabase, broker: TestBroker) -> AsyncIterator[Platform]:
    async with running_bureau(database, broker) as running:
        yield running


async def sheet(platform: Platform, kind: str, role: str = "supervisor", **asked: Any) -> dict[str, Any]:
    caller = await platform.sign_in(role, officer=asked.get("officer") if role == "officer" else None)
    answer = await caller.get(f"/reports/{kind}", params=asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def duty(told: dict[str, Any]) -> dict[str, float]:
    return {one["key"]: one["value"] for one in told["summary"] if one["key"] in DUTY}


def table(told: dict[str, Any], key: str) -> list[dict[str, Any]]:
    return [{cell["key"]: cell for cell in row} for one in told["tables"] if one["key"] == key for row in one["rows"]]


async def test_a_day_tells_what_became_of_each_shift(platform: Platform) -> None:
    await walk(platform, 1, "02:00", seconds=WALKED_S)
    await platform.sql(DAY)
    # The broker lost it, and it came back as another session when the shift was over.
    await platform.sql(SAID.format("lost"))
    told = await sheet(platform, "officer-day", officer=1, date="2026-03-02")
    found = duty(told)
    assert found["rostered"] == 6 * HOUR_S
    assert found["rostered_on_air"] == pytest.approx(WALKED_S, abs=10)
    assert found["absent"] == pytest.approx(6 * HOUR_S - WALKED_S, abs=10)
    morning, evening = table(told, "shifts")
    assert (morning["zone"]["value"], evening["zone"]["value"]) == ("外滩", "")
    assert morning["absent"]["value"] == pytest.approx(2 * HOUR_S - WALKED_S, abs=10)
    assert (evening["rostered_on_air"]["value"], evening["absent"]["value"]) == (0, 4 * HOUR_S)
    # The clock of the look back stands where nobody was heard any more.
    for row, hour in ((morning, "T10:"), (evening, "T16:00:00")):
        asked = parse_qs(urlsplit(row["absent"]["link"]).query)
        assert asked["s"] == ["o1"]
        assert asked["t"][0].startswith(f"2026-03-02{hour}")


async def test_a_goodbye_explains_a_silence(platform: Platform) -> None:
    await walk(platform, 1, "02:00", seconds=WALKED_S)
    await platform.sql(DAY)
    await platform.sql(SAID.format("shutdown"))
    [morning, _] = table(await sheet(platform, "officer-day", officer=1, date="2026-03-02"), "shifts")
    assert morning["absent"]["value"] == 0
    assert morning["rostered_on_air"]["value"] == pytest.approx(WALKED_S, abs=10)


async def test_a_night_counts_on_each_of_its_days_and_once_in_the_week(platform: Platform) -> None:
    await platform.sql(NIGHTS)
    days = [duty(await sheet(platform, "officer-day", officer=3, date=f"2026-03-0{n}"))["rostered"] for n in (2, 3, 8)]
    assert days == [2 * HOUR_S, 6 * HOUR_S, 2 * HOUR_S]
    week = await sheet(platform, "squad-week", unit=3, week="2026-W10")
    # Sunday's night after midnight is next week's.
    assert duty(week)["rostered"] == 10 * HOUR_S
    assert sum(row["rostered"]["value"] for row in table(week, "dates_duty")) == 10 * HOUR_S
    [row] = table(week, "officers_duty")
    assert row["absent"]["value"] == duty(week)["absent"]


async def test_only_the_part_of_a_shift_within_the_hours_asked_for_counts(platform: Platform) -> None:
    await platform.sql(DAY)
    told = await sheet(platform, "officer-day", officer=1, date="2026-03-02", shift="11:00-17:00")
    assert duty(told)["rostered"] == 2 * HOUR_S


async def test_without_a_roster_nobody_is_absent(platform: Platform) -> None:
    told = await sheet(platform, "officer-day", officer=2, date="2026-03-02")
    assert duty(told) == {}
    assert table(told, "shifts") == []
    await platform.sql(NIGHTS)
    await platform.sql("update shift set withdrawn_at = now()")
    week = await sheet(platform, "squad-week", unit=3, week="2026-W10")
    assert duty(week) == {}
    assert table(week, "officers_duty") == []


async def test_an_officer_reads_what_became_of_their_own_shifts(platform: Platform) -> None:
    await platform.sql(DAY)
    told = await sheet(platform, "officer-day", role="officer", officer=1, date="2026-03-02")
    assert duty(told)["rostered"] == 6 * HOUR_S
