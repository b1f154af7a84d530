/** The alarm strip: there while anything is open, on every view; the top alarm by name, the others by number. */

import { h, icon, refill } from "../kit/dom.js";
import { ago, clock, quantity, span } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { claimKey } from "../kit/keys.js";
import { may } from "../net/session.js";
import { serverNow } from "../net/stream.js";
import { acknowledge, alarms, alarmWord, closeAlarm } from "../state/alarms.js";
import { watching } from "../state/desk.js";
import { fleet } from "../state/fleet.js";
import { past, showMoment } from "../state/moment.js";
import { unitName } from "../state/organisation.js";
import { openOfAlarm } from "../incidents/create.js";
import { showNearest } from "../command/nearest.js";
import { showDevice, showPlace } from "../command/show.js";
import { ask } from "./dialog.js";
import { sign } from "./device-sign.js";
import { busy, complain } from "./notice.js";

/** @typedef {import("../types").Alarm} Alarm */

const ROWS_MAX = 3;
const ROWS_OPENED_MAX = 12;
/** An alarm of this severity is about a life. */
const GRAVE = 3;

/**
 * @param {HTMLElement} strip
 * @param {import("../kit/store.js").Scope} scope
 */
export function mountAlarmStrip(strip, scope) {
  let all = false;
  const draw = () => {
    const open = alarms.value;
    strip.hidden = open.length === 0;
    const fresh = open.filter((alarm) => alarm.state === "new").length;
    document.title = fresh ? `(${fresh}) ${t("brand")}` : t("brand");
    strip.classList.toggle(
      "grave",
      open.some((alarm) => alarm.severity >= GRAVE),
    );
    const shown = open.slice(0, all ? ROWS_OPENED_MAX : ROWS_MAX);
    const toggle = () => {
      all = !all;
      draw();
    };
    const more =
      open.length > ROWS_MAX
        ? h(
            "button",
            { class: "quiet", onclick: toggle },
            all ? t("alarms.fewer") : t("alarms.more", { n: open.length - ROWS_MAX }),
          )
        : null;
    refill(strip, shown.map(row), more);
  };
  scope.read(alarms, draw);
  scope.read(past, draw);
  scope.every(1000, draw);
  claimKey(scope, "A", "key.acknowledge", () => {
    const top = alarms.value.find((alarm) => alarm.state === "new");
    if (top && may("alarm")) void acknowledge(top.id).catch(complain);
  });
  if (!may("incidents")) return;
  claimKey(scope, "I", "key.incident", () => {
    const [top] = alarms.value;
    if (top) void openOfAlarm(top).catch(complain);
  });
}

/** What is known of a device now: nothing while the desk shows how it was. @param {string} did */
const present = (did) => (past.value ? undefined : fleet.devices.get(did));

/** How long it has been open, and who has it. @param {Alarm} alarm */
function standing(alarm) {
  const seconds = (serverNow() - alarm.raised_ms) / 1000;
  const cancelled = alarm.cancelled_ms ? ` · ${t("alarm.cancelled", { at: clock(alarm.cancelled_ms) })}` : "";
  if (alarm.state === "new") return t("alarm.waiting", { span: span(seconds) }) + cancelled;
  const at = alarm.acknowledged_ms ? clock(alarm.acknowledged_ms) : "";
  return t("alarm.acknowledged", { who: alarm.acknowledged_by ?? "", at }) + cancelled;
}

/** Where the officer was, as far as it is known. @param {Alarm} alarm */
function whereabouts(alarm) {
  const live = present(alarm.did);
  const fix_ms = live?.tms ?? alarm.fix_ms;
  if (fix_ms === null || fix_ms === undefined) return t("alarm.nofix");
  const accuracy = live?.acc ? ` · ±${quantity(live.acc, "m")}` : "";
  return t("alarm.fix", { ago: ago((serverNow() - fix_ms) / 1000) }) + accuracy;
}

