/** A still of the picture that says by itself whom it shows, when, and who took it. */

import { clock, day, span, stamp } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { serverNow } from "../net/stream.js";
import { unitName } from "../state/organisation.js";
import { deviceTitle } from "../view/device-sign.js";
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
  canvas.width = width;
  canvas.height = height + line_px * 3.4;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.drawImage(source, 0, 0, width, height);
  burnWatermark(context, width, height);
  context.fillStyle = "#0d1217";
  context.fillRect(0, height, width, canvas.height - height);
  context.fillStyle = "#dfe7ec";
  context.font = `${line_px}px sans-serif`;
  const lines = [
    [deviceTitle(live), unitName(live.unit), live.serial || live.did].join(" · "),
    [stamp(at_ms), age_s > STALL_S ? t("snapshot.old", { span: span(age_s) }) : "", t("snapshot.by", { who: viewerStamp() })]
      .filter(Boolean)
      .join(" · "),
  ];
  lines.forEach((line, i) => context.fillText(line, line_px * 0.6, height + line_px * (1.3 + i * 1.4), width - line_px * 1.2));
  await download(canvas, `${live.num ?? live.did}_${day(at_ms)}_${clock(at_ms).replaceAll(":", "")}.png`);
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
