"""The radio of the console's tests: officers with their recorders, a desk that is tuned, what it hears and sounds."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import APIRequestContext, Locator, Page, expect

from tests.console.bureau import SQUAD, Bureau, Worn
from tests.integration.ingest_rig import eventually
from tests.talk import Participant

JOINS_MS = 20_000
# What the browser has heard so far, over all its sessions; the tones that it played, in hertz.
WITNESS = """
  window.peers = [];
  const Peer = RTCPeerConnection;
  window.RTCPeerConnection = class extends Peer { constructor(...given) { super(...given); peers.push(this); } };
  window.tones = [];
  const Tone = OscillatorNode;
  window.OscillatorNode = class extends Tone {
    constructor(context, options) { super(context, options); tones.push(options.frequency); }
  };
"""
HEARD = """async () => {
  let energy = 0;
  for (const peer of peers)
    for (const row of (await peer.getStats()).values())
      if (row.type === "inbound-rtp") energy += row.totalAudioEnergy ?? 0;
  return energy;
}"""
PERMIT, DENY, REVOKED = [1047, 1568], [330, 262], [1047, 740, 523]


@asynccontextmanager
async def radio(bureau: Bureau, worn: Worn) -> AsyncIterator[Participant]:
    """The recorder of an officer, tuned to the group of the squad."""
    who = Participant(bureau.talk, worn.did, claims={"name": worn.name, "number": worn.number, "did": worn.did})
    try:
        yield await who.join(await bureau.squad_group())
    finally:
        await who.close()


async def at_the_radio(page: Page, bureau: Bureau, view: str = "/", *, group: str = SQUAD) -> None:
    """Sign in, and tune to a group."""
    await page.add_init_script(WITNESS)
    await bureau.sign_in(page, await bureau.account("dispatcher"), view)
    await expect(page.locator(".ptt")).to_have_attribute("data-phase", "ready", timeout=JOINS_MS)
    await page.locator(".ptt-group").click()
    await page.get_by_role("dialog").locator("li", has_text=group).get_by_role("radio").check()
    await page.keyboard.press("Escape")
    await expect(page.locator(".ptt-group")).to_contain_text(group)


def bar(page: Page) -> Locator:
    """The bar of the radio net, with its phase in `data-phase`."""
    return page.locator(".ptt")


async def phase(page: Page, name: str) -> None:
    """Wait until the key is there."""
    await expect(bar(page)).to_have_attribute("data-phase", name, timeout=JOINS_MS)


async def hears(page: Page) -> None:
    """Wait until the loudspeaker says something from now on."""
    before = await page.evaluate(HEARD)
    await page.wait_for_function(f"async () => await ({HEARD})() > {before} + 0.001")


async def sounds(page: Page, tones: list[int]) -> None:
    """Wait until these were the last tones."""
    await page.wait_for_function("wanted => tones.slice(-wanted.length).join() === wanted.join()", arg=tones)


async def made_group(bureau: Bureau, kind: str, who: str) -> str:
    """The newest open group of a kind with a member; returns its name."""

    async def found() -> str | None:
        rows = await bureau.rig.rows(
            "select g.gid from talk_group g join talk_group_member m using (gid) where kind = %s and person = %s"
            " and closed_at is null order by created_at desc limit 1",
            kind,
            who,
        )
        return str(rows[0]["gid"]) if rows else None

    return str(await eventually(found))


@asynccontextmanager
async def another_desk(page: Page, bureau: Bureau) -> AsyncIterator[APIRequestContext]:
    """Another dispatcher, who needs no eyes: requests below `/api/v1/`."""
    assert page.context.browser is not None
    account = await bureau.account("dispatcher")
    door = await page.context.browser.new_context()
    credentials = {"username": account.username, "password": account.password}
    me = await (await door.request.post(f"{bureau.api.url}/api/v1/auth/login", data=credentials)).json()
    desk = await page.context.browser.new_context(
        base_url=f"{bureau.api.url}/api/v1/",
        storage_state=await door.storage_state(),
        extra_http_headers={"x-csrf-token": me["csrf_token"]},
    )
    try:
        yield desk.request
    finally:
        await desk.close()
        await door.close()
