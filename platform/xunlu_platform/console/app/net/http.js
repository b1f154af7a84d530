/** The REST interface: cookie, CSRF header, problems (RFC 9457) as errors that a person can read. */

import { knows, language, t, word } from "../kit/i18n.js";

const TIMEOUT_MS = 20_000;
const BASE = "/api/v1";
/** Problems whose name says everything. */
const TOLD_BY_NAME = new Set([
  "problem.sign-in-refused",
  "problem.sign-in-required",
  "problem.too-many-sign-ins",
  "problem.database-unreachable",
  "problem.broker-unreachable",
  "problem.forbidden",
  "problem.csrf",
  "problem.too-many-commands",
  "problem.unexpected",
  "problem.track-too-long",
  "problem.too-much",
  "problem.offline",
  "problem.not-live-capable",
  "problem.pending",
  "problem.disabled",
  "problem.overloaded",
  "problem.token-expired",
  "problem.offer-codec",
]);

/**
 * One thing that is wrong.
 * @typedef {object} Complaint
 * @property {string} field name in the interface, empty when it is about no single one
 * @property {string} words
 */

const TOLD_MAX = 3;

/** A refused or failed request. */
export class Problem extends Error {
  /**
   * @param {number} status 0 when the server was not reached
   * @param {string} title
   * @param {string} detail
   * @param {string} type
   * @param {number | null} retry_s after how many seconds the server lets us ask again (`Retry-After`)
   * @param {Complaint[]} complaints what exactly is wrong
   */
  constructor(status, title, detail, type = "", retry_s = null, complaints = []) {
    super(detail ? `${title}: ${detail}` : title);
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.type = type;
    this.retry_s = retry_s;
    this.complaints = complaints;
  }

  /** The message in the words of a form. @param {Record<string, string>} labels by name of the field */
  toldBy(labels) {
    return this.complaints.length ? `${this.title}: ${tell(this.complaints, labels)}` : this.message;
  }

  /** The last part of the type, such as `recorder-offline`. */
  get slug() {
    return this.type.split("/").at(-1) ?? "";
  }
}

let csrf = "";
/** @type {(problem: Problem) => void} */
let refused = () => undefined;

/** @param {string} value from the login's answer */
export function setCsrf(value) {
  csrf = value;
}

/** What to do when the login ended or the password must change. @param {(problem: Problem) => void} handler */
export function onRefused(handler) {
  refused = handler;
}

/**
 * @param {string} method
 * @param {string} path below `/api/v1`
 * @param {unknown} [body] sent as JSON, or as it is when it is a string or a file
 * @param {AbortSignal} [signal] nobody waits for the answer any more
 * @returns {Promise<any>} the answer's JSON, `null` when empty
 * @throws {Problem}
 */
export async function request(method, path, body, signal) {
  return jsonOf(await answered(method, path, body, signal));
}

/**
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body]
 * @param {AbortSignal} [signal]
 * @param {number} [timeout_ms] until the last byte; 0: as long as `signal` lets it
 * @throws {Problem}
 */
async function answered(method, path, body, signal, timeout_ms = TIMEOUT_MS) {
  const response = await reach(method, path, body, signal, timeout_ms);
  if (response.ok) return response;
  const problem = await problemOf(response);
  if (response.status === 401 || problem.type.includes("password-change-required")) refused(problem);
  throw problem;
}

/** The answer as it is, for what is no JSON. @param {string} path below `/api/v1` @throws {Problem} */
export const reachFile = (path) => answered("GET", path);

/** The same for as long as it takes. @param {string} path @param {AbortSignal} signal @throws {Problem} */
export const reachStream = (path, signal) => answered("GET", path, undefined, signal, 0);

/** The same of a question with a body. @param {string} path below `/api/v1` @param {unknown} body @throws {Problem} */
export const askFile = (path, body) => answered("POST", path, body);

/**
 * @param {string} method
 * @param {string} path
 * @param {unknown} body
 * @param {AbortSignal | undefined} signal
 * @param {number} timeout_ms
 */
