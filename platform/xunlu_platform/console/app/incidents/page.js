/** `/incidents`: the list, and below it each incident with an address of its own. */

import { fill, h } from "../kit/dom.js";
import { may } from "../net/session.js";
import { route } from "../router.js";
import { notAllowed } from "../view/notice.js";
import { mountIncident } from "./incident.js";
import { mountList } from "./list.js";

const ONE = /^\/incidents\/(\d{1,18})$/;

/**
 * @param {HTMLElement} root
 * @param {import("../kit/store.js").Scope} scope
 */
export function mountIncidents(root, scope) {
  if (!may("incidents")) return void root.append(notAllowed());
  const page = h("div", { class: "page main" });
  root.append(page);
  let inner = scope.inner();
  let shown = "";
  scope.read(route, ({ path }) => {
    if (path === shown || !path.startsWith("/incidents")) return;
    shown = path;
    inner.close();
    inner = scope.inner();
    fill(page);
    const [, id] = ONE.exec(path) ?? [];
    if (id) mountIncident(page, Number(id), inner);
    else mountList(page, inner);
  });
}
