/** A look back by keyboard: the keys of an editing desk. All of them are listed by `?`. */

import { claimKey } from "../kit/keys.js";
import { may } from "../net/session.js";
import { openMark } from "./mark.js";

const STEP_MS = 10_000;
const CLOSER = 0.5;

/**
 * @param {import("./replay.js").Replay} replay
 * @param {{timeline: import("./timeline.js").Timeline, stepper: import("./step.js").Stepper, map: import("./map.js").ReviewMap}} parts
 * @param {import("../kit/store.js").Scope} scope
 */
export function claimKeys(replay, { timeline, stepper, map }, scope) {
  const { clock } = replay;
  const follow = () => replay.change({ follow: replay.view.value.follow ? null : (replay.main?.key ?? null) });
  /** @type {[string, string, () => void][]} */
  const keys = [
    ["Space", "key.review.play", () => clock.toggle()],
    ["K", "key.review.pause", () => clock.pause()],
    ["J", "key.review.backwards", () => clock.shuttle(-1)],
    ["L", "key.review.forwards", () => clock.shuttle(1)],
    ["[", "key.review.slower", () => clock.shift(-1)],
    ["]", "key.review.faster", () => clock.shift(1)],
    ["ArrowLeft", "key.review.seconds", () => clock.step(-STEP_MS)],
    ["ArrowRight", "key.review.seconds", () => clock.step(STEP_MS)],
    [",", "key.review.fix", () => stepper.step(-1)],
    [".", "key.review.fix", () => stepper.step(1)],
    ["N", "key.review.next", () => void replay.toMoment(1)],
    ["P", "key.review.previous", () => void replay.toMoment(-1)],
    ["Home", "key.review.home", () => clock.seek(replay.range.from_ms)],
    ["End", "key.review.end", () => clock.seek(replay.range.to_ms)],
    ["F", "key.review.follow", follow],
    ["G", "key.review.fit", () => (replay.change({ follow: null }), map.fit())],
    ["R", "key.review.raw", () => replay.change({ clean: !replay.view.value.clean })],
    ["A", "key.review.accuracy", () => replay.toggle("accuracy")],
    ["Z", "key.review.zones", () => replay.toggle("zones")],
    ["S", "key.review.skip", () => replay.toggle("skip")],
    ["+", "key.review.closer", () => timeline.zoom(CLOSER)],
    ["=", "key.review.closer", () => timeline.zoom(CLOSER)],
    ["-", "key.review.farther", () => timeline.zoom(1 / CLOSER)],
    ["0", "key.review.all", () => timeline.show(Infinity)],
    ["B", "key.review.loop.from", () => clock.loopFrom()],
    ["E", "key.review.loop.to", () => clock.loopTo()],
    ["Escape", "key.review.loop", () => clock.setLoop(null)],
  ];
  if (may("incidents")) keys.push(["M", "key.review.mark", () => openMark(replay)]);
  for (const [key, label, run] of keys) claimKey(scope, key, label, run);
}
