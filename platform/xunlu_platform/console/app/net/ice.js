/** What a relay and a browser tell each other of ICE beside the offer: servers (RFC 9725 §4.6) and candidates (RFC 8840). */

const LINK = /<([^>]*)>((?:\s*;\s*[\w-]+="(?:[^"\\]|\\.)*")*)/g;
const PARAMETER = /([\w-]+)="((?:[^"\\]|\\.)*)"/g;

/**
 * The STUN and TURN servers that a `Link` header names.
 * @param {string | null} header
 * @returns {RTCIceServer[]}
 */
export function iceServersOf(header) {
  return [...(header ?? "").matchAll(LINK)].flatMap(([, url = "", rest = ""]) => {
    const pairs = [...rest.matchAll(PARAMETER)].map(([, name = "", value = ""]) => [name, value.replace(/\\(.)/g, "$1")]);
    const { rel, username = "", credential = "" } = Object.fromEntries(pairs);
    return rel === "ice-server" ? [{ urls: url, username, credential }] : [];
  });
}

/**
 * A fragment with candidates that the offer did not have.
 * @param {string} offer
 * @param {RTCIceCandidate[]} candidates
 */
export function fragmentOf(offer, candidates) {
  const lines = offer.split("\r\n");
  const first = (/** @type {string} */ start) => lines.find((line) => line.startsWith(start)) ?? "";
  return [
    ...["a=ice-ufrag:", "a=ice-pwd:", "m=", "a=mid:"].map(first),
    ...candidates.map(({ candidate }) => `a=${candidate}`),
    "",
  ].join("\r\n");
}
