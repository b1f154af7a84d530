"""What is painted again keeps its elements: a press, the focus or a drag outlives the change."""

import pytest
from playwright.async_api import JSHandle, Page, expect

from tests.console.bureau import Bureau
from tests.console.radio import another_desk

pytestmark = [pytest.mark.console, pytest.mark.integration]

# A box with rows of its own, and what happened to them.
STAGE = """async () => {
  const { h, refill } = await import(new URL("kit/dom.js", document.querySelector("script[type=module]").src).href);
  const box = document.body.appendChild(h("div"));
  const clicks = [];
  const row = (key, words, button = {}) =>
    h("p", { "data-key": key }, words, h("button", { onclick: () => clicks.push(words), ...button }, key));
  const show = (...children) => refill(box, children);
  const of = (key) => box.querySelector(`[data-key="${key}"]`);
  return { h, box, clicks, row, show, of };
}"""


async def stage(page: Page, bureau: Bureau) -> JSHandle:
    await page.goto(bureau.api.url)
    await expect(page.get_by_label("用户名")).to_be_visible()
    return await page.evaluate_handle(STAGE)


async def test_a_row_stays_the_same_element_with_new_words_and_new_listeners(page: Page, bureau: Bureau) -> None:
    told = await (await stage(page, bureau)).evaluate("""({ box, clicks, row, show, of }) => {
      show(row("a", "one"), row("b", "one", { title: "old" }));
      const [a, b] = [of("a"), of("b")];
      show(row("c", "new"), row("b", "two"));
      b.lastChild.click();
      return { same: of("b") === b, gone: !a.isConnected, words: box.textContent, title: b.lastChild.title, clicks };
    }""")
    assert told == {"same": True, "gone": True, "words": "newctwob", "title": "", "clicks": ["two"]}


async def test_the_focus_stays_on_a_row_that_moves(page: Page, bureau: Bureau) -> None:
    told = await (await stage(page, bureau)).evaluate("""({ box, row, show, of }) => {
      show(row("a", ""), row("b", ""), row("c", ""));
      of("c").lastChild.focus();
      const before = document.activeElement;
      show(row("c", ""), row("a", ""), row("b", ""));
      return { focused: document.activeElement === before, order: box.textContent };
    }""")
    assert told == {"focused": True, "order": "cab"}


async def test_without_keys_an_element_stays_in_its_place_and_the_rest_comes_and_goes(
    page: Page, bureau: Bureau
) -> None:
    told = await (await stage(page, bureau)).evaluate("""({ h, box, show }) => {
      show(h("b", {}, "1"), " and ", h("i", {}, "2"), h("i", {}, "3"));
      const first = box.firstChild;
      show(h("b", { class: "x" }, "4"), h("i", { style: { left: "2px" } }, "5"));
      return { same: box.firstChild === first, html: box.innerHTML };
    }""")
    assert told == {"same": True, "html": '<b class="x">4</b><i style="left: 2px;">5</i>'}


async def test_boxes_follow_and_what_is_busy_stays_as_it_is(page: Page, bureau: Bureau) -> None:
    told = await (await stage(page, bureau)).evaluate("""({ h, box, row, show, of }) => {
      const check = (checked) => h("input", { type: "checkbox", checked });
      show(check(false), row("a", ""));
      box.firstChild.click();
      of("a").lastChild.disabled = true;
      of("a").lastChild.setAttribute("aria-busy", "true");
      show(check(true), row("a", ""));
      const kept = [box.firstChild.checked, of("a").lastChild.disabled];
      show(check(false), row("a", ""));
      return [...kept, box.firstChild.checked];
    }""")
    assert told == [True, True, False]


async def test_a_button_of_an_alarm_that_changes_under_the_pointer_is_pressed(page: Page, bureau: Bureau) -> None:
    worn = await bureau.worn("李倩")
    await bureau.stands(worn, 31.2275, 121.4760)
    await bureau.sign_in(page, await bureau.account("dispatcher"))
    await bureau.presses_sos(worn)
    strip = page.get_by_role("region", name="告警")
    button = strip.get_by_role("button", name="误报")
    await button.hover()
    await page.mouse.down()
    async with another_desk(page, bureau) as other:
        [alarm] = (await (await other.get("alarms")).json())["items"]
        assert (await other.post(f"alarms/{alarm['id']}/acknowledge")).ok
        await expect(strip.get_by_role("button", name="确认")).to_have_count(0)
    # The SOS calls this desk, too, and what rings moves the strip.
    await button.hover()
    await page.mouse.up()
    await expect(page.get_by_label("处置说明")).to_be_visible()


async def test_the_button_under_the_keys_stays_while_the_officer_changes(page: Page, bureau: Bureau) -> None:
    worn = await bureau.worn("陈志远")
    await bureau.sign_in(page, await bureau.account("dispatcher"), f"/?device={worn.did}")
    follow = page.get_by_role("button", name="跟随")
    await follow.focus()
    head = page.locator(".who")
    await expect(head).not_to_contain_text("SOS")
    await bureau.presses_sos(worn)
    await expect(head).to_contain_text("SOS")
    await expect(follow).to_be_focused()
