/** The top bar: search, places to go, alarms, link, clock, language, theme, who is signed in. */

import { h, icon, markCurrent, refill } from "../kit/dom.js";
import { clock, day } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { claimKey, keysEnabled } from "../kit/keys.js";
import { soundArmed, soundWanted } from "../kit/sound.js";
import { theme } from "../kit/theme.js";
import { may, me, signOut } from "../net/session.js";
import { link, serverNow } from "../net/stream.js";
import { route } from "../router.js";
import { alarms } from "../state/alarms.js";
import { groups, heardNow, hears, mainGroup, talks, tuning } from "../state/talk.js";
import { openKeys } from "./keys-page.js";
import { languageButton } from "./language.js";
import { openMenu } from "./menu.js";
import { complain } from "./notice.js";
import { openPassword } from "./password.js";
import { mountSearch } from "./search.js";

/** @typedef {import("../kit/store.js").Scope} Scope */

/**
 * @param {HTMLElement} bar
 * @param {Scope} scope
 */
export function mountTopBar(bar, scope) {
  const brand = h(
    "a",
    { class: "brand", href: "/" },
    t("brand"),
    h("small", { class: "ellipsis" }, me.value?.unit.name ?? ""),
  );
  const search = h("div", { class: "search", role: "search" });
  bar.append(brand, search, navigation(scope), h("span", { class: "grow" }));
  if (may("events")) bar.append(alarmCount(scope), soundSwitch(scope));
  if (may("talk")) bar.append(radioState(scope));
  bar.append(linkState(scope), clockFace(scope), ...switches(scope), userMenu());
  mountSearch(search, scope);
}

/** @param {Scope} scope */
function navigation(scope) {
  /** @type {[string, string, boolean][]} */
  const places = [
    ["/", "nav.command", true],
    ["/wall", "nav.wall", may("live")],
    ["/talk", "nav.talk", may("talk")],
    ["/review", "nav.review", may("review")],
    ["/reports", "nav.reports", may("review")],
    ["/incidents", "nav.incidents", may("incidents")],
    ["/zones", "nav.zones", true],
    ["/manage/devices", "nav.manage", true],
    ["/health", "nav.health", may("system")],
  ];
  const links = places.filter(([, , shown]) => shown).map(([href, label]) => h("a", { href }, t(label)));
  scope.read(route, ({ path }) => {
    markCurrent(links, ({ pathname }) => {
      const root = `/${pathname.split("/")[1]}`;
      return root === "/" ? path === "/" : path.startsWith(root);
    });
  });
  return h("nav", { class: "places", "aria-label": t("nav") }, links);
}

/** @param {Scope} scope */
function alarmCount(scope) {
  const chip = h("a", { class: "chip", href: "/manage/alarms", title: t("alarms.all") });
  const words = h("span", { class: "visually-hidden", role: "status" });
  scope.read(alarms, (open) => {
    const fresh = open.filter((alarm) => alarm.state === "new").length;
    const figure = fresh || open.length;
    // Where it is narrow only the bell says what is counted.
    const shown = h("span", { class: "wide", "aria-hidden": "true" }, t("alarms"));
    refill(chip, icon("bell", t("alarms")), h("span", { class: fresh ? "badge" : "tag" }, figure), shown);
    const said = `${t("alarms")} ${figure}`;
    if (words.textContent !== said) words.textContent = said;
  });
  return h("span", { class: "row" }, chip, words);
}

/** @param {Scope} scope */
function soundSwitch(scope) {
  const button = h("button", { class: "quiet", onclick: () => soundWanted.set(!soundWanted.value) });
  const paint = () => {
    const on = soundWanted.value && soundArmed.value;
    const words = t(soundWanted.value ? (soundArmed.value ? "sound.on" : "sound.unarmed") : "sound.off");
    refill(button, icon(on ? "volume-2" : "volume-x"));
    button.setAttribute("aria-label", words);
    button.title = words;
    button.classList.toggle("is-warn", !on);
  };
  scope.read(soundWanted, paint);
  scope.read(soundArmed, paint);
  return button;
}

/** The group of the key, and who talks in it. @param {Scope} scope */
function radioState(scope) {
  const chip = h("a", { class: "chip radio", href: "/talk" });
  const paint = () => {
    const talker = heardNow()?.talk.talker.name;
    chip.classList.toggle("is-talk", talker !== undefined);
    refill(chip, icon(talker ? "mic" : "radio"), h("span", { class: "ellipsis" }, talker ?? mainGroup()?.name ?? t("talk")));
    chip.title = talker ? t("talk.on-air", { who: talker }) : t("talk");
  };
  for (const store of [talks, groups, tuning, hears]) scope.read(/** @type {import("../kit/store.js").Store<any>} */ (store), paint);
  return chip;
}

/** @param {Scope} scope */
function linkState(scope) {
  const chip = h("span", { class: "chip link" });
  scope.read(link, ({ state, latency_ms }) => {
    const words = state === "open" ? t("link.open", { ms: latency_ms ?? "–" }) : t(`link.${state}`);
    chip.dataset["state"] = state;
    refill(chip, h("span", { class: "dot" }), words);
  });
  return chip;
}

/** @param {Scope} scope */
function clockFace(scope) {
  const face = h("time", { class: "clock num" });
  scope.every(1000, () => {
    const now = serverNow();
    refill(face, h("span", { class: "wide dim" }, day(now)), ` ${clock(now)}`);
  });
  return face;
}

/** @param {Scope} scope */
function switches(scope) {
  const paint = () => theme.set(theme.value === "dark" ? "light" : "dark");
  const lamp = h("button", { class: "quiet", onclick: paint, "aria-label": t("theme"), title: t("theme") });
  scope.read(theme, (name) => refill(lamp, icon(name === "dark" ? "moon" : "sun")));
  claimKey(scope, "D", "key.theme", paint);
  return [languageButton(), lamp];
}

function userMenu() {
  const open = () =>
    openMenu(button, [
      { caption: `${me.value?.username} · ${t(`role.${me.value?.role}`)} · ${me.value?.unit.name}` },
      { label: t("password.change"), icon: "key-round", act: openPassword },
      ...(may("talk") ? [{ label: t("phone"), icon: "smartphone", act: () => location.assign("/phone") }] : []),
      { label: t("keys"), icon: "keyboard", act: openKeys },
      {
        label: t(keysEnabled.value ? "keys.disable" : "keys.enable"),
        icon: "keyboard",
        act: () => keysEnabled.set(!keysEnabled.value),
      },
      { label: t("signout"), icon: "log-out", act: () => void signOut().catch(complain) },
    ]);
  const button = h(
    "button",
    { class: "quiet user", onclick: open, "aria-haspopup": "menu" },
    icon("user"),
    me.value?.display_name || me.value?.username,
  );
  return button;
}
