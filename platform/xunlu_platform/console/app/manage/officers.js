/** Officers: who they are, where they belong, what they wear and wore. */

import { fill, h, icon } from "../kit/dom.js";
import { when } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { get, patch, post, query } from "../net/http.js";
import { may } from "../net/session.js";
import { unitName } from "../state/organisation.js";
import { ask, openDialog } from "../view/dialog.js";
import { failure, loading } from "../view/notice.js";
import { unitSelect } from "./choices.js";
import { listen } from "./devices.js";
import { Listing } from "./listing.js";

/** @typedef {import("../types").Officer} Officer */

/**
 * @param {HTMLElement} root
 * @param {import("../kit/store.js").Scope} scope
 */
export function mountOfficers(root, scope) {
  const changed = () => void list.reload();
  /** @type {Listing<Officer>} */
  const list = new Listing(
    [
      { label: "officer.number", cell: (officer) => officer.number, kind: "num" },
      { label: "officer.name", cell: (officer) => officer.name },
      { label: "unit", cell: (officer) => unitName(officer.unit_id) },
      {
        label: "officer.device",
        cell: (officer) =>
          officer.device
            ? h("a", { class: "mono", href: `/manage/devices?device=${encodeURIComponent(officer.device)}` }, officer.device)
            : h("span", { class: "faint" }, "—"),
      },
      { label: "officer.shift", cell: (officer) => (officer.on_shift_until ? t("officer.shift.until", { at: when(officer.on_shift_until) }) : h("span", { class: "faint" }, "—")) },
      {
        label: "officer.status",
        cell: (officer) =>
          h(
            "span",
            { class: `tag ${officer.active ? "good" : ""}` },
            t(officer.active ? "officer.active" : "officer.inactive"),
          ),
      },
      { label: "", cell: (officer) => actions(officer, changed), kind: "end" },
    ],
    { title: t("officers.none"), detail: t("officers.none.do"), icon: "users" },
  );
  const filters = {
    q: h("input", { type: "search", placeholder: t("officer.find"), "aria-label": t("officer.find") }),
    unit: unitSelect(null, t("unit.all")),
  };
  const reload = () => list.load(`/officers${query({ q: filters.q.value.trim(), unit: filters.unit.value })}`);
  const add = may("officers")
    ? h("button", { class: "primary", onclick: () => editOfficer(null, changed) }, icon("plus"), t("officer.add"))
    : null;
  root.append(
    h(
      "div",
      { class: "main" },
      h(
        "header",
        { class: "page-head" },
        h("h1", {}, t("officers")),
        h("div", { class: "row filters" }, Object.values(filters), add),
      ),
      list.element,
    ),
  );
  listen(filters, reload, scope);
  void reload();
}

/**
 * @param {Officer} officer
 * @param {() => void} changed
 */
function actions(officer, changed) {
  const history = h(
    "button",
    { class: "quiet", "aria-label": t("bindings"), title: t("bindings"), onclick: () => void showBindings(officer) },
    icon("history"),
  );
  if (!may("officers")) return [history];
  return [history, h("button", { class: "quiet", onclick: () => editOfficer(officer, changed) }, icon("pencil"), t("edit"))];
}

/**
 * @param {Officer | null} officer null adds one
 * @param {() => void} changed
 */
function editOfficer(officer, changed) {
  const active = h(
    "select",
    {},
    [true, false].map((value) =>
      h(
        "option",
        { value: String(value), selected: (officer?.active ?? true) === value },
        t(value ? "officer.active" : "officer.inactive"),
      ),
    ),
  );
  const questions = [
    {
      name: "number",
      label: t("officer.number"),
      control: h("input", { required: true, maxlength: 32, value: officer?.number ?? "" }),
    },
    {
      name: "name",
      label: t("officer.name"),
      control: h("input", { required: true, maxlength: 64, value: officer?.name ?? "" }),
    },
    { name: "unit", label: t("unit"), control: unitSelect(officer?.unit_id ?? null) },
    ...(officer ? [{ name: "active", label: t("officer.status"), control: active }] : []),
  ];
  ask(t(officer ? "edit" : "officer.add"), questions, t(officer ? "save" : "create"), async (values) => {
    const body = { number: values["number"], name: values["name"], unit_id: Number(values["unit"]) };
    await (officer
      ? patch(`/officers/${officer.id}`, { ...body, active: values["active"] === "true" })
      : post("/officers", body));
    changed();
  });
}

/** @param {Officer} officer */
async function showBindings(officer) {
  const body = h("div", { class: "body" }, loading());
  openDialog(`${t("bindings")} · ${officer.name} ${officer.number}`, body);
  try {
    /** @type {import("../types").Binding[]} */
    const bindings = (await get(`/officers/${officer.id}/bindings`)).items;
    const rows = bindings.map((binding) =>
      h(
        "li",
        {},
        h("span", { class: "mono" }, binding.did ?? "—"),
        h(
          "small",
          { class: "dim num" },
          ` ${when(binding.bound_at)} – ${binding.released_at ? when(binding.released_at) : t("until.now")}`,
        ),
      ),
    );
    fill(body, rows.length ? h("ol", { class: "history" }, rows) : h("p", { class: "dim" }, t("bindings.none")));
  } catch (problem) {
    fill(body, failure(problem));
  }
}
