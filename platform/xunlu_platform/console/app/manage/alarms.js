/** All alarms: what was raised, who took it and when, how it ended. */

import { h, icon } from "../kit/dom.js";
import { span, when } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { query } from "../net/http.js";
import { may } from "../net/session.js";
import { openOfAlarm } from "../incidents/create.js";
import { busy } from "../view/notice.js";
import { alarmWord } from "../state/alarms.js";
import { listen } from "./devices.js";
import { Listing } from "./listing.js";

/** @typedef {import("../types").AlarmRecord} AlarmRecord */

const STATES = ["all", "open", "closed"];
const TAGS = /** @type {Record<string, string>} */ ({ new: "bad", acknowledged: "warn", resolved: "good" });

/**
 * @param {HTMLElement} root
 * @param {import("../kit/store.js").Scope} scope
 */
export function mountAlarms(root, scope) {
  /** @type {Listing<AlarmRecord>} */
  const list = new Listing(
    [
      {
        label: "time",
        cell: (alarm) => [when(alarm.raised_at), alarm.late ? h("span", { class: "tag" }, t("late")) : null],
        kind: "num",
      },
      {
        label: "alarm.what",
        cell: (alarm) => h("span", { class: alarm.severity >= 3 ? "is-sos" : "is-warn" }, alarmWord(alarm.kind, alarm.zone?.kind), alarm.zone ? ` · ${alarm.zone.name}` : null),
      },
      {
        label: "officer",
        cell: (alarm) =>
          h(
            "a",
            { href: `/?device=${encodeURIComponent(alarm.did)}` },
            alarm.officer ? `${alarm.officer.name} ${alarm.officer.number}` : alarm.did,
          ),
      },
      { label: "unit", cell: (alarm) => alarm.unit?.name ?? "—" },
      {
        label: "state",
        cell: (alarm) => [
          h("span", { class: `tag ${TAGS[alarm.state] ?? ""}` }, t(`alarm.state.${alarm.state}`)),
          alarm.withdrawn_at ? h("span", { class: "tag warn" }, t("alarm.withdrawn")) : null,
        ],
      },
      { label: "alarm.answered", cell: (alarm) => step(alarm.acknowledged_by, alarm.raised_at, alarm.acknowledged_at) },
      { label: "alarm.closed", cell: (alarm) => step(alarm.closed_by, alarm.raised_at, alarm.closed_at) },
      { label: "alarm.note", cell: (alarm) => alarm.note },
      { label: "", cell: (alarm) => (may("incidents") ? incidentButton(alarm) : null), kind: "end" },
    ],
    { title: t("alarms.none"), detail: t("alarms.none.do"), icon: "bell" },
  );
  const filters = {
    state: h(
      "select",
      { "aria-label": t("state") },
      STATES.map((state) => h("option", { value: state }, t(`alarms.${state}`))),
    ),
  };
  const reload = () => list.load(`/alarms${query({ state: filters.state.value })}`);
  root.append(
    h(
      "div",
      { class: "main" },
      h(
        "header",
        { class: "page-head" },
        h("h1", {}, t("alarms")),
        h("div", { class: "row filters" }, Object.values(filters)),
      ),
      list.element,
    ),
  );
  listen(filters, reload, scope);
  void reload();
}

/** @param {AlarmRecord} alarm */
function incidentButton(alarm) {
  const open = () => openOfAlarm({ ...alarm, zone: alarm.zone?.name ?? null, zone_kind: alarm.zone?.kind ?? null, raised_ms: Date.parse(alarm.raised_at) });
  const button = h("button", { class: "quiet", title: t("incident.alarm.do"), onclick: () => void busy(button, open) }, icon("file-text"), t("incident"));
  return button;
}

/**
 * Who, and how long after the alarm.
 * @param {string | null} who
 * @param {string} raised_at
 * @param {string | null} at
 */
function step(who, raised_at, at) {
  if (!at) return "—";
  return [
    who ?? "",
    " ",
    h("span", { class: "dim num" }, t("after", { span: span((Date.parse(at) - Date.parse(raised_at)) / 1000) })),
  ];
}
