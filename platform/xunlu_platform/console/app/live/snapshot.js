/** A still of the picture that says by itself whom it shows, where, when, and who took it. */

import { clock, day, span, stamp } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { serverNow } from "../net/stream.js";
import { unitName } from "../state/organisation.js";
import { deviceTitle } from "../view/device-sign.js";
import { placeOf } from "./place.js";
import { burnWatermark, viewerStamp } from "./watermark.js";

const STALL_S = 1;

/**
 * Draw and hand out a PNG. The caption stands below the picture and covers nothing of it.
 * @param {CanvasImageSource} source
 * @param {{width: number, height: number}} size pixels of the picture
 * @param {import("../types").Live} live
 * @param {number} age_s of the picture
 */
export async function saveSnapshot(source, { width, height }, live, age_s) {
  const at_ms = serverNow() - age_s * 1000;
  const line_px = Math.max(16, Math.round(height / 26));
  const canvas = document.createElement("canvas");
  const lines = caption(live, at_ms, age_s);
  canvas.width = width;
  canvas.height = height + line_px * (0.6 + 1.4 * lines.length);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.drawImage(source, 0, 0, width, height);
  burnWatermark(context, width, height);
  context.fillStyle = "#0d1217";
  context.fillRect(0, height, width, canvas.height - height);
  context.fillStyle = "#dfe7ec";
  context.font = `${line_px}px sans-serif`;
  lines.forEach((line, i) => context.fillText(line, line_px * 0.6, height + line_px * (1.3 + i * 1.4), width - line_px * 1.2));
  await download(canvas, `${live.num ?? live.did}_${day(at_ms)}_${clock(at_ms).replaceAll(":", "")}.png`);
}

/**
 * @param {import("../types").Live} live
 * @param {number} at_ms when the picture was taken
 * @param {number} age_s of the picture
 */
function caption(live, at_ms, age_s) {
  const old = age_s > STALL_S ? t("snapshot.old", { span: span(age_s) }) : "";
  return [
    [deviceTitle(live), unitName(live.unit), live.serial || live.did],
    [placeOf(live, (fix_ms) => `${t("fact.fix")} ${stamp(fix_ms)}`)],
    [stamp(at_ms), old, t("snapshot.by", { who: viewerStamp() })],
  ]
    .map((parts) => parts.filter(Boolean).join(" · "))
    .filter(Boolean);
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {string} name of the file
 */
async function download(canvas, name) {
  const blob = await new Promise((/** @type {(blob: Blob | null) => void} */ resolve) => canvas.toBlob(resolve, "image/png"));
  if (!blob) throw new Error(t("snapshot.failed"));
  const anchor = document.createElement("a");
  anchor.href = URL.createObjectURL(blob);
  anchor.download = name;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(anchor.href), 60_000);
}
