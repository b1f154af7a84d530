/** What can be done to a device: bind, release, disable, new credentials, place. */

import { h } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { patch, post } from "../net/http.js";
import { ask, showOnce } from "../view/dialog.js";
import { complain, toast } from "../view/notice.js";
import { officerPicker, unitSelect } from "./choices.js";

/** @typedef {import("../types").DeviceRecord} DeviceRecord */

/** @param {string} did */
const address = (did) => `/devices/${encodeURIComponent(did)}`;

/** @param {string} status */
export function statusTag(status) {
  const kind = status === "approved" ? "good" : status === "pending" ? "warn" : "";
  return h("span", { class: `tag ${kind}` }, t(`device.status.${status}`));
}

/**
 * @param {DeviceRecord} device
 * @param {() => void} changed
 */
export async function approveDevice(device, changed) {
  await post(`${address(device.did)}/approve`);
  toast(t("device.approved", { serial: device.serial }), "good");
  changed();
}

/**
 * @param {string} did
 * @param {() => void} changed
 */
export async function bindDevice(did, changed) {
  try {
    const { select, filter } = await officerPicker((officer) => officer.active);
    const bind = async (/** @type {Record<string, string>} */ { officer }) => {
      await post(`${address(did)}/bind`, { officer_id: Number(officer) });
      toast(t("device.bound"), "good");
      changed();
    };
    const dialog = ask(
      t("device.bind"),
      [{ name: "officer", label: t("officer"), control: select, hint: t("device.bind.hint") }],
      t("device.bind"),
      bind,
    );
    dialog.querySelector("form")?.prepend(filter);
    filter.focus();
  } catch (problem) {
    complain(problem);
  }
}

/**
 * Ask, then post to one of the device's actions.
 * @param {DeviceRecord} device
 * @param {"unbind" | "disable" | "enable"} action
 * @param {() => void} changed
 */
export function confirmAction(device, action, changed) {
  const act = async () => {
    await post(`${address(device.did)}/${action}`);
    changed();
  };
  ask(t(`device.${action}`), [], t(`device.${action}`), act, {
    danger: action !== "enable",
    text: t(`device.${action}.sure`, { serial: device.serial }),
  });
}

/** @param {DeviceRecord} device */
export function renewCredentials(device) {
  const act = async () => {
    const answer = await post(`${address(device.did)}/new-credentials`);
    showOnce(t("device.credentials"), t("once"), [
      [t("username"), answer.username],
      [t("password"), answer.password],
    ]);
  };
  ask(t("device.credentials"), [], t("device.credentials"), act, {
    danger: true,
    text: t("device.credentials.sure", { serial: device.serial }),
  });
}

/**
 * A device that cannot claim an identity by itself, such as a telephone with OwnTracks.
 * @param {() => void} changed
 */
export function registerDevice(changed) {
  const questions = [
    {
      name: "did",
      label: t("device"),
      control: h("input", { required: true, pattern: "[A-Za-z0-9_\\-]{1,64}", autocomplete: "off" }),
      hint: t("device.register.hint"),
    },
    {
      name: "kind",
      label: t("device.kind"),
      control: h(
        "select",
        {},
        ["tracker", "recorder", "station"].map((kind) => h("option", { value: kind }, t(`kind.${kind}`))),
      ),
    },
    { name: "unit", label: t("unit"), control: unitSelect() },
    {
      name: "serial",
      label: t("device.serial"),
      control: h("input", { required: true, pattern: "[A-Za-z0-9._\\-]{1,64}", autocomplete: "off" }),
    },
    { name: "vendor", label: t("device.vendor"), control: h("input", { required: true, maxlength: 64 }) },
    { name: "model", label: t("device.model"), control: h("input", { required: true, maxlength: 64 }) },
  ];
  ask(t("device.register"), questions, t("device.register"), async ({ unit, ...named }) => {
    const answer = await post("/devices", { ...named, unit_id: Number(unit) });
    changed();
    showOnce(t("device.register"), t("once"), [
      [t("username"), answer.username],
      [t("password"), answer.password],
    ]);
  });
}

/**
 * Unit and inspection report.
 * @param {DeviceRecord} device
 * @param {() => void} changed
 */
export function editDevice(device, changed) {
  const questions = [
    { name: "unit", label: t("unit"), control: unitSelect(device.unit?.id ?? null) },
    {
      name: "report",
      label: t("device.report"),
      control: h("input", { value: device.inspection_report ?? "", maxlength: 100 }),
      hint: t("device.report.hint"),
    },
  ];
  ask(t("device.edit"), questions, t("save"), async ({ unit, report }) => {
    await patch(address(device.did), { unit_id: Number(unit), inspection_report: report });
    changed();
  });
}
