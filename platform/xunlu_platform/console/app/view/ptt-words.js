/** How it stands with the radio net, in words: the same on the desk and on the telephone. */

import { clock, span } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { serverNow } from "../net/stream.js";
import { groupOf, heardNow, key, mainGroup, members, net, rights, talks, tuning } from "../state/talk.js";

/** Of the urgencies of the floor: an emergency. */
export const EMERGENCY = 2;
/** So long before its end a group tells of it. */
const SOON_MS = 300_000;

/** One word for all that decides what the key does; styles and tests read it. */
export function phase() {
  const { state } = net.value;
  if (state !== "ready") return state;
  return key.value.phase === "idle" ? "ready" : key.value.phase;
}

/** What the key would do, or does. */
export function keyWords() {
  const now = phase();
  if (now === "talking") return t(mainGroup()?.duplex ? "talk.key.hang" : "talk.key.talking");
  if (now === "asking" || now === "queued") return t("talk.key.asking");
  if (mainGroup()?.duplex) return t("talk.key.duplex");
  const other = somebodyElse();
  return t(other && !other.urgency && rights.value.includes("barge") ? "talk.key.barge" : "talk.key");
}

/** What another says in the main group; null while nobody does, or we do. */
export function somebodyElse() {
  const { main } = tuning.value;
  return main === null || key.value.phase === "talking" ? null : (talks.value.get(main) ?? null);
}

/** Whether the other one of a call is not there yet. */
function isAlone() {
  const group = mainGroup();
  return group?.kind === "private" && (members.value.get(group.gid)?.length ?? 0) < 2;
}

/** When the group is over unless somebody talks, once that is near. */
function endsSoon() {
  const ends_ms = (mainGroup()?.until ?? Infinity) * 1000;
  return ends_ms - serverNow() < SOON_MS ? t("talk.group.ends", { at: clock(ends_ms) }) : "";
}

/** What happens to our own key; empty while nothing does. */
export function standing() {
  const { phase: now, position, ends_ms, cause } = key.value;
  const { state, why } = net.value;
  if (state !== "ready") return why || t(`talk.net.${state}`);
  if (now === "asking") return t("talk.asking");
  if (now === "queued") return t("talk.queued", { n: position });
  if (now === "refused") return t(`talk.cause.${cause}`);
  if (isAlone()) return t("talk.alone");
  if (now !== "talking") return endsSoon();
  if (ends_ms === null) return "";
  return t("talk.left", { span: span((ends_ms - serverNow()) / 1000) });
}

/** `陈志远 022 正在讲话 4 秒`, whether it is an emergency, where when it is not the main group; empty while nobody talks. */
export function whoTalks() {
  const heard = heardNow();
  if (!heard) return "";
  const { talker, since_ms, urgency } = heard.talk;
  const since = span((serverNow() - since_ms) / 1000);
  const who = heard.mine ? t("talk.me") : [talker.name, talker.number].filter(Boolean).join(" ");
  const emergency = urgency === EMERGENCY ? t("talk.emergency") : "";
  const elsewhere = heard.gid === tuning.value.main ? "" : (groupOf(heard.gid)?.name ?? heard.gid);
  return [t("talk.who", { who, span: since }), emergency, elsewhere].filter(Boolean).join(" · ");
}
