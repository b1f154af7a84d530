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
import { loadUnits } from "./state/organisation.js";
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
  scope.close();
  scope = new Scope();
  fill(root);
  const login = me.value;
  if (!login || login.must_change_password) leave();
  if (!login) mountSignIn(root);
  else if (login.must_change_password) mountPassword(root, true);
  else {
    if (may("talk")) startTalk();
    if (PHONE.test(location.pathname)) return void (startTelephone(), mountPhone(root, scope));
    startFeed();
    mountShell(root, scope);
  }
}

/** The next login sees and hears nothing of this one. */
function leave() {
  stopFeed();
  stopTalk();
  stopTelephone();
}

/** @param {unknown} problem */
function showFailure(problem) {
  fill(
    root,
    h(
      "div",
      { class: "gate" },
      failure(problem, () => void start()),
    ),
  );
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
    if (!(problem instanceof Problem && problem.status === 401)) return showFailure(problem);
  }
  me.read(show);
  let spoken = language.value;
  language.read((chosen) => {
    if (chosen === spoken) return;
    spoken = chosen;
    void loadWords().then(show);
  });
}

me.read((login) => {
  if (login && !login.must_change_password) void loadUnits().catch(showFailure);
});

await loadWords();
fill(root, h("div", { class: "gate dim", role: "status" }, t("loading")));
await start();
