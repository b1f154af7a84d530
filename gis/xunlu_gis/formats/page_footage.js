// Recordings and bursts that lie beside the page: they follow its clock, and never lead it.
(function () {
  "use strict";
  const AT_ONCE_MAX = 4, DRIFT_MS = 200, RATE_MAX = 4;

  // A recording plays at up to four times its speed; faster, backwards and while the clock stands it shows stills.
  function follow(player, want_s, rate) {
    const plays = rate > 0 && rate <= RATE_MAX;
    if (!plays && !player.paused) player.pause();
    if (player.readyState === 0 || player.seeking) return;
    const drift_ms = Math.abs(player.currentTime - want_s) * 1000;
    if (drift_ms > DRIFT_MS * Math.max(1, plays ? rate : 1)) player.currentTime = want_s;
    if (!plays) return;
    if (player.playbackRate !== rate) player.playbackRate = rate;
    // A browser that refuses sound before a key was pressed plays on without it.
    if (player.paused && !player.ended) player.play().catch(() => { player.muted = true; });
  }

  // `again` is called when the player can be told more: what it could not do before it was loaded, or while it jumped.
  function shown(it, again) {
    const figure = document.createElement("figure"), caption = document.createElement("figcaption");
    const name = document.createElement("span"), note = document.createElement("b");
    const player = document.createElement(it.kind === "recording" ? "video" : "audio");
    player.preload = "auto";
    player.src = it.href;
    if (it.kind === "recording") player.playsInline = true;
    name.textContent = it.who;
    for (const ready of ["loadeddata", "seeked"]) player.addEventListener(ready, again);
    player.addEventListener("error", () => { name.textContent = `${it.who} · ${it.href} ✕`; });
    caption.append(name, note);
    figure.append(player, caption);
    return { figure, player, note };
  }

  // Through a time without a picture the last one stands: that is said, with how long it has stood.
  function tellBlank({ figure, note }, it, ms, words) {
    const blank = it.blank.find(([from, to]) => from <= ms && ms < to);
    figure.classList.toggle("blank", Boolean(blank));
    note.textContent = blank ? ` · ${words.blank} ${Math.floor((ms - blank[0]) / 1000)} s` : "";
  }

  // `items` are in order of time; what cannot be shown at once for want of room is shown when there is some.
  window.xunluFootage = function (items, panel, words) {
    const box = document.createElement("section"), open = new Map();
    let now_ms = 0, rate_now = 0;
    box.id = "footage";
    panel.prepend(box);
    const lead = (it) => open.has(it) && follow(open.get(it).player, (now_ms - it.from) / 1000, rate_now);
    return {
      follow(ms, rate) {
        [now_ms, rate_now] = [ms, rate];
        const now = items.filter((it) => it.from <= ms && ms < it.to).slice(0, AT_ONCE_MAX);
        for (const [it, { figure, player }] of open) {
          if (now.includes(it)) continue;
          player.removeAttribute("src");
          player.load();
          figure.remove();
          open.delete(it);
        }
        for (const it of now) {
          if (!open.has(it)) { open.set(it, shown(it, () => lead(it))); box.append(open.get(it).figure); }
          lead(it);
          tellBlank(open.get(it), it, ms, words);
        }
      },
    };
  };
})();
