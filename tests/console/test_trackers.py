"""Plain trackers, such as telephones: they never say that they are there, their fixes do."""

import json

import pytest
from playwright.async_api import Page, expect

from tests.console.bureau import SQUAD, Bureau
from tests.integration.ingest_rig import TENANT, now_s
from xunlu_protocol.fleet import FleetFrame, Notice
from xunlu_protocol.topics import fleet

pytestmark = [pytest.mark.console, pytest.mark.integration]


async def carried(bureau: Bureau, name: str) -> tuple[str, str]:
    """A telephone that an officer of the squad carries; its name and the officer's number."""
    number = await bureau.officer(name)
    did = await bureau.rig.device(kind="tracker")
    await bureau.rig.connection.execute(
        "with carried as (update device set unit_id = (select id from unit where name = %s) where did = %s"
        " returning id) insert into binding (device_id, officer_id)"
        " select carried.id, officer.id from carried, officer where number = %s",
        [SQUAD, did, number],
    )
    frame = FleetFrame(notices=(Notice(what="device", id=did, did=did),))
    await bureau.rig.session.publish(fleet(TENANT, "api"), frame.encode(), qos=0)
    return did, number


@pytest.mark.parametrize(("age_s", "shown"), [(0, "在岗"), (300, "位置过时"), (3600, "关机")])
async def test_a_telephone_is_there_as_long_as_it_reports(page: Page, bureau: Bureau, age_s: int, shown: str) -> None:
    did, number = await carried(bureau, "沈岩")
    here = {"_type": "location", "lat": 31.2281, "lon": 121.4771, "tst": now_s() - age_s, "acc": 12}
    await bureau.rig.session.publish(f"owntracks/{did}/phone", json.dumps(here).encode())
    await bureau.sign_in(page, await bureau.account("dispatcher"))
    await expect(page.get_by_role("row", name=number)).to_contain_text(shown)
