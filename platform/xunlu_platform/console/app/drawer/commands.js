/** Commands: asked with one click or key, answered step by step; what the device cannot do it says itself. */

import { fill, h, icon } from "../kit/dom.js";
import { when } from "../kit/format.js";
import { t, word } from "../kit/i18n.js";
import { get, post } from "../net/http.js";
import { fleet } from "../state/fleet.js";
import { begun, lastCommand } from "../state/feed.js";
import { ask } from "../view/dialog.js";
import { busy, failure } from "../view/notice.js";
import { openMenu } from "../view/menu.js";

/** @typedef {import("../types").Command} Command */
/** @typedef {import("../types").DeviceRecord} DeviceRecord */

const SHOWN_MAX = 6;
const TEXT_CHARACTERS_MAX = 500;
const LAMPS = /** @type {const} */ (["white", "laser", "ir", "voice"]);
const OPEN = new Set(["queued", "delivered", "accepted", "running"]);
/** What a device must declare at birth for a command; a command that is not here needs nothing. @type {Record<string, string>} */
const CAPABILITY = {
  photo: "photo",
  record_start: "record",
  record_stop: "record",
  say_text: "say_text",
  track_interval: "track_interval",
  lock: "lock",
  reboot: "reboot",
};

/**
 * @param {HTMLElement} root
 * @param {import("../kit/store.js").Scope} scope
 * @param {DeviceRecord} record
 */
export function mountCommands(root, scope, record) {
  const address = `/devices/${encodeURIComponent(record.did)}/commands`;
  const list = h("ol", { class: "commands" });
  /** @type {Command[]} */
  let commands = [];
  /** Told while the list was on its way. @type {Command[]} */
  let meanwhile = [];
  const show = (/** @type {Command[]} */ told) => {
    commands = [...new Map(told.map((command) => [command.id, command])).values()].sort(
      (a, b) => Date.parse(b.created_at) - Date.parse(a.created_at),
    );
    fill(list, commands.slice(0, SHOWN_MAX).map(row));
  };
  const take = (/** @type {Command} */ command) => {
    meanwhile.push(command);
    show([...commands, command]);
  };
  const send = async (/** @type {string} */ name, /** @type {Record<string, unknown>} */ args = {}) =>
    take({
      did: record.did,
      name,
      args,
      state: "queued",
      code: null,
      why: null,
      progress: null,
      result: null,
      created_at: new Date().toISOString(),
      ...(await post(address, { name, args })),
    });
  const buttons = h("div", { class: "actions", role: "group", "aria-label": t("commands") });
  scope.read(fleet.changed, () => paintButtons(buttons, record, send));
  root.append(buttons, h("section", { class: "command-log" }, h("h3", {}, t("commands")), list));
  const load = async () => {
    meanwhile = [];
    try {
      const { items } = await get(`${address}?limit=${SHOWN_MAX}`);
      show([...items, ...meanwhile]);
    } catch (problem) {
      fill(
        list,
        failure(problem, () => void load()),
      );
    }
  };
  scope.read(lastCommand, (command) => void (command?.did === record.did && take(command)));
  scope.read(begun, () => void load());
}

/** @typedef {(name: string, args?: Record<string, unknown>) => Promise<void>} Send */

/**
 * @param {HTMLElement} box
 * @param {DeviceRecord} record
 * @param {Send} send
 */
function paintButtons(box, record, send) {
  const recording = Boolean(fleet.devices.get(record.did)?.rec);
  const key = `${recording}`;
  if (box.dataset["key"] === key) return;
  box.dataset["key"] = key;
  const action = (
    /** @type {string} */ name,
    /** @type {string} */ sign,
    /** @type {() => Promise<unknown> | void} */ act,
  ) => {
    const lacks = lacking(record, name);
    const button = h(
      "button",
      {
        "data-command": name,
        title: lacks ? t("command.undeclared") : null,
        class: lacks ? "undeclared" : null,
        onclick: () => void busy(button, async () => void (await act())),
      },
      icon(sign),
      t(`command.${name}`),
    );
    return button;
  };
  const more = h(
    "button",
    { "aria-haspopup": "menu", onclick: () => openMenu(more, moreItems(send)) },
    icon("sliders-horizontal"),
    t("more"),
  );
  fill(
    box,
    action("locate_now", "locate-fixed", () => send("locate_now")),
    action("photo", "camera", () => send("photo")),
    recording
      ? action("record_stop", "circle-stop", () => send("record_stop"))
      : action("record_start", "video", () => send("record_start")),
    action("say_text", "megaphone", () => askText(send)),
    action("track_interval", "timer", () => askInterval(send)),
    more,
  );
}

