/** The configuration of a recorder: what it shall run, and what it says that it runs. */

import { h, icon } from "../kit/dom.js";
import { when } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { put } from "../net/http.js";
import { may } from "../net/session.js";
import { ask } from "../view/dialog.js";
import { toast } from "../view/notice.js";

/** @typedef {import("../types").DeviceRecord} DeviceRecord */

/** Fields of a recorder's configuration with their bounds; see the protocol's `RecorderConfig`. @type {[string, number, number, number, number][]} name, default, min, max, step */
const CONFIGURATION = [
  ["still_s", 15, 0.2, 3600, 0.1],
  ["moving_s", 5, 0.2, 3600, 0.1],
  ["recording_s", 2, 0.2, 3600, 0.1],
  ["sos_s", 1, 0.2, 3600, 0.1],
  ["telemetry_s", 60, 1, 3600, 1],
  ["thumbnail_s", 60, 0, 3600, 1],
  ["hdop_max", 8, 0.5, 50, 0.5],
  ["satellites_min", 4, 3, 20, 1],
  ["low_battery_percent", 20, 0, 100, 1],
  ["low_storage_mb", 2048, 0, 1_000_000, 1],
];

/**
 * What it shall run beside what it runs.
 * @param {DeviceRecord} device
 * @param {() => void} changed
 */
export function configuration(device, changed) {
  const { desired = null, desired_version = 0, reported = null, reported_at = null } = device.shadow ?? {};
  const running = reported?.config ?? {};
  const names = CONFIGURATION.map(([name]) => name).filter((name) => name in { ...running, ...desired });
  const rows = names.map((name) => {
    const differs = desired !== null && String(desired[name]) !== String(running[name]);
    return h(
      "tr",
      {},
      h("td", {}, t(`config.${name}`)),
      h("td", { class: "num" }, desired?.[name] === undefined ? "—" : String(desired[name])),
      h("td", { class: `num ${differs ? "is-warn" : ""}` }, running[name] === undefined ? "—" : String(running[name])),
    );
  });
  const head = h(
    "tr",
    {},
    h("th", {}, ""),
    h("th", {}, desired ? `${t("config.desired")} #${desired_version}` : t("config.desired")),
    h("th", {}, reported?.version ? `${t("config.reported")} #${reported.version}` : t("config.reported")),
  );
  const edit =
    may("devices") && device.status === "approved"
      ? h("button", { onclick: () => configure(device, changed) }, icon("settings"), t("device.configure"))
      : null;
  return h(
    "section",
    {},
    h("h3", {}, t("config"), reported_at ? h("span", { class: "faint" }, when(reported_at)) : null),
    names.length
      ? h("table", { class: "config" }, h("thead", {}, head), h("tbody", {}, rows))
      : h("p", { class: "dim" }, t("config.none")),
    reported?.why ? h("p", { class: "problem" }, t("config.refused", { why: reported.why })) : null,
    edit,
  );
}

/**
 * The configuration that the recorder shall run.
 * @param {DeviceRecord} device
 * @param {() => void} changed
 */
function configure(device, changed) {
  const now = device.shadow?.desired ?? device.shadow?.reported?.config ?? {};
  const questions = CONFIGURATION.map(([name, initial, min, max, step]) => ({
    name,
    label: t(`config.${name}`),
    control: h("input", { type: "number", min, max, step, required: true, value: String(now[name] ?? initial) }),
  }));
  ask(
    t("device.configure"),
    questions,
    t("send"),
    async (values) => {
      const config = Object.fromEntries(CONFIGURATION.map(([name]) => [name, Number(values[name])]));
      await put(`/devices/${encodeURIComponent(device.did)}/shadow`, { config });
      toast(t("device.configured"), "good");
      changed();
    },
    { text: t("device.configure.do") },
  );
}
