/** What a device says of itself; every number with its unit, every group with its age. */

import { fill, h } from "../kit/dom.js";
import { ago, quantity, shortSpan, size, when } from "../kit/format.js";
import { t, word } from "../kit/i18n.js";
import { isFresh } from "../state/display.js";
import { fleet } from "../state/fleet.js";
import { shownNow } from "../state/moment.js";

const CHARGING = 2;
const FULL = 3;
const CLOCK_SHOWN_MS = 1000;

/** @typedef {import("../state/fleet.js").Device} Device */

/**
 * @param {HTMLElement} list
 * @param {import("../kit/store.js").Scope} scope
 * @param {string} did
 */
export function mountFacts(list, scope, did) {
  scope.every(1000, () => {
    const device = fleet.devices.get(did);
    if (!device) return;
    const now_ms = shownNow();
    const rows = [...position(device, now_ms), ...condition(device), ...housekeeping(device, now_ms)];
    fill(
      list,
      rows.flatMap(([label, value, kind]) => [h("dt", {}, t(label)), h("dd", { class: kind ?? null, title: kind?.includes("ellipsis") ? value : null }, value)]),
    );
  });
}

/**
 * @param {Device} device
 * @param {number} now_ms
 * @returns {[string, string, string?][]}
 */
function position(device, now_ms) {
  if (device.tms === null)
    return [
      ["fact.fix", t("fix.none"), "is-warn"],
      ["fact.beidou", "—"],
    ];
  const age = ago((now_ms - device.tms) / 1000);
  const accuracy = device.acc === null ? "" : ` · ±${quantity(device.acc, "m")}`;
  const satellites = device.sat === null ? "—" : t("fact.satellites", { bds: device.bds ?? 0, sat: device.sat });
  return [
    ["fact.fix", age + accuracy, isFresh(device, now_ms) ? undefined : "is-warn"],
    ["fact.beidou", satellites],
    ["fact.speed", quantity(device.spd, "m/s", 1)],
    ["fact.course", device.cog === null ? "—" : `${Math.round(device.cog)}°`],
  ].map((row) => /** @type {[string, string, string?]} */ (row));
}

/** @param {Device} device @returns {[string, string, string?][]} */
function condition(device) {
  const tele = device.tele ?? {};
  const plug = tele.bs === CHARGING ? t("battery.charging") : tele.bs === FULL ? t("battery.full") : "";
  const left = tele.rec_left_s === undefined ? "" : t("battery.left", { span: shortSpan(tele.rec_left_s) });
  const battery = [quantity(device.batt, "%"), plug || left].filter(Boolean).join(" · ");
  const free =
    tele.storage_free_mb === undefined
      ? "—"
      : `${size(tele.storage_free_mb * 1e6)} / ${size((tele.storage_total_mb ?? 0) * 1e6)}`;
  const signal = [quantity(tele.signal_dbm, "dBm"), tele.net].filter(Boolean).join(" · ");
  return [
    ["fact.battery", battery, device.warnings.includes("battery") ? "is-warn" : undefined],
    ["fact.signal", signal],
    ["fact.storage", free, device.warnings.includes("storage") ? "is-warn" : undefined],
    ["fact.temperature", quantity(tele.temp_c, "°C")],
  ];
}

/**
 * @param {Device} device
 * @param {number} now_ms
 * @returns {[string, string, string?][]}
 */
function housekeeping(device, now_ms) {
  const tele = device.tele;
  /** @type {[string, string, string?][]} */
  const rows = [];
  if (tele?.outbox) rows.push(["fact.outbox", t("fact.outbox.n", { n: tele.outbox })]);
  if (tele?.thinned) rows.push(["fact.thinned", t("fact.outbox.n", { n: tele.thinned }), "is-warn"]);
  if (tele && Math.abs(tele.clock_ms ?? 0) > CLOCK_SHOWN_MS)
    rows.push(["fact.clock", quantity((tele.clock_ms ?? 0) / 1000, "s", 1), "is-warn"]);
  if (device.rec) rows.push(["fact.recording", device.rec, "is-rec ellipsis"]);
  if (device.st !== "online")
    rows.push(["fact.since", `${when(device.st_ms)}${device.why ? ` · ${word("why", device.why)}` : ""}`]);
  rows.push(["fact.telemetry", tele?.tst ? ago(now_ms / 1000 - tele.tst) : "—"]);
  return rows;
}
