/** Answers that take a while and tell meanwhile how far they are (docs/api.md, “Answers that take a while”). */

import { t } from "../kit/i18n.js";
import { Problem, problemOf, reachStream } from "./http.js";

/** A server that is at work says so twice a second. */
const SILENT_MS = 20_000;

/**
 * @param {string} path below `/api/v1`, of a question that takes `progress`
 * @param {(done: number, of: number) => void} tell
 * @param {AbortSignal} signal nobody waits any more: the server stops, too
 * @returns {Promise<Response>} the answer itself
 * @throws {Problem}
 */
export async function follow(path, tell, signal) {
  const silence = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(), SILENT_MS);
  };
  try {
    heard();
    const { body } = await reachStream(`${path}&progress=true`, AbortSignal.any([signal, silence.signal]));
    for await (const line of lines(body)) {
      heard();
      const told = JSON.parse(line);
      if (told.status) return await answerOf(told);
      tell(told.done, told.of);
    }
  } catch (failure) {
    if (signal.aborted || failure instanceof Problem) throw failure;
  } finally {
    clearTimeout(timer);
  }
  throw new Problem(0, t("problem.unreachable"), t("problem.unreachable.do"));
}

/** @param {ReadableStream<BufferSource> | null} body */
async function* lines(body) {
  const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
  let begun = "";
  for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) {
    const [first = "", ...others] = read.value.split("\n");
    const parts = [begun + first, ...others];
    begun = parts.pop() ?? "";
    yield* parts;
  }
}

/** @param {{status: number, headers: Record<string, string>, body: string}} told @throws {Problem} */
async function answerOf({ status, headers, body }) {
  const bytes = Uint8Array.from(atob(body), (letter) => letter.charCodeAt(0));
  const response = new Response(bytes, { status, headers });
  if (response.ok) return response;
  throw await problemOf(response);
}
