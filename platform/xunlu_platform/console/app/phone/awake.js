/** A radio whose screen goes dark is hung up by many telephones: the screen stays on while the page is shown. */

/** @param {import("../kit/store.js").Scope} scope */
export function stayAwake(scope) {
  if (!("wakeLock" in navigator)) return;
  /** @type {WakeLockSentinel | null} */
  let lock = null;
  const ask = async () => {
    if (document.hidden || (lock && !lock.released)) return;
    // A telephone that saves power refuses; the page works all the same.
    lock = await navigator.wakeLock.request("screen").catch(() => null);
  };
  scope.listen(document, "visibilitychange", () => void ask());
  scope.onClose(() => void lock?.release());
  void ask();
}
