"""Every way to hold the key, what the desk then says and sounds, and what takes the key away."""

import pytest
from playwright.async_api import Browser, Page, expect

from tests.chromium import CHROMIUM
from tests.console.bureau import LONGEST_S, Bureau
from tests.console.dead_spot import dead_spot
from tests.console.radio import DENY, PERMIT, REVOKED, at_the_radio, phase, radio, sounds
from tests.talk import Participant
from xunlu_protocol.talk import Granted, Idle, Revoke, Taken

pytestmark = [pytest.mark.console, pytest.mark.integration]

# The microphone's tracks, to be unplugged.
TRACKS = """
  window.tracks = [];
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async wanted => {
    const stream = await open(wanted);
    tracks.push(...stream.getTracks());
    return stream;
  };
"""
HIDE = """hidden => {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""

# A key of its own, with a server that says what the test says: what it sends, and how it stands.
KEY = """async ([duplex, steps]) => {
  const { src } = document.querySelector("script[type=module]");
  const { TalkKey } = await import(src.replace("main.js", "state/talk-key.js"));
  const sent = [];
  const group = { gid: "g", duplex };
  const key = new TalkKey({ ready: () => true, group: () => group, send: one => sent.push(one), speak: () => {} });
  for (const step of steps) {
    if (typeof step === "number") await key.press(step);
    else if (step === "release") key.release();
    else key.hear({ gid: "g", ...step });
  }
  key.microphone.close();
  return [sent.map(({ t, urgency }) => urgency ? `${t} ${urgency}` : t), key.standing.value.phase];
}"""
GRANTED = {"t": "granted", "grant": 1, "left_s": 30}
POSITION = {"t": "position", "position": 1}
IN_GRACE = {"t": "revoke", "cause": "too_long", "left_s": 60}
AT_ONCE = {"t": "revoke", "cause": "taken_down", "left_s": 0}


def superior(bureau: Bureau) -> Participant:
    """Somebody on whom no desk cuts in."""
    claims = {"path": "/", "priority": 255, "rights": ("barge",), "name": "指挥长"}
    return Participant(bureau.talk, "u-9000", claims=claims)


async def test_a_pedal_talks_in_a_text_field_and_while_the_mouse_is_at_work(page: Page, bureau: Bureau) -> None:
    async with radio(bureau, await bureau.worn("周敏")) as officer:
        await at_the_radio(page, bureau)
        await page.get_by_role("button", name="对讲设置").click()
        await page.get_by_label("脚踏开关的按键").select_option("F9")
        await page.keyboard.press("Escape")
        await page.locator(".search input").focus()
        await page.keyboard.down("F9")
        await phase(page, "talking")
        await officer.told(Taken)
        await page.locator(".ptt-key").focus()
        await page.get_by_role("button", name="尾迹").click()
        await expect(page.get_by_role("button", name="尾迹")).to_have_attribute("aria-pressed", "true")
        await phase(page, "talking")
        await page.keyboard.up("F9")
        await phase(page, "ready")
        await officer.told(Idle)


@pytest.mark.parametrize("opener", [".ptt-group", ".ptt-listeners", ".ptt button[aria-label=对讲设置]"])
async def test_a_dialog_of_the_radio_gives_the_key_its_focus_back_at_once(
    page: Page, bureau: Bureau, opener: str
) -> None:
    async with radio(bureau, await bureau.worn("周敏")):
        await at_the_radio(page, bureau)
        await page.locator(opener).click()
        await expect(page.get_by_role("dialog")).to_be_visible()
        # In one task: a space bar that comes before the next one is not lost.
        has_focus = """dialog => { dialog.close(); return document.activeElement.className; }"""
        assert await page.get_by_role("dialog").evaluate(has_focus) == "ptt-key"


async def test_a_hidden_page_lets_go_of_the_key(page: Page, bureau: Bureau) -> None:
    async with radio(bureau, await bureau.worn("王磊")) as officer:
        await at_the_radio(page, bureau)
        await page.locator(".ptt-key").hover()
        await page.mouse.down()
        await phase(page, "talking")
        await page.evaluate(HIDE, True)
        await officer.told(Idle)
        await page.evaluate(HIDE, False)
        await phase(page, "ready")
        await page.mouse.up()


async def test_an_emergency_is_a_long_press_and_a_short_one_says_so(page: Page, bureau: Bureau) -> None:
    async with radio(bureau, await bureau.worn("李倩")) as officer:
        await at_the_radio(page, bureau)
        emergency = page.locator(".ptt-emergency")
        await emergency.click()
        await expect(page.locator(".toast")).to_contain_text("长按 0.7 秒以上才会紧急呼叫")
        await phase(page, "ready")
        await emergency.focus()
        await page.keyboard.down("Enter")
        await officer.told(Taken, urgency=2)
        await expect(page.locator(".ptt-who")).to_contain_text("紧急")
        await page.keyboard.up("Enter")
        await officer.told(Idle)


async def test_a_key_asks_and_lets_go_as_it_must(page: Page, bureau: Bureau) -> None:
    await bureau.sign_in(page, await bureau.account("dispatcher"))

    async def does(*steps: object, duplex: bool = False) -> list[object]:
        done: list[object] = await page.evaluate(KEY, [duplex, steps])
        return done

    assert await does(0, GRANTED, "release") == [["request", "release"], "idle"]
    assert await does(0, GRANTED, IN_GRACE, "release") == [["request", "release"], "idle"]
    assert await does(0, GRANTED, AT_ONCE, "release") == [["request"], "idle"]
    # What becomes an emergency while it is held.
    assert await does(0, POSITION, 2) == [["request", "request 2"], "queued"]
    assert await does(0, GRANTED, 2, 2) == [["request", "request 2"], "talking"]
    assert await does(0, GRANTED, IN_GRACE, 2) == [["request", "request 2"], "asking"]
    assert await does(2, GRANTED, 0) == [["request 2"], "talking"]
    # A two-way call stays open until it is pressed again, or taken down.
    assert await does(0, "release", GRANTED, duplex=True) == [["request"], "talking"]
    assert await does(0, "release", GRANTED, AT_ONCE, duplex=True) == [["request"], "idle"]
    assert await does(0, "release", GRANTED, 0, duplex=True) == [["request", "release"], "idle"]


async def test_shift_makes_an_emergency_of_a_key_that_is_held_already(page: Page, bureau: Bureau) -> None:
    gid = await bureau.squad_group()
    other = superior(bureau)
    await other.join(gid)
    try:
        await at_the_radio(page, bureau)
        await other.press(gid)
        await other.told(Granted)
        await page.locator(".ptt-key").focus()
        await page.keyboard.down("Space")
        await phase(page, "queued")
        await page.keyboard.down("Shift")
        await other.told(Revoke, cause="preempted")
        await phase(page, "talking")
        await page.keyboard.up("Shift")
        await page.keyboard.up("Space")
        await other.told(Idle)
    finally:
        await other.close()


async def test_no_barge_in_is_offered_against_an_emergency(page: Page, bureau: Bureau) -> None:
    gid = await bureau.squad_group()
    key = page.locator(".ptt-key")
    async with radio(bureau, await bureau.worn("罗军")) as officer:
        await at_the_radio(page, bureau)
        await officer.press(gid)
        await expect(key).to_contain_text("按住强插")
        await officer.let_go(gid)
        await officer.press(gid, urgency=2)
        await expect(page.locator(".ptt-who")).to_contain_text("紧急呼叫")
        await expect(key).to_contain_text("按住说话")
        await page.keyboard.down("Space")
        await phase(page, "queued")
        await page.keyboard.up("Space")


async def test_whoever_waits_sees_the_place_in_the_queue_and_is_granted_in_turn(page: Page, bureau: Bureau) -> None:
    gid = await bureau.squad_group()
    other = superior(bureau)
    await other.join(gid)
    try:
        await at_the_radio(page, bureau)
        await other.press(gid)
        await other.told(Granted)
        await page.keyboard.down("Space")
        await phase(page, "queued")
        await expect(page.locator(".ptt-key")).to_contain_text("正在申请话权")
        await expect(page.locator(".ptt-told")).to_have_text("排队第 1 位")
        await other.let_go(gid)
        await phase(page, "talking")
        await sounds(page, PERMIT)
        await page.keyboard.up("Space")
        await phase(page, "ready")
    finally:
        await other.close()


async def test_the_desk_sounds_and_says_when_the_floor_is_taken_away(page: Page, bureau: Bureau) -> None:
    gid = await bureau.squad_group()
    other = superior(bureau)
    await other.join(gid)
    try:
        await at_the_radio(page, bureau)
        await page.keyboard.down("Space")
        await phase(page, "talking")
        await sounds(page, PERMIT)
        await other.press(gid)
        await phase(page, "refused")
        await expect(page.locator(".ptt-told")).to_have_text("被更高优先级的讲话打断")
        await sounds(page, REVOKED)
        await page.keyboard.up("Space")
        await phase(page, "ready")
    finally:
        await other.close()


async def test_who_talks_too_long_is_told_and_must_let_go(page: Page, bureau: Bureau) -> None:
    async with radio(bureau, await bureau.worn("吴杰")):
        await at_the_radio(page, bureau)
        await page.keyboard.down("Space")
        await phase(page, "talking")
        await expect(page.locator(".ptt-told")).to_contain_text("剩余")
        told = page.locator(".ptt-told")
        await expect(told).to_have_text("讲话超过时限，请松开后再按", timeout=(LONGEST_S + 5) * 1000)
        await sounds(page, REVOKED)
        await page.keyboard.up("Space")
        await phase(page, "ready")


async def test_the_meter_moves_with_the_voice_and_only_while_it_is_sent(page: Page, bureau: Bureau) -> None:
    meter = page.get_by_role("meter", name="我的音量")
    async with radio(bureau, await bureau.worn("何雪")):
        await at_the_radio(page, bureau)
        await expect(meter).to_be_hidden()
        await page.keyboard.down("Space")
        await page.wait_for_function("() => document.querySelector('.ptt-level').value > 0.1")
        await page.keyboard.up("Space")
        await expect(meter).to_be_hidden()


async def test_a_key_that_is_tapped_again_meanwhile_opens_one_microphone(page: Page, bureau: Bureau) -> None:
    async with radio(bureau, await bureau.worn("冯洁")):
        await page.add_init_script(TRACKS)
        await at_the_radio(page, bureau)
        for _ in range(3):
            await page.keyboard.press("Space")
        await page.keyboard.down("Space")
        await phase(page, "talking")
        assert await page.evaluate("tracks.length") == 1
        await page.keyboard.up("Space")


async def test_a_microphone_that_is_unplugged_ends_the_burst_and_is_told(page: Page, bureau: Bureau) -> None:
    async with radio(bureau, await bureau.worn("沈岩")) as officer:
        await page.add_init_script(TRACKS)
        await at_the_radio(page, bureau)
        await page.keyboard.down("Space")
        await phase(page, "talking")
        await page.evaluate("tracks.forEach(track => { track.stop(); track.dispatchEvent(new Event('ended')); })")
        await officer.told(Idle)
        await phase(page, "refused")
        await expect(page.locator(".toast")).to_contain_text("麦克风已断开")
        await page.keyboard.up("Space")
        await page.keyboard.down("Space")
        await phase(page, "talking")
        await page.keyboard.up("Space")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--use-fake-device-for-media-stream"], "浏览器被禁止使用麦克风: 请在地址栏的站点设置中允许麦克风。"),
        (["--use-fake-ui-for-media-stream"], "没有可用的麦克风: 请接好麦克风再试。"),
    ],
    ids=["refused", "missing"],
)
async def test_a_microphone_that_is_refused_or_missing_is_told_in_words(
    browser: Browser, bureau: Bureau, arguments: list[str], words: str
) -> None:
    other = await browser.browser_type.launch(
        executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", *arguments]
    )
    try:
        page = await other.new_page(locale="zh-CN", viewport={"width": 1440, "height": 900})
        await at_the_radio(page, bureau)
        await page.keyboard.down("Space")
        await phase(page, "refused")
        await expect(page.locator(".ptt-told")).to_have_text("麦克风不可用")
        await expect(page.locator(".toast")).to_contain_text(words)
        await sounds(page, DENY)
        await page.keyboard.up("Space")
        await phase(page, "ready")
    finally:
        await other.close()


async def test_a_key_without_a_connection_sounds_and_the_bar_says_why(page: Page, bureau: Bureau) -> None:
    line = await dead_spot(page, "/ptt")
    async with radio(bureau, await bureau.worn("郑凯")):
        await at_the_radio(page, bureau)
        await page.keyboard.down("Space")
        await phase(page, "talking")
        await line.cut()
        await sounds(page, REVOKED)
        await phase(page, "lost")
        await page.keyboard.up("Space")
        await page.keyboard.press("Space")
        await sounds(page, DENY)
        await expect(page.locator(".ptt-told")).to_contain_text("对讲已断开，正在自动重连")
