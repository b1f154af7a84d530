/** The page: who is signed in decides what is shown; the shell decides the rest. */

import { fill, h } from "./kit/dom.js";
import { language, loadWords, t } from "./kit/i18n.js";
import { Scope } from "./kit/store.js";
import { onRefused, Problem } from "./net/http.js";
import { fetchMe, forgetMe, may, me } from "./net/session.js";
import { onStreamRefused } from "./net/stream.js";
import { mountPhone } from "./phone/phone.js";
import { startTelephone, stopTelephone } from "./phone/telephone.js";
import { startFeed, stopFeed } from "./state/feed.js";
import { forgetUnits, knowUnits } from "./state/organisation.js";
import { startTalk, stopTalk } from "./state/talk.js";
import { failure } from "./view/notice.js";
import { mountPassword } from "./view/password.js";
import { mountShell } from "./view/shell.js";
import { mountSignIn } from "./view/sign-in.js";

const root = h("div", { class: "root" });
document.body.append(root, h("div", { class: "toasts", role: "status", "aria-live": "polite" }));

/** The page of a duty telephone has neither map nor feed. */
const PHONE = /^\/phone\/?$/;

let scope = new Scope();

/** Show what fits the login. */
function show() {
  const login = me.value;
  if (login && !login.must_change_password) return void enter(login);
  leave();
  clear();
  if (login) mountPassword(root, true);
  else mountSignIn(root);
}

/**
 * Let somebody in. A desk stands once the organisation is known: its lists and choices are made of it.
 * @param {import("./types").Me} login
 */
async function enter(login) {
  if (may("talk")) startTalk();
  if (PHONE.test(location.pathname)) {
    // A telephone stands at once on a weak network; there the organisation only gives names.
    void knowUnits().catch(() => undefined);
    startTelephone();
    return mountPhone(clear(), scope);
  }
  startFeed();
  try {
    await knowUnits();
  } catch (problem) {
    return void (login === me.value && showFailure(problem, show));
  }
  if (login === me.value) mountShell(clear(), scope);
}

/** The page, empty, with a scope of its own. */
function clear() {
  scope.close();
  scope = new Scope();
  return fill(root);
}

/** The next login sees and hears nothing of this one. */
function leave() {
  stopFeed();
  stopTalk();
  stopTelephone();
  forgetUnits();
}

/**
 * @param {unknown} problem
 * @param {() => unknown} again
 */
function showFailure(problem, again) {
  clear().append(h("div", { class: "gate" }, failure(problem, () => void again())));
}

onRefused((problem) => {
  if (problem.status === 401) forgetMe();
  else if (me.value) me.set({ ...me.value, must_change_password: true });
});
onStreamRefused(forgetMe);

async function start() {
  try {
    await fetchMe();
  } catch (problem) {
    if (!(problem instanceof Problem && problem.status === 401)) return showFailure(problem, start);
  }
  me.read(show);
  let spoken = language.value;
  language.read((chosen) => {
    if (chosen === spoken) return;
    spoken = chosen;
    void loadWords().then(show);
  });
}

await loadWords();
fill(root, h("div", { class: "gate dim", role: "status" }, t("loading")));
await start();
