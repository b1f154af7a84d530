/**
 * Who is on which post now: read as the stream tells of comings and goings at posts, and twice a minute, because windows
 * open by themselves.
 */

import { h, icon } from "../kit/dom.js";
import { when } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { soon } from "../kit/soon.js";
import { Store } from "../kit/store.js";
import { get } from "../net/http.js";
import { may } from "../net/session.js";
import { complain } from "../view/notice.js";
import { movements } from "./movements.js";
import { zones } from "./zones.js";

const AGAIN_MS = 1000;
const HEAL_MS = 30_000;

/**
 * @typedef {object} Post
 * @property {number} zone
 * @property {boolean} in_force
 * @property {{did: string, officer: {id: number, number: string, name: string} | null, since: string}[]} present
 * @property {number} others of another part of the organisation
 * @property {string | null} left_at
 */

/** By zone, while the page of zones is open. @type {Store<Map<number, Post>>} */
export const posts = new Store(/** @type {Map<number, Post>} */ (new Map()));

/** Keep `posts` as they are. @param {import("../kit/store.js").Scope} scope */
export function followPosts(scope) {
  if (!may("events")) return;
  let shown = "";
  const load = soon(scope, AGAIN_MS, async () => {
    try {
      /** @type {Post[]} */
      const found = await get("/zones/posts");
      const text = JSON.stringify(found);
      // Whoever has a post under the keys keeps it while nothing changes.
      if (scope.closed || text === shown) return;
      shown = text;
      posts.set(new Map(found.map((post) => [post.zone, post])));
    } catch (problem) {
      if (!scope.closed) complain(problem);
    }
  });
  scope.every(HEAL_MS, load);
  scope.read(zones, load);
  scope.read(movements, ({ told }) => {
    if (told === null || told.some(({ zone }) => zone?.kind === "post")) load();
  });
  scope.onClose(() => posts.set(new Map()));
}

/** Whether somebody is expected at a post, and nobody is there. @param {Post | undefined} post */
export const isEmpty = (post) => post !== undefined && post.in_force && !post.present.length && !post.others;

/** Who is on a post, and since when; or that it is empty. @param {Post | undefined} post */
export function manning(post) {
  if (!post) return null;
  if (isEmpty(post)) {
    const tag = h("span", { class: "tag warn" }, icon("triangle-alert"), t("post.empty"));
    return h("span", { class: "post" }, tag, post.left_at ? since(post.left_at) : null);
  }
  if (!post.present.length && !post.others) return h("span", { class: "post dim" }, t("post.closed"));
  const people = post.present.map(({ did, officer, since: at }) =>
    h("span", { class: "row" }, h("b", {}, officer ? `${officer.name} ${officer.number}` : did), since(at)),
  );
  const others = post.others ? h("span", { class: "dim" }, t("post.others", { n: post.others })) : null;
  return h("span", { class: "post" }, h("span", { class: "tag good" }, t("post.manned")), people, others);
}

/** @param {string} at */
const since = (at) => h("span", { class: "dim num" }, t("post.since", { at: when(at) }));
