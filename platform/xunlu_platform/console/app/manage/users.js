/** Accounts: role and part of the organisation; passwords are shown once and must be changed. */

import { h, icon } from "../kit/dom.js";
import { when } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { patch, post } from "../net/http.js";
import { me } from "../net/session.js";
import { unitName } from "../state/organisation.js";
import { ask, showOnce } from "../view/dialog.js";
import { complain } from "../view/notice.js";
import { officerPicker, roleSelect, unitSelect } from "./choices.js";
import { Listing } from "./listing.js";

/** @typedef {import("../types").User} User */

/** @param {HTMLElement} root */
export function mountUsers(root) {
  const changed = () => void list.reload();
  /** @type {Listing<User>} */
  const list = new Listing(
    [
      { label: "username", cell: (user) => user.username, kind: "mono" },
      { label: "user.name", cell: (user) => user.display_name },
      { label: "user.role", cell: (user) => t(`role.${user.role}`) },
      { label: "unit", cell: (user) => unitName(user.unit_id) },
      { label: "state", cell: (user) => status(user) },
      { label: "user.since", cell: (user) => when(user.created_at), kind: "num dim" },
      { label: "", cell: (user) => actions(user, changed), kind: "end" },
    ],
    { title: t("users.none"), detail: t("users.none.do"), icon: "id-card" },
  );
  const add = h("button", { class: "primary", onclick: () => void addUser(changed) }, icon("plus"), t("user.add"));
  root.append(h("div", { class: "main" }, h("header", { class: "page-head" }, h("h1", {}, t("users")), add), list.element));
  void list.load("/users");
}

/** @param {User} user */
function status(user) {
  if (user.disabled) return h("span", { class: "tag bad" }, t("user.disabled"));
  const locked = user.locked_until !== null && Date.parse(user.locked_until) > Date.now();
  return locked
    ? h("span", { class: "tag warn" }, t("user.locked", { until: when(user.locked_until) }))
    : h("span", { class: "tag good" }, t("user.enabled"));
}

/**
 * @param {User} user
 * @param {() => void} changed
 */
function actions(user, changed) {
  const edit = h("button", { class: "quiet", onclick: () => editUser(user, changed) }, icon("pencil"), t("edit"));
  const reset = h(
    "button",
    { class: "quiet", onclick: () => resetPassword(user, changed) },
    icon("key-round"),
    t("user.reset"),
  );
  const own = user.username === me.value?.username;
  const toggle = h(
    "button",
    { class: "quiet", disabled: own, onclick: () => toggleUser(user, changed) },
    icon(user.disabled ? "power" : "ban"),
    t(user.disabled ? "user.enable" : "user.disable"),
  );
  return [edit, reset, toggle];
}

/** @param {string} username @param {string} password */
function tellPassword(username, password) {
  showOnce(t("user.password"), t("once"), [
    [t("username"), username],
    [t("password"), password],
  ]);
}

/** @param {() => void} changed */
async function addUser(changed) {
  try {
    const { select, filter } = await officerPicker((officer) => officer.active, true);
    select.size = 4;
    const questions = [
      {
        name: "username",
        label: t("username"),
        control: h("input", {
          required: true,
          minlength: 2,
          maxlength: 64,
          pattern: "[A-Za-z0-9._@\\-]+",
          autocomplete: "off",
        }),
        hint: t("username.rule"),
      },
      {
        name: "display_name",
        label: t("user.name"),
        control: h("input", { required: true, maxlength: 64, autocomplete: "off" }),
      },
      { name: "role", label: t("user.role"), control: roleSelect() },
      { name: "unit", label: t("unit"), control: unitSelect(me.value?.unit.id ?? null), hint: t("user.unit.hint") },
      { name: "officer", label: t("user.officer"), control: select, hint: t("user.officer.hint") },
    ];
    const dialog = ask(t("user.add"), questions, t("create"), async ({ username, display_name, role, unit, officer }) => {
      const answer = await post("/users", {
        username,
        display_name,
        role,
        unit_id: Number(unit),
        officer_id: officer ? Number(officer) : null,
      });
      changed();
      tellPassword(answer.username, answer.password);
    });
    dialog.querySelector('select[name="officer"]')?.before(filter);
  } catch (problem) {
    complain(problem);
  }
}

/**
 * @param {User} user
 * @param {() => void} changed
 */
async function editUser(user, changed) {
  try {
    const { select, filter } = await officerPicker((officer) => officer.active || officer.id === user.officer_id, true, user.officer_id);
    select.size = 4;
    const name = h("input", { required: true, maxlength: 64, value: user.display_name });
    const questions = [
      { name: "display_name", label: t("user.name"), control: name },
      { name: "role", label: t("user.role"), control: roleSelect(user.role) },
      { name: "unit", label: t("unit"), control: unitSelect(user.unit_id) },
      { name: "officer", label: t("user.officer"), control: select, hint: t("user.officer.hint") },
    ];
    const dialog = ask(`${t("edit")} · ${user.username}`, questions, t("save"), async ({ display_name, role, unit, officer }) => {
      await patch(`/users/${user.id}`, { display_name, role, unit_id: Number(unit), officer_id: officer ? Number(officer) : null });
      changed();
    });
    dialog.querySelector('select[name="officer"]')?.before(filter);
  } catch (problem) {
    complain(problem);
  }
}

/**
 * @param {User} user
 * @param {() => void} changed
 */
function resetPassword(user, changed) {
  const act = async () => {
    const answer = await post(`/users/${user.id}/reset-password`);
    changed();
    tellPassword(user.username, answer.password);
  };
  ask(t("user.reset"), [], t("user.reset"), act, { danger: true, text: t("user.reset.sure", { name: user.username }) });
}

/**
 * @param {User} user
 * @param {() => void} changed
 */
function toggleUser(user, changed) {
  const words = t(user.disabled ? "user.enable" : "user.disable");
  const act = async () => {
    await patch(`/users/${user.id}`, { disabled: !user.disabled });
    changed();
  };
  ask(words, [], words, act, {
    danger: !user.disabled,
    text: t(user.disabled ? "user.enable.sure" : "user.disable.sure", { name: user.username }),
  });
}
