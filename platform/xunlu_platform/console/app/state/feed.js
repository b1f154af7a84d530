/** The one stream of this page, poured into the stores. It lives as long as the login, on every view. */

import { Store } from "../kit/store.js";
import { link, Stream } from "../net/stream.js";
import { mergeAlarms, replaceAlarms } from "./alarms.js";
import { fleet } from "./fleet.js";
import { past } from "./moment.js";
import { loadUnits } from "./organisation.js";
import { Poll } from "./poll.js";
import { setThinned, watched } from "./watch.js";
import { movements } from "../zones/movements.js";
import { forgetZones, reloadZones } from "../zones/zones.js";

/** The newest event of any device. @type {Store<import("../types").DeviceEvent | null>} */
export const lastEvent = new Store(/** @type {import("../types").DeviceEvent | null} */ (null));
/** The newest step of any command. @type {Store<import("../types").Command | null>} */
export const lastCommand = new Store(/** @type {import("../types").Command | null} */ (null));

/** How often the stream began with everything there is: what it told before then nobody repeats, and lists are read again. */
export const begun = new Store(0);

/** @type {Stream | null} */
let stream = null;
/** What roles without the stream get instead. @type {Poll | null} */
let poll = null;
/** @type {ReturnType<typeof setInterval> | undefined} */
let aging;

/** What the devices are now, while the desk shows how they were. @type {Map<string, import("../types").Live> | null} */
let aside = null;

past.read((on) => {
  if (on === (aside !== null)) return;
  const now = aside;
  aside = on ? new Map(fleet.order.map(({ index: _i, state: _s, warnings: _w, search: _t, ...live }) => [live.did, live])) : null;
  if (now) fleet.replace([...now.values()]);
});

/** @param {import("../types").Live[]} devices */
function replaceDevices(devices) {
  if (aside) aside = new Map(devices.map((device) => [device.did, device]));
  else fleet.replace(devices);
}

/** @param {(Partial<import("../types").Live> & {did: string})[]} parts @param {string[]} gone */
function mergeDevices(parts, gone) {
  if (!aside) return fleet.merge(parts, gone);
  for (const part of parts) aside.set(part.did, /** @type {import("../types").Live} */ ({ ...aside.get(part.did), ...part }));
  for (const did of gone) aside.delete(did);
}

/** @param {any} message */
function receive(message) {
  switch (message.type) {
    case "snapshot":
      replaceDevices(message.devices);
      replaceAlarms(message.alarms ?? []);
      begun.set(begun.value + 1);
      break;
    case "delta":
      mergeDevices(message.devices ?? [], message.gone ?? []);
      mergeAlarms(message.alarms ?? []);
      break;
    case "event":
      lastEvent.set(message.event);
      break;
    case "movements":
      movements.set({ told: message.movements });
      break;
    case "command":
      lastCommand.set(message.command);
      break;
    case "organisation":
      void loadUnits();
      break;
    case "zones":
      // What is shown stays until the next notice.
      void reloadZones().catch(() => undefined);
      break;
  }
}

export function startFeed() {
  if (stream) return;
  stream = new Stream(receive);
  if (watched.value) stream.look(watched.value);
  aging = setInterval(() => fleet.age(), 1000);
}

watched.read((view) => void (view && stream?.look(view)));

link.read(({ state }) => {
  if (state !== "forbidden" || !stream || poll) return;
  setThinned(false);
  poll = new Poll();
});

/** The next login sees nothing of this one. */
export function stopFeed() {
  if (!stream) return;
  stream.close();
  stream = null;
  poll?.close();
  poll = null;
  setThinned(true);
  clearInterval(aging);
  fleet.clear();
  replaceAlarms([]);
  forgetZones();
}
