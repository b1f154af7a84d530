/** The fleet by asking again and again: for roles that may see devices but not the event stream. */

import { getAll, Problem } from "../net/http.js";
import { fleet } from "./fleet.js";

const INTERVAL_MS = 15_000;

export class Poll {
  #timer;

  constructor() {
    this.#timer = setInterval(() => void this.#ask(), INTERVAL_MS);
    void this.#ask();
  }

  close() {
    clearInterval(this.#timer);
  }

  /** A failed turn is made good by the next one: the ages show what is old. */
  async #ask() {
    try {
      fleet.replace((await getAll("/devices?status=approved")).map(liveOf));
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
    }
  }
}

/**
 * A device of REST in the form of the stream.
 * @param {import("../types").DeviceRecord} record
 * @returns {import("../types").Live}
 */
function liveOf({ did, kind, serial, unit, officer, state, position, telemetry, recording }) {
  return {
    did,
    kind,
    serial,
    num: officer?.number ?? null,
    name: officer?.name ?? null,
    py: null,
    unit: unit?.id ?? null,
    lat: position?.lat ?? null,
    lon: position?.lon ?? null,
    tms: position ? Date.parse(position.fix_time) : null,
    acc: position?.accuracy_m ?? null,
    spd: position?.speed_mps ?? null,
    cog: position?.course_deg ?? null,
    sat: position?.sat ?? null,
    bds: position?.bds ?? null,
    st: state?.availability ?? null,
    st_ms: state?.at ? Date.parse(state.at) : null,
    why: state?.why ?? null,
    batt: telemetry?.batt ?? null,
    rec: recording,
    sos: null,
    interval_s: null,
    tele: telemetry,
    live: null,
    srec: false,
    talk: null,
  };
}
