"""Zones from the drawing to the event: real fixes through the real ingest, and a second look when they come late."""

import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import pairwise

import pytest
import pytest_asyncio

from tests.integration.ingest_rig import Rig, eventually, fix, now_s, rig
from tests.integration.zone_rig import AWAY, HOME, known, report, walk, zone
from tests.services import TestBroker, TestDatabase
from xunlu_platform.store import zone_review
from xunlu_platform.store.store import Store

pytestmark = pytest.mark.integration


@pytest_asyncio.fixture
async def ingest(database: TestDatabase, broker: TestBroker) -> AsyncIterator[Rig]:
    async with rig(database, broker) as made, made.working():
        yield made


@pytest_asyncio.fixture
async def jobs(ingest: Rig) -> AsyncIterator[Store]:
    async with Store(ingest.settings.database("jobs"), connections_max=2) as store:
        yield store


async def events(ingest: Rig, did: str) -> list[tuple[str, int, bool, bool]]:
    """Kind, fix time, whether late, whether withdrawn; in order of fix time."""
    rows = await ingest.rows(
        "select e.* from zone_event e join device d on d.id = e.device_id where did = %s order by fix_at, kind", did
    )
    return [(row["kind"], int(row["fix_at"].timestamp()), row["late"], row["withdrawn_at"] is not None) for row in rows]


async def alarms(ingest: Rig, did: str) -> list[str]:
    rows = await ingest.rows(
        "select a.kind from alarm a join device d on d.id = a.device_id where did = %s order by a.id", did
    )
    return [row["kind"] for row in rows]


async def review(jobs: Store) -> int:
    """Look at every past that has changed, to the end; returns how many looks it took."""
    looks = itertools.count()
    while await zone_review.review_late(jobs, "Asia/Shanghai", datetime.now(UTC)):
        next(looks)
    return next(looks)


async def squad(ingest: Rig, did: str, name: str) -> int:
    """A squad of its own beside a device, in the unit that the device has."""
    [unit] = await ingest.rows(
        "insert into unit (tenant, kind, name, parent_id) select tenant, 'squad', %s, unit_id from device "
        "where did = %s returning id",
        f"{name} {did}",
        did,
    )
    return int(unit["id"])


async def test_leaving_a_responsibility_zone_is_an_event_and_an_alarm_at_the_time_of_the_fix(ingest: Rig) -> None:
    did = await ingest.device()
    await zone(ingest, did)
    begin = now_s()
    await report(ingest, did, walk([HOME] * 3 + [AWAY] * 4, ago_s=60))
    [(kind, at, late, withdrawn)] = await events(ingest, did)
    assert (kind, late, withdrawn) == ("leave", False, False)
    assert abs(at - (begin - 30)) <= 1
    assert await alarms(ingest, did) == ["zone_leave"]


@pytest.mark.parametrize(
    ("kind", "rule", "severity"),
    [("responsibility", None, 1), ("post", None, 2), ("post", 1, 1), ("responsibility", 2, 2), ("post", 0, None)],
)
async def test_an_alarm_is_as_grave_as_the_rule_of_its_zone_says_else_as_its_kind(
    ingest: Rig, kind: str, rule: int | None, severity: int | None
) -> None:
    did = await ingest.device()
    await zone(ingest, did, kind, severity=rule)
    await report(ingest, did, walk([HOME] * 3 + [AWAY] * 4, ago_s=60))
    assert [kind for kind, *_ in await events(ingest, did)] == ["leave"]
    raised = await ingest.rows("select severity from alarm a join device d on d.id = a.device_id where did = %s", did)
    assert [row["severity"] for row in raised] == ([] if severity is None else [severity])


async def test_whoever_is_inside_when_the_watch_begins_has_not_entered(ingest: Rig) -> None:
    did = await ingest.device()
    await zone(ingest, did, "forbidden")
    await report(ingest, did, walk([HOME] * 5, ago_s=60))
    assert await events(ingest, did) == []
    assert await alarms(ingest, did) == []


async def test_a_zone_concerns_only_those_whom_it_names(ingest: Rig) -> None:
    did = await ingest.device()
    number = await zone(ingest, did)
    others = await squad(ingest, did, "others than")
    await ingest.rows("insert into zone_audience (zone_id, unit_id) values (%s, %s) returning id", number, others)
    await report(ingest, did, walk([HOME] * 3 + [AWAY] * 4, ago_s=60))
    assert await events(ingest, did) == []


