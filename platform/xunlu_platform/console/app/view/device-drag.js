/** Dragging devices from lists onto pictures, also from one window of the console to another. */

const TYPE = "application/x-xunlu-device";
const NAME = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * Rows with `data-did` and `draggable` inside a box can be dragged.
 * @param {HTMLElement} box
 * @param {import("../kit/store.js").Scope} scope
 */
export function offerDevices(box, scope) {
  scope.listen(box, "dragstart", (event) => {
    const did = event.target instanceof HTMLElement ? event.target.dataset["did"] : undefined;
    if (!did || !event.dataTransfer) return;
    event.dataTransfer.setData(TYPE, did);
    event.dataTransfer.effectAllowed = "copyMove";
  });
}

/**
 * A box that takes dropped devices; while one hovers, the box has the class `dropping`.
 * @param {HTMLElement} box
 * @param {(did: string) => void} take
 */
export function acceptDevice(box, take) {
  const carries = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes(TYPE) ?? false;
  const hover = (/** @type {DragEvent} */ event) => {
    if (!carries(event)) return;
    event.preventDefault();
    box.classList.add("dropping");
  };
  box.addEventListener("dragenter", hover);
  box.addEventListener("dragover", hover);
  box.addEventListener("dragleave", (event) => {
    if (!(event.relatedTarget instanceof Node && box.contains(event.relatedTarget))) box.classList.remove("dropping");
  });
  box.addEventListener("drop", (event) => {
    box.classList.remove("dropping");
    const did = event.dataTransfer?.getData(TYPE) ?? "";
    if (!carries(event) || !NAME.test(did)) return;
    event.preventDefault();
    take(did);
  });
}
