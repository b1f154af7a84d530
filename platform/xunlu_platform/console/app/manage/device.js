/** One device in full: who wears it and wore it, what it declared, what it shall run, what can be done to it. */

import { fill, h, icon } from "../kit/dom.js";
import { when } from "../kit/format.js";
import { t, word } from "../kit/i18n.js";
import { get } from "../net/http.js";
import { may } from "../net/session.js";
import { go } from "../router.js";
import { busy, failure, loading } from "../view/notice.js";
import { configuration } from "./configuration.js";
import { approveDevice, bindDevice, confirmAction, editDevice, renewCredentials, statusTag } from "./device-actions.js";

/** @typedef {import("../types").DeviceRecord} DeviceRecord */

/**
 * @param {HTMLElement} panel
 * @param {import("../kit/store.js").Scope} scope
 * @param {string} did
 * @param {() => void} listChanged
 */
export function mountDevice(panel, scope, did, listChanged) {
  const load = async () => {
    try {
      const path = `/devices/${encodeURIComponent(did)}`;
      const [device, history] = await Promise.all([get(path), get(`${path}/bindings`)]);
      if (!scope.closed) paint(panel, { ...device, bindings: history.items }, changed);
    } catch (problem) {
      if (!scope.closed)
        fill(
          panel,
          failure(problem, () => void load()),
        );
    }
  };
  const changed = () => {
    void load();
    listChanged();
  };
  fill(panel, loading());
  void load();
}

/**
 * @param {HTMLElement} panel
 * @param {DeviceRecord} device
 * @param {() => void} changed
 */
function paint(panel, device, changed) {
  const close = h("button", { class: "quiet", "aria-label": t("close"), onclick: () => go("/manage/devices") }, icon("x"));
  const onMap =
    device.status === "approved"
      ? h("a", { class: "button", href: `/?device=${encodeURIComponent(device.did)}` }, icon("map"), t("device.on-map"))
      : null;
  fill(
    panel,
    h(
      "header",
      { class: "who" },
      h(
        "div",
        { class: "grow" },
        h("h2", { class: "mono" }, device.did),
        h("div", { class: "row" }, statusTag(device.status), h("span", { class: "dim" }, t(`kind.${device.kind}`))),
      ),
      close,
    ),
    h("div", { class: "actions wide-actions" }, onMap, ...actions(device, changed)),
    facts(device),
    wearing(device, changed),
    configuration(device, changed),
  );
}

/**
 * @param {DeviceRecord} device
 * @param {() => void} changed
 */
function actions(device, changed) {
  const approve = h(
    "button",
    { class: "primary", onclick: () => void busy(approve, () => approveDevice(device, changed)) },
    icon("check"),
    t("device.approve"),
  );
  const enable = h("button", { onclick: () => confirmAction(device, "enable", changed) }, icon("power"), t("device.enable"));
  const disable = h(
    "button",
    { class: "danger", onclick: () => confirmAction(device, "disable", changed) },
    icon("ban"),
    t("device.disable"),
  );
  const renew = h("button", { onclick: () => renewCredentials(device) }, icon("key-round"), t("device.credentials"));
  const edit = h("button", { onclick: () => editDevice(device, changed) }, icon("pencil"), t("device.edit"));
  const own = may("devices") ? [edit] : [];
  if (!may("approve")) return own;
  if (device.status === "pending") return [approve, disable, ...own];
  return [...own, renew, device.status === "approved" ? disable : enable];
}

/** @param {DeviceRecord} device */
function facts(device) {
  const caps = Array.isArray(device.birth?.caps) ? device.birth.caps.map((cap) => word("cap", cap)).join(" · ") : "—";
  /** @type {[string, string][]} */
  const rows = [
    ["device.serial", device.serial],
    ["device.model", [device.vendor, device.model].filter(Boolean).join(" ") || "—"],
    ["device.report", device.inspection_report || "—"],
    ["unit", device.unit?.name ?? "—"],
    ["device.firmware", typeof device.birth?.fw === "string" ? device.birth.fw : "—"],
    ["device.caps", caps],
    ["device.heard", when(device.state?.at)],
  ];
  return h(
    "section",
    {},
    h(
      "dl",
      { class: "facts long" },
      rows.flatMap(([label, value]) => [h("dt", {}, t(label)), h("dd", {}, value)]),
    ),
  );
}

/**
 * @param {DeviceRecord} device
 * @param {() => void} changed
 */
function wearing(device, changed) {
  const now = device.officer
    ? h("b", {}, `${device.officer.name} ${device.officer.number}`)
    : h("span", { class: "dim" }, t("unbound"));
  const bind = h(
    "button",
    { onclick: () => void bindDevice(device.did, changed) },
    icon("link"),
    t(device.officer ? "device.rebind" : "device.bind"),
  );
  const release = device.officer
    ? h("button", { onclick: () => confirmAction(device, "unbind", changed) }, icon("unlink"), t("device.unbind"))
    : null;
  const past = (device.bindings ?? []).map((binding) =>
    h(
      "li",
      {},
      h("span", {}, binding.officer ? `${binding.officer.name} ${binding.officer.number}` : "—"),
      h(
        "small",
        { class: "dim num" },
        ` ${when(binding.bound_at)} – ${binding.released_at ? when(binding.released_at) : t("until.now")}${binding.bound_by ? ` · ${binding.bound_by}` : ""}`,
      ),
    ),
  );
  return h(
    "section",
    {},
    h("h3", {}, t("bindings")),
    h(
      "div",
      { class: "row wrap" },
      h("span", { class: "grow" }, now),
      ...(may("devices") && device.status === "approved" ? [bind, release] : []),
    ),
    past.length ? h("ol", { class: "history" }, past) : h("p", { class: "dim" }, t("bindings.none")),
  );
}