/** Who is in need, else whose device it is. @param {Alarm} alarm */
function nameOf(alarm) {
  const live = present(alarm.did);
  return alarm.officer ? `${alarm.officer.name} ${alarm.officer.number}` : (live?.name ?? live?.serial ?? alarm.did);
}

/** @param {Alarm} alarm */
function row(alarm) {
  const live = present(alarm.did);
  const unit = alarm.unit?.name ?? unitName(live?.unit);
  const show = () => {
    showMoment(null);
    const live = present(alarm.did);
    showDevice(alarm.did, live?.lat !== null && live?.lat !== undefined);
    if (live?.lat == null && alarm.lat !== null && alarm.lon !== null) showPlace(alarm.lat, alarm.lon);
  };
  return h(
    "div",
    { class: `alarm ${alarm.state} severity-${alarm.severity}`, "data-key": alarm.id },
    past.value ? h("span", { class: "tag info" }, t("past.strip")) : null,
    h("span", { class: "badge row" }, sign(alarm.severity >= GRAVE ? "sos" : "warn"), alarmWord(alarm.kind, alarm.zone_kind)),
    alarm.zone ? h("span", {}, alarm.zone) : null,
    h("button", { class: "link big", "data-key": "who", onclick: show }, `${nameOf(alarm)} · ${unit}`),
    h("span", { class: "soft" }, whereabouts(alarm)),
    h("span", { class: "soft" }, standing(alarm)),
    alarm.late ? h("span", { class: "tag warn" }, t("late")) : null,
    alarm.withdrawn_ms ? h("span", { class: "tag warn" }, t("alarm.withdrawn")) : null,
    h("span", { class: "grow" }),
    ...buttons(alarm, show),
  );
}

/**
 * @param {Alarm} alarm
 * @param {() => void} show
 */
function buttons(alarm, show) {
  const own = [
    h("button", { "data-key": "show", onclick: show }, icon("crosshair"), t("alarm.show")),
    may("live") ? h("button", { "data-key": "watch", onclick: () => (show(), watching.set(alarm.did)) }, icon("video"), t("alarm.watch")) : null,
    h("button", { "data-key": "nearest", onclick: () => (showMoment(null), showNearest(alarm.did)) }, icon("users"), t("alarm.nearest")),
    may("incidents") ? incidentButton(alarm) : null,
  ];
  if (!may("alarm")) return own;
  const take = (/** @type {any} */ { currentTarget }) => void busy(currentTarget, () => acknowledge(alarm.id));
  const confirm = h("button", { class: "primary", "data-key": "acknowledge", onclick: take }, t("alarm.acknowledge"), h("kbd", {}, "A"));
  const close = [
    h("button", { "data-key": "resolve", onclick: () => askNote(alarm, "resolve") }, t("alarm.resolve")),
    h("button", { class: "danger", "data-key": "false", onclick: () => askNote(alarm, "false") }, t("alarm.false")),
  ];
  return [...(alarm.state === "new" ? [confirm] : []), ...own, ...close];
}

/** @param {Alarm} alarm */
function incidentButton(alarm) {
  const open = (/** @type {any} */ { currentTarget }) => void busy(currentTarget, () => openOfAlarm(alarm));
  return h("button", { "data-key": "incident", title: t("incident.alarm.do"), onclick: open }, icon("file-text"), t("incident"), h("kbd", {}, "I"));
}

/**
 * @param {Alarm} alarm
 * @param {"resolve" | "false"} how
 */
function askNote(alarm, how) {
  const control = h("textarea", { rows: 3, maxlength: 1000, required: true });
  ask(
    `${t(`alarm.${how}`)} · ${nameOf(alarm)}`,
    [{ name: "note", label: t("alarm.note"), control, hint: t("alarm.note.hint") }],
    t(`alarm.${how}`),
    ({ note }) => closeAlarm(alarm.id, how, note ?? ""),
  );
}
