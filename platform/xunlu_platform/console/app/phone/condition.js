/** The condition of this telephone, as far as its browser tells. */

/** Of `bs` in telemetry. */
const UNPLUGGED = 1;
const CHARGING = 2;

/**
 * A telemetry message of the protocol.
 * @param {number} sid session of the page
 * @param {number} outbox what is not confirmed
 * @param {number} clock_ms how far our clock is ahead of the platform's
 */
export async function telemetry(sid, outbox, clock_ms) {
  const battery = await batteryOf();
  return {
    tst: Math.floor(Date.now() / 1000),
    sid,
    outbox,
    clock_ms: Math.round(clock_ms),
    uptime_s: Math.round(performance.now() / 1000),
    ...(battery && { batt: Math.round(battery.level * 100), bs: battery.charging ? CHARGING : UNPLUGGED }),
  };
}

/** Not every browser tells. @returns {Promise<{level: number, charging: boolean} | null>} level 0…1 */
async function batteryOf() {
  const ask = /** @type {any} */ (navigator).getBattery;
  return typeof ask === "function" ? ask.call(navigator).catch(() => null) : null;
}