/** @param {DeviceRecord} record @param {string} name */
function lacking(record, name) {
  const needed = CAPABILITY[name];
  return needed !== undefined && Array.isArray(record.birth?.caps) && !record.birth.caps.includes(needed);
}

/** @param {Send} send */
function moreItems(send) {
  const run =
    (/** @type {string} */ name, /** @type {Record<string, unknown>} */ args = {}) =>
    () =>
      void confirm(send, name, args);
  return [
    { caption: t("command.lamp") },
    ...LAMPS.flatMap((lamp) => [
      { label: t("lamp.on", { lamp: t(`lamp.${lamp}`) }), icon: "lightbulb", act: run("lamp", { lamp, on: true }) },
      { label: t("lamp.off", { lamp: t(`lamp.${lamp}`) }), icon: "lightbulb", act: run("lamp", { lamp, on: false }) },
    ]),
    { caption: t("device") },
    { label: t("command.lock"), icon: "lock", act: run("lock") },
    { label: t("command.unlock"), icon: "lock-open", act: run("unlock") },
    { label: t("command.reboot"), icon: "rotate-ccw", act: run("reboot") },
  ];
}

/** What takes the recorder away from its wearer is asked twice. @param {Send} send @param {string} name @param {Record<string, unknown>} args */
function confirm(send, name, args) {
  if (name === "lamp" || name === "unlock") return void send(name, args);
  ask(t(`command.${name}`), [], t(`command.${name}`), () => send(name, args), {
    danger: true,
    text: t(`command.${name}.sure`),
  });
}

/** @param {Send} send */
function askText(send) {
  const control = h("textarea", { rows: 3, maxlength: TEXT_CHARACTERS_MAX, required: true });
  ask(t("command.say_text"), [{ name: "text", label: t("say.text"), control, hint: t("say.hint") }], t("send"), ({ text }) =>
    send("say_text", { text, language: /\p{Script=Han}/u.test(text ?? "") ? "zh" : "en" }),
  );
}

/** @param {Send} send */
function askInterval(send) {
  const interval = h("input", { type: "number", min: 0, max: 3600, step: 0.5, value: "1", required: true });
  const minutes = h("input", { type: "number", min: 1, max: 1440, value: "10", required: true });
  const questions = [
    { name: "interval", label: t("interval.s"), control: interval, hint: t("interval.hint") },
    { name: "minutes", label: t("interval.minutes"), control: minutes },
  ];
  ask(t("command.track_interval"), questions, t("send"), ({ interval: s, minutes: m }) =>
    send("track_interval", { interval_s: Number(s), duration_s: Number(m) * 60 }),
  );
}

/** @param {Command} command */
function row(command) {
  const good = command.state === "done";
  const bad = command.state === "rejected" || command.state === "failed" || command.state === "expired";
  const progress = command.state === "running" && command.progress !== null ? ` ${Math.round(command.progress)} %` : "";
  const code = command.code ? word("code", String(command.code)) : "";
  const words = outcome(command);
  return h(
    "li",
    { class: "command", "data-state": command.state, title: command.why },
    h("time", { class: "faint num" }, when(command.created_at)),
    h(
      "span",
      { class: "grow ellipsis" },
      word("command", command.name),
      words ? h("small", { class: "dim" }, ` ${words}`) : null,
    ),
    h(
      "span",
      { class: `tag ${good ? "good" : bad ? "bad" : "info"}` },
      OPEN.has(command.state) ? icon("timer") : null,
      t(`step.${command.state}`) + progress + (code ? ` · ${code}` : ""),
    ),
  );
}

/** @param {Command} command */
function outcome({ name, args, result }) {
  if (["say_text", "show_text"].includes(name) && typeof args["text"] === "string") return `“${args["text"]}”`;
  if (name === "lamp") return `${t(`lamp.${args["lamp"]}`)} ${t(args["on"] ? "on" : "off")}`;
  if (name === "track_interval") return `${args["interval_s"]} s`;
  return result
    ? Object.values(result)
        .filter((value) => typeof value === "string")
        .join(" ")
    : "";
}
