"""Every view of the console against WCAG 2.2 A and AA, in both themes and both languages, and by the Tab key alone."""

import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Literal

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.console.bureau import SQUAD, Account, Bureau
from tests.console.conftest import TIMEOUT_MS
from tests.console.review_scene import BEGIN, END, Past, address, afternoon, guards
from tests.console.test_talk_bursts import said
from tests.repository import ROOT

AXE = ROOT / "deploy" / "console-check" / "node_modules" / "axe-core" / "axe.min.js"
# The first test waits for the whole scene.
pytestmark = [pytest.mark.console, pytest.mark.integration, pytest.mark.timeout(180)]
needs_axe = pytest.mark.skipif(not AXE.exists(), reason="axe-core comes by npm, which is missing")

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# What is wrong, one line for each element.
FINDINGS = """
async (tags) => {
  const rules = { "target-size": { enabled: true } };
  const { violations } = await axe.run({ runOnly: { type: "tag", values: tags }, rules, resultTypes: ["violations"] });
  const why = ({ any, all, none }) => [...any, ...all, ...none].map(({ message }) => message).join("; ");
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id} ${node.target.join(" ")}: ${why(node)}`));
}
"""
LOOK = """
([theme, language]) => Object.assign(localStorage, {
  "xunlu.theme": theme,
  "xunlu.language": language,
  "xunlu.place": JSON.stringify({ lat: 31.2304, lon: 121.4737, zoom: 17 }),
})
"""
LOOKS = (("dark", "zh-CN"), ("light", "en"))


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """Something that the console shows.

    Attributes:
        address: path and query; what stands in braces is of the scene.
        shows: selector of what is there when it is complete.
        by: whose eyes see it.
        steps: what opens it, a key to press or a selector to click.
    """

    address: str
    shows: str
    by: Literal["desk", "officer", "stranger"] = "desk"
    steps: tuple[tuple[Literal["press", "click"], str], ...] = ()


