/**
 * The service worker of the phone page: it keeps our own static files, so that the page stands at once on a weak network.
 * What the platform says is never kept: answers of the interface and sound go past it.
 */

const KEPT = "static-{version}";
const OURS = "/static/{version}/";
const PAGE = "/phone";

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(KEPT).then((kept) => kept.add(PAGE)));
  self.skipWaiting();
});

self.addEventListener("activate", (event) => {
  const drop = async () => {
    const names = await caches.keys();
    await Promise.all(names.filter((name) => name !== KEPT).map((name) => caches.delete(name)));
    await self.clients.claim();
  };
  event.waitUntil(drop());
});

/** A file of this version never changes: the first answer is good for ever. */
async function keptFile(request) {
  const kept = await caches.open(KEPT);
  const found = await kept.match(request);
  if (found) return found;
  const answer = await fetch(request);
  if (answer.ok) await kept.put(request, answer.clone());
  return answer;
}

/** The page itself may be newer: the network first. */
async function page(request) {
  try {
    return await fetch(request);
  } catch (error) {
    const found = await caches.match(PAGE);
    if (found) return found;
    throw error;
  }
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (pathname.startsWith(OURS)) event.respondWith(keptFile(request));
  else if (request.mode === "navigate" && pathname === PAGE) event.respondWith(page(request));
});
