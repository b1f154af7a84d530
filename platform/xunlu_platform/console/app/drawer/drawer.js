/** The drawer: one thing at a time. An officer with everything that is known and can be done, or a list to choose from. */

import { fill, h, icon, refill } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { get } from "../net/http.js";
import { may } from "../net/session.js";
import { followed, gathered, selected } from "../state/desk.js";
import { isCarried, stateText } from "../state/display.js";
import { fleet } from "../state/fleet.js";
import { past } from "../state/moment.js";
import { unitName } from "../state/organisation.js";
import { showDevice } from "../command/show.js";
import { reportOf } from "../reports/address.js";
import { deviceTitle, stateSign } from "../view/device-sign.js";
import { failure, loading, notice } from "../view/notice.js";
import { found } from "../who/found.js";
import { mountFound } from "../who/results.js";
import { mountCommands } from "./commands.js";
import { mountEvents } from "./events.js";
import { mountFacts } from "./facts.js";
import { mountBursts } from "./bursts.js";
import { mountLive } from "./live.js";
import { mountRecordings } from "./recordings.js";
import { gatherTools, mountTalk } from "./talk.js";
import { mountTrack } from "./track.js";
import { mountZoneEvents } from "../zones/events.js";

/** @typedef {import("../kit/store.js").Scope} Scope */

/**
 * @param {HTMLElement} root
 * @param {Scope} scope
 */
export function mountDrawer(root, scope) {
  let inner = scope.inner();
  let shown = "";
  const paint = () => {
    const what = selected.value !== null ? `device ${selected.value} ${past.value}` : found.value ? "who" : gathered.value ? `list ${gathered.value.title}` : "";
    if (what === shown && what.startsWith("device")) return;
    shown = what;
    inner.close();
    inner = scope.inner();
    root.hidden = what === "";
    fill(root);
    root.scrollTop = 0;
    if (selected.value !== null) mountDevice(root, inner, selected.value);
    else if (found.value) mountFound(root, found.value);
    else if (gathered.value) mountList(root, inner, gathered.value);
  };
  scope.read(selected, paint);
  scope.read(gathered, paint);
  scope.read(found, paint);
  scope.read(past, paint);
}

/**
 * @param {HTMLElement} root
 * @param {Scope} scope
 * @param {string} did
 */
function mountDevice(root, scope, did) {
  const head = h("header", { class: "who" });
  const facts = h("dl", { class: "facts" });
  const rest = h("div", {});
  root.append(head, rest);
  const paint = () => {
    const device = fleet.devices.get(did);
    if (device) refill(head, ...who(device));
    else if (fleet.loaded.value)
      refill(head, h("div", { class: "grow" }, notice(t("device.gone"), t("device.gone.do"), "smartphone")), closeButton());
    else refill(head, loading());
  };
  let begun = false;
  const begin = () => {
    paint();
    if (begun || !fleet.devices.has(did)) return;
    begun = true;
    const carried = isCarried(fleet.devices.get(did)?.kind ?? "");
    if (past.value) rest.append(notice(t("past.live"), t("past.live.do"), "history"));
    else if (carried) mountLive(rest, scope, did);
    if (may("talk") && carried && !past.value) mountTalk(rest, scope, did);
    rest.append(facts);
    mountFacts(facts, scope, did);
    void details(rest, scope, did);
  };
  scope.read(fleet.changed, begin);
  scope.read(followed, paint);
}

/** @param {import("../state/fleet.js").Device} device */
function who(device) {
  const following = followed.value === device.did;
  const follow = h(
    "button",
    {
      class: "quiet",
      "aria-pressed": String(following),
      "aria-label": t("follow"),
      title: `${t("follow")} (F)`,
      onclick: () => followed.set(following ? null : device.did),
    },
    icon("navigation"),
  );
  const centre = h(
    "button",
    { class: "quiet", "aria-label": t("centre"), title: `${t("centre")} (C)`, onclick: () => showDevice(device.did) },
    icon("crosshair"),
  );
  const kind = t(`kind.${device.kind}`);
  return [
    h("div", { class: "avatar", "aria-hidden": "true" }, device.name?.slice(0, 1) ?? icon("smartphone")),
    h(
      "div",
      { class: "grow" },
      h("h2", {}, device.name ?? (device.serial || device.did), " ", h("span", { class: "faint" }, device.num ?? "")),
      h("small", { class: "dim" }, `${unitName(device.unit)} · ${kind} ${device.serial}`),
      h(
        "div",
        { class: `row is-${device.state}` },
        stateSign(device),
        stateText(device, device.state),
        ...device.warnings.map((warning) => h("span", { class: "tag warn" }, t(`warning.${warning}`))),
      ),
    ),
    follow,
    centre,
    closeButton(),
  ];
}