VIEWS = {
    "sign-in": View(address="/", shows="form", by="stranger"),
    "command": View(address="/?device={did}", shows=".right .exports"),
    "alarm": View(address="/?device={caller}", shows=".alarm"),
    "keys": View(address="/", shows="dialog .keys", steps=(("press", "?"),)),
    "palette": View(address="/", shows="dialog [role=option]", steps=(("press", "Control+k"),)),
    "user": View(address="/", shows=".menu[role=menu]", steps=(("click", ".top .user"),)),
    "radio": View(address="/", shows="dialog .groups", steps=(("click", ".ptt-group"),)),
    "past": View(address="/?at=2026-11-22T06:00:00Z&device={past}", shows=".past-banner"),
    "who": View(address="/", shows="dialog form", steps=(("press", "h"), ("click", ".map.aiming"))),
    "found": View(
        address="/", shows=".who-found li", steps=(("press", "h"), ("click", ".map.aiming"), ("press", "Enter"))
    ),
    "wall": View(address="/wall?grid=4&show={did}", shows=".tile .picture"),
    "thumbnails": View(address="/wall/thumbnails", shows=".thumb"),
    "review": View(address="{review}", shows=".subject + .subject + .subject"),
    "zones": View(address="/zones", shows=".zone-row"),
    "zone": View(address="/zones?zone={zone}", shows=".zone-facts"),
    "drawing": View(address="/zones", shows=".zone-form", steps=(("press", "z"),)),
    "incidents": View(address="/incidents", shows=".listing tbody tr"),
    "incident": View(address="/incidents/{incident}", shows=".incident .card-box"),
    "reports": View(address="/reports", shows=".notice"),
    "sheet": View(address="/reports?kind=officer-day&officer={officer}&date={date}", shows=".sheet figure img"),
    "bursts": View(address="/talk", shows=".listing tbody tr"),
    "orders": View(address="/talk/orders", shows=".listing tbody tr"),
    "devices": View(address="/manage/devices?device={did}", shows=".panel .history"),
    "expected": View(address="/manage/expected", shows=".page .listing"),
    "organisation": View(address="/manage/organisation", shows=".listing tbody tr"),
    "officers": View(address="/manage/officers", shows=".listing tbody tr"),
    "alarms": View(address="/manage/alarms", shows=".listing tbody tr"),
    "movements": View(address="/manage/zone-events", shows=".page .listing"),
    "roster": View(address="/manage/roster?unit={unit}", shows="[role=grid]"),
    "users": View(address="/manage/users", shows=".listing tbody tr"),
    "audit": View(address="/manage/audit", shows=".listing tbody tr"),
    "retention": View(address="/manage/retention", shows=".listing tbody tr"),
    "refused": View(address="/manage/dead-letters", shows=".page .listing"),
    "health": View(address="/health", shows=".verdict .verdict-line"),
    "nowhere": View(address="/nowhere", shows=".notice"),
    "phone": View(address="/phone", shows="[data-line=open]", by="officer"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """What there is to see, and windows of those who see it: most is seen by an administrator at a desk."""

    url: str
    names: dict[str, Any]
    windows: dict[str, BrowserContext]

    async def page(self, view: View, look: tuple[str, str] = LOOKS[0]) -> Page:
        """A view with all that belongs to it, in a theme and a language."""
        page = await self.windows[view.by].new_page()
        await page.add_init_script(f"({LOOK})({list(look)!r})")
        await page.goto(self.url + view.address.format_map(self.names))
        for act, what in view.steps:
            await expect(page.locator(".ptt-key")).to_be_visible()
            await (page.keyboard.press(what) if act == "press" else page.locator(what).first.click())
        await expect(page.locator(view.shows).first).to_be_visible()
        return page


async def posts(context: BrowserContext, url: str, path: str, body: Any) -> Any:
    """What the desk sends."""
    me = await (await context.request.get(f"{url}/api/v1/auth/me")).json()
    answer = await context.request.post(f"{url}/api/v1{path}", headers={"x-csrf-token": me["csrf_token"]}, data=body)
    assert answer.ok, await answer.text()
    return await answer.json()


async def window(
    browser: Browser, bureau: Bureau, account: Account | None = None, *, width: int = 1440
) -> BrowserContext:
    """A window of somebody, signed in, in which nothing moves that need not."""
    context = await browser.new_context(
        viewport={"width": width, "height": 900},
        locale="zh-CN",
        reduced_motion="reduce",
        geolocation={"latitude": 31.2304, "longitude": 121.4737, "accuracy": 8},
        permissions=["geolocation"],
    )
    context.set_default_timeout(TIMEOUT_MS)
    if account is not None:
        page = await context.new_page()
        await bureau.sign_in(page, account)
        await page.close()
    return context


async def happened(bureau: Bureau, desk: BrowserContext, past: Past) -> dict[str, Any]:
    """An incident with a note and a step, and an order."""
    url = bureau.api.url
    span = {"from": BEGIN.isoformat(), "to": END.isoformat()}
    incident = await posts(desk, url, "/incidents", {"title": "外滩走失儿童", **span, "subjects": [past.subject]})
    await posts(desk, url, f"/incidents/{incident['id']}/notes", {"text": "家属已联系"})
    await posts(desk, url, f"/incidents/{incident['id']}/marks", {"at": BEGIN.isoformat(), "text": "发现儿童"})
    await posts(
        desk, url, "/messages", {"to": await bureau.squad_group(), "below": True, "text": "回所里", "speak": True}
    )
    return {"incident": incident["id"]}


@pytest_asyncio.fixture(scope="module")
async def scene(open_bureau: Bureau, browser: Browser) -> AsyncIterator[Scene]:
    bureau = open_bureau
    worn, caller = await bureau.films("周敏"), await bureau.films("陈志远")
    await bureau.stands(worn, 31.2304, 121.4737)
    await bureau.stands(caller, 31.2290, 121.4780)
    await bureau.presses_sos(caller)
    await said(bureau, worn)
    one, two, three = await afternoon(bureau)
    await guards(bureau, "人民广场岗", BEGIN, None)
    [made] = await bureau.rig.rows(
        "select (select max(id) from zone) as zone, (select id from unit where name = %s) as unit", SQUAD
    )
    holder = await bureau.account("officer", number=await bureau.officer("何雪"))
    windows = {
        "desk": await window(browser, bureau, await bureau.account("administrator")),
        "officer": await window(browser, bureau, holder, width=412),
        "stranger": await window(browser, bureau),
    }
    names = {
        "did": worn.did,
        "caller": caller.did,
        "past": one.did,
        "officer": one.id,
        "review": address(one, two, three, t=9),
        "date": f"{BEGIN:%Y-%m-%d}",
        **made,
        **await happened(bureau, windows["desk"], one),
    }
    yield Scene(url=bureau.api.url, names=names, windows=windows)
    for each in windows.values():
        await each.close()
    await bureau.goes_home()


async def findings(page: Page) -> list[str]:
    """What axe-core finds. It goes past the page's policy, which no page could."""
    await page.evaluate(AXE.read_text("utf-8"))
    found: list[str] = await page.evaluate(FINDINGS, TAGS)
    return found


@needs_axe
@pytest.mark.parametrize("name", VIEWS)
async def test_a_view_has_no_barrier_that_a_program_finds(scene: Scene, name: str) -> None:
    found = []
    for look in LOOKS:
        page = await scene.page(VIEWS[name], look)
        found += [f"{look}: {one}" for one in await findings(page)]
        await page.close()
    assert not found, "\n".join(found)


# Follows the focus: what had it, which part of the page that is in, and whether one sees it.
FOLLOW = """
() => {
  const PARTS = ["header.top", ".left", ".map-bar", ".map", ".right", ".below", ".main", ".alarms", ".ptt"];
  const CONTROLS =
    "button, a[href], input, select, textarea, summary, audio[controls], [role=button], [role=slider], [tabindex]";
  // Of these widgets one item is a stop of the Tab key; arrows go on from there.
  const arrowed = (e) => e.type === "radio" || e.closest("[role=tree], [role=grid], [role=listbox]") !== null;
  const nameOf = (e) => `${e.tagName} ${e.getAttribute("aria-label") ?? e.textContent.trim().slice(0, 30)}`;
  const usable = (e) =>
    e.checkVisibility({ visibilityProperty: true }) && !e.disabled && !e.closest("[inert]") && !arrowed(e);
  const ringed = (e) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(e);
    const rings = outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
    return rings || (e.parentElement !== null && ringed(e.parentElement));
  };
  const inView = ({ left, top, right, bottom }) => right > 0 && bottom > 0 && left < innerWidth && top < innerHeight;
  const had = new Set();
  const names = new Set();
  let last = null;
  const stop = () => {
    const e = document.activeElement;
    // A date is one control with three stops.
    if (!e || e === document.body || (had.has(e) && e !== last)) return null;
    last = e;
    had.add(e);
    names.add(nameOf(e));
    const part = PARTS.find((one) => e.closest(one)) ?? "";
    return { name: nameOf(e), part, seen: ringed(e) && inView(e.getBoundingClientRect()) };
  };
  // A list that was painted again meanwhile has other elements with the same names.
  const missed = () =>
    [...document.querySelectorAll(CONTROLS)]
      .filter((e) => usable(e) && !had.has(e) && !names.has(nameOf(e)))
      .map(nameOf);
  window.focusPath = { stop, missed };
}
"""
STOPS_MAX = 400


async def tabs_through(page: Page) -> list[dict[str, Any]]:
    """Press Tab from the beginning of the page to its end; each stop in order."""
    await page.evaluate(FOLLOW)
    stops: list[dict[str, Any]] = []
    for _ in range(STOPS_MAX):
        await page.keyboard.press("Tab")
        stop = await page.evaluate("() => focusPath.stop()")
        if stop is None:
            return stops
        stops.append(stop)
    raise AssertionError(f"the Tab key does not come to an end: {stops[-1]}")


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("command", ["header.top", ".map", ".left", ".right", ".map-bar", ".alarms", ".ptt"]),
        ("review", ["header.top", ".left", ".map", ".map-bar", ".right", ".below", ".alarms", ".ptt"]),
        ("incident", ["header.top", ".main", ".alarms", ".ptt"]),
    ],
)
async def test_the_tab_key_reaches_every_control_part_by_part_and_one_sees_where_it_is(
    scene: Scene, name: str, parts: list[str]
) -> None:
    page = await scene.page(VIEWS[name])
    stops = await tabs_through(page)
    missed = await page.evaluate("() => focusPath.missed()")
    await page.close()
    assert not missed, f"the focus was last on {stops[-1]}"
    assert not [stop["name"] for stop in stops if not stop["seen"]]
    assert [part for part, _ in itertools.groupby(stop["part"] for stop in stops if stop["part"])] == parts
