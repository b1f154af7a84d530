/** What is asked for again and again, done no more often than it can be. */

/**
 * Do something now; and again, however often it is asked for meanwhile, once and not before a while has passed.
 * @param {import("./store.js").Scope} scope
 * @param {number} pause_ms
 * @param {() => Promise<void>} act
 */
export function soon(scope, pause_ms, act) {
  let asked = false;
  let busy = false;
  const run = async () => {
    if (scope.closed) return;
    [asked, busy] = [false, true];
    await act();
    setTimeout(() => ((busy = false), asked && void run()), pause_ms);
  };
  return () => void ((asked = true), busy || run());
}