function closeButton() {
  const back = gathered.value !== null || found.value !== null;
  return h(
    "button",
    {
      class: "quiet",
      "aria-label": t(back ? "back" : "close"),
      title: t(back ? "back" : "close"),
      onclick: () => showDevice(null),
    },
    icon("x"),
  );
}

/**
 * What needs the server: what the device can do, commands, events, track.
 * @param {HTMLElement} root
 * @param {Scope} scope
 * @param {string} did
 */
async function details(root, scope, did) {
  const part = h("div", {});
  root.append(part);
  try {
    /** @type {import("../types").DeviceRecord} */
    const record = await get(`/devices/${encodeURIComponent(did)}`);
    if (scope.closed) return;
    if (may("command") && !past.value) mountCommands(part, scope, record);
    if (may("recordings") && isCarried(record.kind)) mountRecordings(part, scope, did);
    if (may("recordings") && isCarried(record.kind)) mountBursts(part, scope, did);
    if (may("track")) mountTrack(part, scope, did);
    if (may("track")) mountEvents(part, scope, did);
    if (may("track")) mountZoneEvents(part, scope, { did });
    if (may("review") && record.officer) part.append(report(record.officer.id));
    part.append(identity(record));
  } catch (problem) {
    if (!scope.closed)
      fill(
        part,
        failure(problem, () => (part.remove(), void details(root, scope, did))),
      );
  }
}

/** The sheet of today for who wears the device. @param {number} officer id */
function report(officer) {
  return h("section", {}, h("a", { class: "button", href: reportOf(officer, Date.now()) }, icon("file-text"), t("reports.open")));
}

/** @param {import("../types").DeviceRecord} record */
function identity(record) {
  const firmware = typeof record.birth?.fw === "string" ? record.birth.fw : "—";
  /** @type {[string, string][]} */
  const rows = [
    ["device.model", [record.vendor, record.model].filter(Boolean).join(" ") || "—"],
    ["device.serial", record.serial],
    ["device.firmware", firmware],
    ["device.report", record.inspection_report || "—"],
  ];
  return h(
    "section",
    {},
    h("h3", {}, t("device")),
    h(
      "dl",
      { class: "facts long" },
      rows.flatMap(([label, value]) => [h("dt", {}, t(label)), h("dd", {}, value)]),
    ),
  );
}

/**
 * @param {HTMLElement} root
 * @param {Scope} scope
 * @param {import("../state/desk.js").Gathered} list
 */
function mountList(root, scope, list) {
  const close = h("button", { class: "quiet", "aria-label": t("close"), onclick: () => gathered.set(null) }, icon("x"));
  const body = h("ol", { class: "gathered" });
  root.append(h("header", { class: "who" }, h("h2", { class: "grow" }, list.title), close));
  if (may("talk") && list.rows.length && !past.value) root.append(gatherTools(list));
  root.append(body);
  if (!list.rows.length) root.append(notice(t("gathered.none"), t("gathered.none.do"), "users"));
  scope.read(fleet.changed, () => {
    const rows = list.rows.flatMap(({ did, note }) => {
      const device = fleet.devices.get(did);
      if (!device) return [];
      const open = h(
        "button",
        { class: "officer-row", onclick: () => showDevice(did) },
        stateSign(device),
        h("span", { class: "grow ellipsis" }, deviceTitle(device)),
        h("span", { class: "dim ellipsis" }, unitName(device.unit)),
        h("b", { class: "num" }, note),
      );
      return [h("li", { "data-key": did }, open)];
    });
    refill(body, rows);
  });
}