async def test_a_zone_concerns_a_unit_also_when_the_unit_has_moved(ingest: Rig) -> None:
    did = await ingest.device()
    above, moving = await squad(ingest, did, "above"), await squad(ingest, did, "moving")
    await ingest.rows("update device set unit_id = %s where did = %s returning id", moving, did)
    number = await zone(ingest, did)
    await known(ingest, number, did)
    await ingest.rows(
        "update unit set parent_id = %s, path = (select path from unit where id = %s) || id || '/' where id = %s "
        "returning id",
        *(above, above, moving),
    )
    turns = itertools.count()

    async def leaves() -> bool:
        turn = next(turns)
        fixes = walk([HOME] * 2 + [AWAY] * 5, ago_s=3500 - 35 * turn, first=10_000 + 10 * turn, every_s=5)
        await report(ingest, did, fixes)
        return ("leave", True) in [(kind, late) for kind, _, late, _ in await events(ingest, did)]

    await eventually(leaves)


async def test_a_fix_that_comes_twice_changes_nothing(ingest: Rig) -> None:
    did = await ingest.device()
    await zone(ingest, did)
    fixes = walk([HOME] * 3 + [AWAY] * 4, ago_s=60)
    await report(ingest, did, fixes)
    await report(ingest, did, fixes)
    assert [kind for kind, *_ in await events(ingest, did)] == ["leave"]
    assert await alarms(ingest, did) == ["zone_leave"]


async def test_a_visit_that_was_not_heard_of_in_time_is_found_later_and_raises_no_alarm(
    ingest: Rig, jobs: Store
) -> None:
    did = await ingest.device()
    await zone(ingest, did)
    unheard = walk([HOME] * 6 + [AWAY] * 4, ago_s=300, first=4)
    await report(ingest, did, [*walk([AWAY] * 3, ago_s=330), *walk([AWAY] * 3, ago_s=60, first=20)])
    assert await events(ingest, did) == []
    await report(ingest, did, unheard, "loc/hist")
    await review(jobs)
    assert [(kind, late) for kind, _, late, _ in await events(ingest, did)] == [("enter", True), ("leave", True)]
    assert await alarms(ingest, did) == []


@pytest.mark.parametrize("channel", ["loc/hist", "loc"])
async def test_a_backlog_newer_than_the_state_is_told_as_late_and_raises_no_alarm(ingest: Rig, channel: str) -> None:
    did = await ingest.device()
    await zone(ingest, did, "post")
    await report(ingest, did, walk([HOME] * 2, ago_s=3600))
    await report(ingest, did, walk([HOME] * 3 + [AWAY] * 4 + [HOME] * 3, ago_s=3550, first=10), channel)
    await report(ingest, did, walk([HOME] * 2, ago_s=20, first=30))
    found = await events(ingest, did)
    assert [(kind, late, withdrawn) for kind, _, late, withdrawn in found[:2]] == [
        ("leave", True, False),
        ("enter", True, False),
    ]
    assert await alarms(ingest, did) == []


async def test_who_left_in_a_backlog_and_is_seen_away_live_alarms(ingest: Rig) -> None:
    did = await ingest.device()
    await zone(ingest, did, "post")
    await report(ingest, did, walk([HOME] * 3 + [AWAY], ago_s=90), "loc/hist")
    await report(ingest, did, walk([AWAY] * 3, ago_s=20, first=10))
    assert [(kind, late) for kind, _, late, _ in await events(ingest, did)] == [("leave", False)]
    assert await alarms(ingest, did) == ["zone_leave"]


async def test_a_leave_that_late_fixes_disprove_is_withdrawn(ingest: Rig, jobs: Store) -> None:
    did = await ingest.device()
    await zone(ingest, did)
    # Two fixes 25 s apart say that somebody left; between them they were seen at home.
    glimpses = [
        *walk([HOME] * 3, ago_s=100),
        fix(10, lat=AWAY[0], lon=AWAY[1], age_s=60, acc=5.0),
        fix(12, lat=AWAY[0], lon=AWAY[1], age_s=35, acc=5.0),
        *walk([HOME] * 3, ago_s=30, first=13),
    ]
    await report(ingest, did, glimpses)
    assert [kind for kind, *_ in await events(ingest, did)] == ["leave", "enter"]
    await report(ingest, did, [fix(11, lat=HOME[0], lon=HOME[1], age_s=48, acc=5.0)], "loc/hist")
    await review(jobs)
    assert [(kind, withdrawn) for kind, _, _, withdrawn in await events(ingest, did)] == [
        ("leave", True),
        ("enter", True),
    ]


async def test_a_visit_that_a_silence_ended_before_a_late_fix_stays_ended(ingest: Rig, jobs: Store) -> None:
    did = await ingest.device()
    await zone(ingest, did)
    seen = [*walk([AWAY] * 3 + [HOME] * 4, ago_s=6000), *walk([AWAY] * 3, ago_s=3000, first=10)]
    await report(ingest, did, seen)
    await report(ingest, did, [fix(20, lat=AWAY[0], lon=AWAY[1], age_s=2995, acc=5.0)], "loc/hist")
    await review(jobs)
    found = await events(ingest, did)
    assert [(kind, withdrawn) for kind, _, _, withdrawn in found] == [("enter", False), ("leave", False)]


