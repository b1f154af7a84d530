/** A button that calls an officer, or offers a note for one who is away; once the call stands, it is a key to hold: the same place talks, wherever it is. */

import { fill, icon } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { callee, callOfficer } from "../state/calls.js";
import { key } from "../state/talk.js";
import { offerNote } from "../talk/note.js";
import { busy } from "./notice.js";
import { focusKey, holdToTalk } from "./ptt-key.js";

/**
 * @param {HTMLButtonElement} button
 * @param {string} did of what the officer wears
 * @param {import("../kit/store.js").Scope} scope
 * @param {boolean} [bare] a sign without words
 */
export function callKey(button, did, scope, bare = false) {
  const inCall = () => callee.value === did;
  const call = async () => {
    await callOfficer(did);
    focusKey();
  };
  button.onclick = () => void (inCall() || offerNote(did, call) || busy(button, call));
  holdToTalk(button, { when: inCall });
  const paint = () => {
    const talking = inCall() && key.value.phase === "talking";
    const words = t(talking ? "talk.key.talking" : inCall() ? "talk.key" : "talk.call");
    fill(button, icon("mic"), bare ? null : words);
    button.setAttribute("aria-pressed", String(talking));
    if (!bare) return;
    button.title = words;
    button.setAttribute("aria-label", words);
  };
  scope.read(callee, paint);
  scope.read(key, paint);
}
