"""A district to try things with: squads of the generated demo map, officers, one account for each role.

Running it again changes nothing and prints nothing: what is there stays.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from xunlu_platform.auth.passwords import random_password
from xunlu_platform.auth.roles import Role
from xunlu_platform.config import PlatformSettings
from xunlu_platform.installation import ensure_account, ensure_root, print_login
from xunlu_platform.pinyin import pinyin_of
from xunlu_platform.reports.period import day_of
from xunlu_platform.review.shifts import Shift
from xunlu_platform.store.roster import NewShift, add_shifts
from xunlu_platform.store.store import SYSTEM, Session, Store

DISTRICT = "明江区城市管理行政执法局"
# Squads are named after the sub-districts of the demo map; some have teams.
SQUADS = {
    "文昌中队": ("文昌一分队", "文昌二分队"),
    "人民广场中队": ("广场巡查分队",),
    "望江中队": (),
    "滨江中队": (),
    "东岸中队": (),
}
# Circles around places of the demo map: squad, kind, name, latitude, longitude, metres.
ZONES = (
    ("人民广场中队", "post", "人民广场岗", 31.23006, 121.47493, 200),
    ("滨江中队", "post", "滨江岗", 31.21993, 121.48340, 200),
    ("文昌中队", "responsibility", "文昌责任区", 31.23513, 121.45303, 1500),
    ("人民广场中队", "watch", "人民广场商圈", 31.22384, 121.47526, 300),
)
OFFICERS = 100
# Everybody is on one of them for a week, five days of seven: last week, this one, and the next.
SHIFTS = ("06:00-14:00", "14:00-22:00", "22:00-06:00")
WEEKS = 3
VENDOR, MODEL, INSPECTION_REPORT = "Xunlu", "SIM-4G", "DEMO-2026-0001"

_FAMILY_NAMES = "王李张刘陈杨黄赵周吴徐孙朱马胡郭林何高罗"
_GIVEN_NAMES = (
    *("伟", "芳", "敏", "静", "强", "磊", "洋", "勇", "军", "杰", "涛", "明", "超", "霞", "平", "刚", "建国", "志强"),
    *("晓燕", "文博", "子涵", "雨桐", "俊杰", "海波", "丽华", "春梅", "国栋", "思远", "家豪", "雪梅", "永康", "振华"),
)


@dataclass(frozen=True, slots=True)
class _Officer:
    id: int
    unit_id: int


@dataclass(frozen=True, slots=True)
class _Account:
    role: Role
    username: str
    display_name: str
    unit_id: int
    officer_id: int | None = None


async def make_demo_data(settings: PlatformSettings) -> None:
    """Fill an installation with the demo district; prints each new account as a JSON line.

    The passwords are new in every installation, so nobody has to change them first.

    Raises:
        StoreError: the database does not answer, or has not been migrated.
    """
    fresh: list[tuple[_Account, str]] = []
    async with Store(settings.database("owner"), connections_max=2) as store, store.session(SYSTEM) as session:
        district = (await ensure_root(session, settings.tenant, DISTRICT))["id"]
        squads = [await _squad(session, settings.tenant, district, name) for name in SQUADS]
        officers = await _officers(session, settings.tenant, squads)
        await _expected_devices(session, officers)
        await _roster(session, officers, ZoneInfo(settings.time_zone))
        await _zones(session, {name: units[0] for name, units in zip(SQUADS, squads, strict=True)})
        for account in _accounts(district, squads[0][0], officers[0]):
            password = random_password()
            made = await ensure_account(
                session, unit_id=account.unit_id, username=account.username, display_name=account.display_name,
                role=account.role, officer_id=account.officer_id, password=password, must_change=False,
            )  # fmt: skip
            if made:
                fresh.append((account, password))
    for account, password in fresh:
        print_login(account.role, account.username, password)


async def _squad(session: Session, tenant: str, district: int, name: str) -> tuple[int, ...]:
    """The squad and its teams: where its officers belong."""
    squad = await _unit(session, tenant, district, "squad", name)
    return (squad, *[await _unit(session, tenant, squad, "team", team) for team in SQUADS[name]])


async def _unit(session: Session, tenant: str, parent: int, kind: str, name: str) -> int:
    values = {"tenant": tenant, "parent_id": parent, "kind": kind, "name": name, "pinyin": pinyin_of(name)}
    row = await session.one("installation", "ensure_unit", values)
    assert row is not None
    return int(row["id"])


async def _officers(session: Session, tenant: str, squads: Sequence[tuple[int, ...]]) -> list[_Officer]:
    """Officers in turn over the squads, so that any number of recorders is spread over all of them."""
    officers = []
    for number, name in enumerate(_names()):
        squad = number % len(squads)
        units = squads[squad]
        unit_id = units[number // len(squads) % len(units)]
        badge = f"MJ{squad + 1}{number // len(squads) + 1:03d}"
        values = {"tenant": tenant, "unit_id": unit_id, "number": badge, "name": name, "pinyin": pinyin_of(name)}
        row = await session.one("installation", "ensure_officer", values)
        assert row is not None
        officers.append(_Officer(row["id"], unit_id))
    return officers


def _names() -> Iterator[str]:
    """The same hundred names everywhere."""
    names = [family + given for family in _FAMILY_NAMES for given in _GIVEN_NAMES]
    yield from random.Random(31).sample(names, OFFICERS)  # noqa: S311  names, no secrets


async def _expected_devices(session: Session, officers: Sequence[_Officer]) -> None:
    for number, officer in enumerate(officers, 1):
        values = {"vendor": VENDOR, "model": MODEL, "inspection_report": INSPECTION_REPORT}
        place = {"serial": f"SIM{number:04d}", "unit_id": officer.unit_id, "officer_id": officer.id}
        await session.run("installation", "ensure_expected", {**values, **place})


async def _roster(session: Session, officers: Sequence[_Officer], place: ZoneInfo) -> None:
    known = await session.one("installation", "rostered")
    if known is None or not known["shifts"]:
        await add_shifts(session, None, list(_shifts(officers, place)))


def _shifts(officers: Sequence[_Officer], place: ZoneInfo) -> Iterator[NewShift]:
    today = datetime.now(place).date()
    first = today - timedelta(days=today.weekday() + 7)
    for turn, officer in enumerate(officers):
        for day in range(7 * WEEKS):
            if (day + turn) % 7 < 5:
                shift = Shift.parsed(SHIFTS[(turn + day // 7) % len(SHIFTS)])
                when = day_of(first + timedelta(days=day), shift, place)
                yield NewShift(officer_id=officer.id, begins_at=when.since, ends_at=when.until)


async def _zones(session: Session, squads: Mapping[str, int]) -> None:
    """They raise no alarms: simulated officers know nothing of them, and would ring all day."""
    known = await session.one("zones", "count")
    if known is not None and known["zones"]:
        return
    for squad, kind, name, lat, lon, radius_m in ZONES:
        zone = {"unit_id": squads[squad], "kind": kind, "name": name, "pinyin": pinyin_of(name), "account_id": None}
        row = await session.one("zones", "insert", zone)
        assert row is not None
        circle = {"type": "Point", "coordinates": [lon, lat]}
        rule = dict.fromkeys(("dwell_s_max", "window_from", "window_to", "weekdays", "account_id"))
        shape = {"type": "Feature", "properties": {"radius_m": radius_m}, "geometry": circle}
        values = {**rule, "zone_id": row["id"], "shape": shape, "severity": 0}
        await session.run("zones", "insert_version", values)


def _accounts(district: int, squad: int, officer: _Officer) -> tuple[_Account, ...]:
    return (
        _Account("dispatcher", "dispatcher", "指挥中心调度员", district),
        _Account("supervisor", "supervisor", "督察", district),
        _Account("clerk", "clerk", "内勤", district),
        _Account("dispatcher", "dispatcher-wenchang", "文昌中队调度员", squad),
        _Account("evidence", "evidence", "法制员", district),
        _Account("auditor", "auditor", "审计员", district),
        _Account("administrator", "administrator", "系统管理员", district),
        _Account("officer", "officer", "队员", officer.unit_id, officer.id),
    )