async def test_who_comes_to_a_zone_after_days_of_silence_has_entered_also_in_a_review(ingest: Rig, jobs: Store) -> None:
    did = await ingest.device()
    number = await zone(ingest, did)
    await ingest.rows(
        "update zone_version set valid_from = now() - interval '9 days' where zone_id = %s returning id", number
    )
    await report(ingest, did, walk([AWAY] * 3, ago_s=5 * 86_400))
    await report(ingest, did, walk([HOME] * 4, ago_s=3000, first=10))
    await report(ingest, did, [fix(20, lat=HOME[0], lon=HOME[1], age_s=2985, acc=5.0)], "loc/hist")
    await review(jobs)
    found = await events(ingest, did)
    assert [(kind, withdrawn) for kind, _, _, withdrawn in found] == [("enter", False), ("leave", False)]


async def test_a_clock_that_jumps_back_leaves_alone_what_came_after_the_next_silence(ingest: Rig, jobs: Store) -> None:
    did = await ingest.device()
    await zone(ingest, did)
    await report(ingest, did, walk([HOME] * 3 + [AWAY] * 4 + [HOME] * 3, ago_s=100))
    before = await events(ingest, did)
    # What a review of the present would write anew.
    marked = "update zone_watch set state = jsonb_set(state, '{zones}', '[]') where device_id = %s returning state"
    [device] = await ingest.rows("select id from device where did = %s", did)
    [stands] = await ingest.rows(marked, device["id"])
    await report(ingest, did, walk([AWAY] * 3 + [HOME] * 3 + [AWAY] * 4, ago_s=72_000, first=50), "loc/hist")
    assert await review(jobs) >= 1
    found = await events(ingest, did)
    assert [(kind, late) for kind, _, late, _ in found] == [
        ("enter", True), ("leave", True), ("leave", False), ("enter", False),
    ]  # fmt: skip
    assert found[2:] == before
    assert await ingest.rows("select state from zone_watch where device_id = %s", device["id"]) == [stands]


async def stored(ingest: Rig, did: str, *, seconds: int, ago_s: int) -> None:
    """A fix each second, for ten minutes at home and ten away in turn, as if ingest had not looked at zones."""
    await ingest.rows(
        "insert into position (device_id, fix_at, sid, seq, received_at, lat, lon, accuracy_m, late) "
        "select d.id, date_trunc('second', now()) + make_interval(secs => n - %s), 9, n, now(), "
        "case when (n / 600) %% 2 = 0 then %s else %s end, %s, 5, true "
        "from device d cross join generate_series(0, %s - 1) n where d.did = %s returning seq",
        *(ago_s, HOME[0], AWAY[0], HOME[1], seconds, did),
    )