async function reach(method, path, body, signal, timeout_ms) {
  /** @type {Record<string, string>} */
  const headers = { accept: "application/json" };
  const raw = typeof body === "string" || body instanceof Blob;
  const file = body instanceof Blob && body.type.startsWith("audio/") ? body.type : "text/csv; charset=utf-8";
  if (body !== undefined) headers["content-type"] = raw ? file : "application/json";
  if (method !== "GET") headers["x-csrf-token"] = csrf;
  try {
    return await fetch(BASE + path, {
      method,
      headers,
      credentials: "same-origin",
      signal: AbortSignal.any([...(timeout_ms ? [AbortSignal.timeout(timeout_ms)] : []), ...(signal ? [signal] : [])]),
      body: body === undefined ? null : raw ? body : JSON.stringify(body),
    });
  } catch (failure) {
    if (signal?.aborted) throw failure;
    throw new Problem(0, t("problem.unreachable"), t("problem.unreachable.do"));
  }
}

/** @param {Response} response @returns {Promise<any>} `null` when there is none */
async function jsonOf(response) {
  const text = await response.text();
  return /json/.test(response.headers.get("content-type") ?? "") && text ? JSON.parse(text) : null;
}

/** @param {Complaint[]} complaints @param {Record<string, string>} [labels] */
function tell(complaints, labels = {}) {
  const called = (/** @type {string} */ field) => labels[field] ?? labels[field.replace(/_id$/, "")] ?? field;
  const told = complaints.slice(0, TOLD_MAX).map(({ field, words }) => (field ? `${called(field)}: ${words}` : words));
  return told.join("; ");
}

/** Our words for a reason that we know, else the server's. @param {any} error of a problem's `errors` @returns {Complaint} */
export function complaintOf({ field = "", reason, message, values = {} }) {
  const key = `reason.${reason}`;
  const row = values.row === undefined ? "" : t("reason.row", values);
  return { field: field.replace(/^(body|query|path)(\.|$)/, ""), words: row + (knows(key) ? t(key, values) : message) };
}

/**
 * The server speaks English; who reads Chinese is told by the problem's name, by the reasons of its complaints, and by the
 * server's words where we have none.
 * @param {Response} response of any of our services, refused
 */
export async function problemOf(response) {
  const { status, headers } = response;
  const json = await jsonOf(response).catch(() => null);
  const type = String(json?.type ?? "");
  const title = typeof json?.title === "string" ? json.title : t("problem.status", { status });
  const detail = typeof json?.detail === "string" ? json.detail : "";
  const retry_s = Number(headers.get("retry-after") ?? NaN) || null;
  /** @type {Complaint[]} */
  const complaints = (json?.errors ?? []).map(complaintOf);
  const plain = new Problem(status, title, detail, type, retry_s);
  const key = `problem.${plain.slug}`;
  if (complaints.length) return new Problem(status, word("problem", plain.slug), tell(complaints), type, retry_s, complaints);
  if (language.value === "en" || !knows(key)) return plain;
  return new Problem(status, t(key), TOLD_BY_NAME.has(key) ? "" : [title, detail].filter(Boolean).join(" "), type, retry_s);
}

/** @param {string} path @param {AbortSignal} [signal] nobody waits for the answer any more */
export const get = (path, signal) => request("GET", path, undefined, signal);
/** @param {string} path @param {unknown} [body] */
export const post = (path, body = {}) => request("POST", path, body);
/** @param {string} path @param {unknown} body */
export const patch = (path, body) => request("PATCH", path, body);
/** @param {string} path @param {unknown} body */
export const put = (path, body) => request("PUT", path, body);
/** @param {string} path */
export const del = (path) => request("DELETE", path);

/**
 * Every item of a paged list, up to a bound.
 * @param {string} path
 * @param {number} [items_max]
 * @returns {Promise<any[]>}
 */
export async function getAll(path, items_max = 5000) {
  const items = [];
  let after = null;
  do {
    const separator = path.includes("?") ? "&" : "?";
    const page = await get(`${path}${separator}limit=500${after ? `&after=${encodeURIComponent(after)}` : ""}`);
    items.push(...page.items);
    after = page.next;
  } while (after && items.length < items_max);
  return items;
}

/**
 * A query string without empty values.
 * @param {Record<string, string | number | null | undefined>} parameters
 */
export function query(parameters) {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters))
    if (value !== null && value !== undefined && value !== "") search.set(name, String(value));
  const text = search.toString();
  return text ? `?${text}` : "";
}
