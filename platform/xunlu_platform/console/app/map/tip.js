/** What lies under the pointer: who, state, age. The table says the same to those who do not point. */

import { fill, h, icon } from "../kit/dom.js";
import { ago, quantity } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { stateText } from "../state/display.js";
import { fleet } from "../state/fleet.js";
import { shownNow } from "../state/moment.js";
import { unitName } from "../state/organisation.js";
import { deviceTitle, recordedSign, stateSign } from "../view/device-sign.js";

/**
 * @param {any} map Leaflet's
 * @param {import("./officers.js").OfficerLayer} officers
 * @param {HTMLElement} box
 */
export function mountTip(map, officers, box) {
  const tip = h("div", { class: "tip", hidden: true });
  box.append(tip);
  let asked = 0;
  map.on("mousemove", (/** @type {any} */ event) => {
    const { x, y } = event.containerPoint;
    cancelAnimationFrame(asked);
    asked = requestAnimationFrame(() => {
      const hit = officers.hit(x, y);
      box.classList.toggle("pointing", hit !== null);
      const device = hit && "did" in hit ? fleet.devices.get(hit.did) : undefined;
      tip.hidden = !device;
      if (!device) return;
      fill(tip, ...describe(device));
      tip.style.setProperty("transform", `translate(${x + 16}px, ${y + 14}px)`);
    });
  });
  map.on("mouseout movestart", () => (tip.hidden = true));
}

/** @param {import("../state/fleet.js").Device} device */
function describe(device) {
  const age = device.tms === null ? t("fix.none") : t("fix.ago", { ago: ago((shownNow() - device.tms) / 1000) });
  const accuracy = device.acc === null ? "" : ` · ±${quantity(device.acc, "m")}`;
  return [
    h("b", {}, deviceTitle(device)),
    h("span", { class: "dim" }, ` ${unitName(device.unit)}`),
    h("div", { class: "row" }, stateSign(device), stateText(device, device.state)),
    h("div", { class: "dim" }, age + accuracy),
    device.live ? h("div", { class: "row" }, icon("eye"), t("live.viewers", { n: device.live })) : null,
    device.srec ? h("div", { class: "row is-srec" }, recordedSign(), t("live.recorded")) : null,
    ...device.warnings.map((warning) => h("div", { class: "is-warn" }, t(`warning.${warning}`))),
  ];
}
