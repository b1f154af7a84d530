/** Devices: what waits for approval first; a chosen one is told in full beside the list. */

import { fill, h, icon } from "../kit/dom.js";
import { ago } from "../kit/format.js";
import { t, word } from "../kit/i18n.js";
import { query } from "../net/http.js";
import { may } from "../net/session.js";
import { go, route } from "../router.js";
import { busy } from "../view/notice.js";
import { unitSelect } from "./choices.js";
import { approveDevice, bindDevice, registerDevice, statusTag } from "./device-actions.js";
import { mountDevice } from "./device.js";
import { Listing } from "./listing.js";

/** @typedef {import("../types").DeviceRecord} DeviceRecord */

const STATUSES = ["pending", "approved", "disabled"];
const TYPING_MS = 250;

/**
 * @param {HTMLElement} root
 * @param {import("../kit/store.js").Scope} scope
 */
export function mountDevices(root, scope) {
  const waiting = h("section", { class: "waiting", hidden: true });
  const list = new Listing(
    columns(() => void reload()),
    { title: t("devices.none"), detail: t("devices.none.do"), icon: "smartphone" },
    (device) => go(`/manage/devices?device=${encodeURIComponent(device.did)}`),
  );
  const pending = new Listing(
    columns(() => void reload()),
    { title: "", detail: "", icon: "info" },
    (device) => go(`/manage/devices?device=${encodeURIComponent(device.did)}`),
  );
  const filters = {
    q: h("input", { type: "search", placeholder: t("devices.find"), "aria-label": t("devices.find") }),
    status: h(
      "select",
      { "aria-label": t("device.status") },
      h("option", { value: "" }, t("device.status.all")),
      STATUSES.map((status) => h("option", { value: status }, t(`device.status.${status}`))),
    ),
    unit: unitSelect(null, t("unit.all")),
  };
  const reload = async () => {
    const parameters = { q: filters.q.value.trim(), status: filters.status.value, unit: filters.unit.value };
    list.keep = (device) => parameters.status === "pending" || device.status !== "pending";
    const first = pending.load("/devices?status=pending").then(() => {
      waiting.hidden = pending.items.length === 0;
      fill(waiting, h("h2", {}, icon("bell"), t("devices.pending", { n: pending.items.length })), pending.element);
    });
    await Promise.all([first, list.load(`/devices${query(parameters)}`)]);
  };
  const add = may("approve")
    ? h("button", { onclick: () => registerDevice(() => void reload()) }, icon("plus"), t("device.register"))
    : null;
  const panel = h("aside", { class: "panel", hidden: true, "aria-label": t("details") });
  const heading = h(
    "header",
    { class: "page-head" },
    h("h1", {}, t("devices")),
    h("div", { class: "row filters" }, Object.values(filters), add),
  );
  root.append(h("div", { class: "split" }, h("div", { class: "main" }, heading, waiting, list.element), panel));
  listen(filters, reload, scope);
  void reload();
  showChosen(panel, scope, () => void reload());
}

/**
 * @param {Record<string, HTMLInputElement | HTMLSelectElement>} filters
 * @param {() => Promise<void>} reload
 * @param {import("../kit/store.js").Scope} scope
 */
export function listen(filters, reload, scope) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let waiting;
  scope.onClose(() => clearTimeout(waiting));
  for (const control of Object.values(filters))
    scope.listen(control, "input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => void reload(), control instanceof HTMLSelectElement ? 0 : TYPING_MS);
    });
}

/**
 * The device of the address beside the list.
 * @param {HTMLElement} panel
 * @param {import("../kit/store.js").Scope} scope
 * @param {() => void} changed
 */
function showChosen(panel, scope, changed) {
  let inner = scope.inner();
  let shown = "";
  scope.read(route, ({ path, query: parameters }) => {
    if (path !== "/manage/devices") return;
    const did = parameters.get("device") ?? "";
    if (did === shown) return;
    shown = did;
    inner.close();
    inner = scope.inner();
    panel.hidden = did === "";
    fill(panel);
    if (did) mountDevice(panel, inner, did, changed);
  });
}

/** @param {() => void} changed @returns {import("./listing.js").Column<DeviceRecord>[]} */
function columns(changed) {
  return [
    {
      label: "device",
      cell: (device) =>
        h("a", { class: "mono", href: `/manage/devices?device=${encodeURIComponent(device.did)}` }, device.did),
    },
    { label: "device.serial", cell: (device) => device.serial, kind: "mono spare" },
    { label: "device.model", cell: (device) => [device.vendor, device.model].filter(Boolean).join(" "), kind: "spare" },
    { label: "device.kind", cell: (device) => t(`kind.${device.kind}`), kind: "spare" },
    { label: "device.status", cell: (device) => statusTag(device.status) },
    { label: "unit", cell: (device) => device.unit?.name ?? "—" },
    {
      label: "officer",
      cell: (device) =>
        device.officer ? `${device.officer.name} ${device.officer.number}` : h("span", { class: "faint" }, t("unbound")),
    },
    { label: "state", cell: (device) => availability(device) },
    { label: "", cell: (device) => quickAction(device, changed), kind: "end" },
  ];
}

/** @param {DeviceRecord} device */
function availability({ state, position }) {
  if (!state?.availability) return h("span", { class: "faint" }, t("state.never"));
  const reason = state.availability === "offline" && state.why ? ` · ${word("why", state.why)}` : "";
  const fix = position && state.availability === "online" ? ` · ${ago(position.age_s)}` : "";
  return t(`availability.${state.availability}`) + reason + fix;
}

/**
 * What most likely is wanted next.
 * @param {DeviceRecord} device
 * @param {() => void} changed
 */
function quickAction(device, changed) {
  if (device.status === "pending" && may("approve")) {
    const approve = h(
      "button",
      { class: "primary", onclick: () => void busy(approve, () => approveDevice(device, changed)) },
      icon("check"),
      t("device.approve"),
    );
    return approve;
  }
  if (device.status === "approved" && !device.officer && may("devices"))
    return h("button", { onclick: () => void bindDevice(device.did, changed) }, icon("link"), t("device.bind"));
  return null;
}
