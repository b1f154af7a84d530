/** A sheet that is being made: how many days of officers are read, and a way to stop. */

import { fill, h } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { follow } from "../net/follow.js";
import { loading } from "../view/notice.js";

/**
 * @param {HTMLElement} box shows how far it is; empty in the end
 * @param {string} path
 * @param {import("../kit/store.js").Scope} scope whose end stops it
 * @returns {Promise<Response | null>} null when somebody stopped it
 * @throws {import("../net/http.js").Problem}
 */
export async function made(box, path, scope) {
  const asking = new AbortController();
  scope.onClose(() => asking.abort());
  const bar = h("progress", { "aria-label": t("reports.making") });
  const words = h("span", { class: "dim num" });
  const stop = h("button", { onclick: () => asking.abort() }, t("cancel"));
  const notice = h("div", { class: "notice making" }, h("span", { role: "status" }, t("reports.making")), bar, words, stop);
  fill(box, loading());
  const tell = (/** @type {number} */ done, /** @type {number} */ of) => {
    if (!notice.isConnected) fill(box, notice);
    if (done < of) (bar.max = of), (bar.value = done);
    else bar.removeAttribute("value");
    fill(words, t(done < of ? "reports.making.days" : "reports.making.sheet", { done, of }));
  };
  try {
    return await follow(path, tell, asking.signal);
  } catch (problem) {
    if (asking.signal.aborted) return null;
    throw problem;
  } finally {
    fill(box);
  }
}