async def test_a_long_review_goes_on_in_pieces_and_others_have_their_turn_between(ingest: Rig, jobs: Store) -> None:
    long, short = await ingest.device(), await ingest.device()
    await zone(ingest, long)
    for did in (long, short):
        await report(ingest, did, walk([HOME] * 3, ago_s=30))
    seconds, ago_s = 2 * zone_review.PIECE_FIXES + 2000, 80_000
    await stored(ingest, long, seconds=seconds, ago_s=ago_s)
    first = fix(100, lat=HOME[0], lon=HOME[1], age_s=ago_s, acc=5.0)
    last = fix(101, lat=HOME[0], lon=HOME[1], age_s=ago_s - seconds, acc=5.0)
    await report(ingest, long, [first, last], "loc/hist")
    await report(ingest, short, walk([AWAY] * 3 + [HOME] * 3, ago_s=3000, first=50), "loc/hist")
    began = datetime.now(UTC)
    for looked, due in ((1, {long, short}), (2, {long})):
        assert await zone_review.review_late(jobs, "Asia/Shanghai", began), looked
        left = await ingest.rows("select d.did from zone_due join device d on d.id = device_id")
        assert {row["did"] for row in left} == due
    assert await zone_review.review_late(jobs, "Asia/Shanghai", began) is None
    assert await review(jobs) == 2
    found = await events(ingest, long)
    assert [kind for kind, *_ in found] == ["leave" if turn % 2 else "enter" for turn in range(1, seconds // 600)]
    assert {(late, withdrawn) for *_, late, withdrawn in found} == {(True, False)}
    assert {after - before for before, after in pairwise(at for _, at, *_ in found)} == {600}


async def bound(ingest: Rig, did: str) -> int:
    """An officer of a squad of their own, who wears a device for a day already; returns the officer."""
    unit = await squad(ingest, did, "squad of")
    [officer] = await ingest.rows(
        "insert into officer (tenant, unit_id, number, name) select tenant, %s, did, '周敏' from device "
        "where did = %s returning id",
        unit,
        did,
    )
    await ingest.rows(
        "insert into binding (device_id, officer_id, bound_at) select id, %s, now() - interval '1 day' from device "
        "where did = %s returning id",
        officer["id"],
        did,
    )
    return int(officer["id"])


@pytest.mark.parametrize("what", ["transfer", "audience"])
async def test_a_review_judges_the_past_by_whom_a_zone_concerned_then(ingest: Rig, jobs: Store, what: str) -> None:
    did = await ingest.device()
    officer = await bound(ingest, did)
    number = await zone(ingest, did)
    others = await squad(ingest, did, "others than")
    named = "insert into zone_audience (zone_id, unit_id) select %s, unit_id from officer where id = %s returning id"
    await ingest.rows(named, number, officer)
    await report(ingest, did, walk([HOME] * 3 + [AWAY] * 4, ago_s=100))
    assert [kind for kind, *_ in await events(ingest, did)] == ["leave"]
    if what == "transfer":
        await ingest.rows("update officer set unit_id = %s where id = %s returning id", others, officer)
    else:
        await ingest.rows("update zone_version set valid_to = now() where zone_id = %s returning id", number)
        await ingest.rows("update zone_audience set until = now() where zone_id = %s returning id", number)
        await ingest.rows(
            "insert into zone_audience (zone_id, unit_id, since) values (%s, %s, now()) returning id", number, others
        )
    await report(ingest, did, [fix(20, lat=HOME[0], lon=HOME[1], age_s=95, acc=5.0)], "loc/hist")
    await review(jobs)
    assert [(kind, withdrawn) for kind, _, _, withdrawn in await events(ingest, did)] == [("leave", False)]


@pytest.mark.parametrize(("withdrawn", "told"), [(False, ["leave", "enter"]), (True, [])])
async def test_whoever_is_rostered_at_a_post_of_others_is_missed_there(
    ingest: Rig, withdrawn: bool, told: list[str]
) -> None:
    did = await ingest.device()
    officer = await bound(ingest, did)
    number = await zone(ingest, did, "post")
    others = await squad(ingest, did, "others than")
    await ingest.rows("insert into zone_audience (zone_id, unit_id) values (%s, %s) returning id", number, others)
    await ingest.rows(
        "insert into shift (officer_id, begins_at, ends_at, zone_id, withdrawn_at) "
        "select %s, t, t + interval '2 h', %s, case when %s then t end from (select now() - interval '1 h' as t) "
        "returning id",
        officer,
        number,
        withdrawn,
    )
    await report(ingest, did, walk([HOME] * 3 + [AWAY] * 4 + [HOME] * 2, ago_s=90))
    assert [kind for kind, *_ in await events(ingest, did)] == told
    assert await alarms(ingest, did) == ["zone_leave"] * (not withdrawn)


async def test_somebody_who_is_not_heard_of_any_more_has_left_with_the_last_fix(ingest: Rig, jobs: Store) -> None:
    did = await ingest.device()
    await zone(ingest, did, "post")
    last_s = now_s() - 900 + 40
    await report(ingest, did, walk([AWAY] * 3 + [HOME] * 2, ago_s=900))
    await zone_review.end_silent(jobs, "Asia/Shanghai")
    found = await events(ingest, did)
    assert [kind for kind, *_ in found] == ["enter", "leave"]
    assert abs(found[-1][1] - last_s) <= 1
    assert await alarms(ingest, did) == []


async def test_too_long_a_stay_is_an_alarm_of_its_own(ingest: Rig) -> None:
    did = await ingest.device()
    await zone(ingest, did, "patrol", dwell_s_max=60)
    await report(ingest, did, walk([AWAY] * 2 + [HOME] * 10, ago_s=115))
    assert [kind for kind, *_ in await events(ingest, did)] == ["enter", "dwell"]
    assert await alarms(ingest, did) == ["zone_dwell"]


async def test_a_mistake_in_a_zone_keeps_no_fix_out_and_is_made_good_later(ingest: Rig, jobs: Store) -> None:
    did = await ingest.device()
    await zone(ingest, did)
    await report(ingest, did, walk([HOME] * 3, ago_s=120))
    await ingest.rows(
        "update zone_watch set state = '{}' where device_id = (select id from device where did = %s) "
        "returning device_id",
        did,
    )
    await report(ingest, did, walk([AWAY] * 4, ago_s=90, first=4))
    assert len(await ingest.positions(did)) == 7
    assert await events(ingest, did) == []
    await review(jobs)
    assert [(kind, late) for kind, _, late, _ in await events(ingest, did)] == [("leave", True)]
    await report(ingest, did, walk([HOME] * 2, ago_s=20, first=8))
    assert [(kind, late) for kind, _, late, _ in await events(ingest, did)] == [("leave", True), ("enter", False)]
