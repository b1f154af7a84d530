// The replay of the stand-alone page, in true time. All words come as data and leave as text: nothing is ever markup.
(function () {
  "use strict";
  const HOUR_MS = 3600000, GAP_LABELS_MAX = 20, SHOW_MS = 25;
  const GAP = { color: "#6b6b6b", weight: 2, dashArray: "4 8", interactive: true };

  const data = JSON.parse(document.getElementById("playback").textContent);
  const byId = (id) => document.getElementById(id);

  function text(words) {
    const node = document.createElement("span");
    node.textContent = words;
    return node;
  }

  function clock(ms) {
    return new Date(ms + data.offset).toISOString().slice(0, 19).replace("T", " ");
  }

  function duration(ms) {
    const two = (n) => String(Math.floor(n)).padStart(2, "0");
    return `${Math.floor(ms / HOUR_MS)}:${two(ms / 60000 % 60)}:${two(ms / 1000 % 60)}`;
  }

  // Index of the last time that is not after `ms`; -1 before the first.
  function lastUntil(times, ms) {
    let low = 0, high = times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (times[middle] <= ms) low = middle + 1; else high = middle;
    }
    return low - 1;
  }

  // Where somebody is: between two fixes of one piece, or, in a gap, where the last fix was.
  function positionAt(walked, ms) {
    const index = lastUntil(walked.begins, ms);
    if (index < 0) return null;
    const piece = walked.pieces[index], last = piece.times.length - 1, i = lastUntil(piece.times, ms);
    if (i >= last) return { place: piece.places[last], known: ms === piece.times[last] };
    const share = (ms - piece.times[i]) / (piece.times[i + 1] - piece.times[i]);
    const [a, b] = [piece.places[i], piece.places[i + 1]];
    return { place: [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share], known: true };
  }

  function gapAt(walked, ms) {
    return walked.gaps.find((gap) => gap.from <= ms && ms < gap.to);
  }

  function explained(gap) {
    return `${data.reasons[gap.reason]} ${duration(gap.to - gap.from)}`;
  }

  function drawZones(map) {
    L.geoJSON(data.zones, {
      style: { color: "#6d28d9", weight: 2, dashArray: "8 4", fillOpacity: 0.06 },
      pointToLayer: (feature, at) => L.circle(at, { radius: Number(feature.properties.radius_m) || 1 }),
      onEachFeature: (feature, layer) => layer.bindTooltip(text(String((feature.properties || {}).name || data.words.zone))),
    }).addTo(map);
  }

  function drawTrack(map, walked, labelled) {
    for (const piece of walked.pieces) {
      const line = piece.places.length > 1
        ? L.polyline(piece.places, { color: walked.colour, weight: 4, opacity: 0.85 })
        : L.circleMarker(piece.places[0], { color: walked.colour, radius: 4 });
      const span = `${walked.name} · ${clock(piece.times[0])} – ${clock(piece.times[piece.times.length - 1])}`;
      line.bindTooltip(text(span), { sticky: true }).addTo(map);
    }
    for (let i = 1; i < walked.pieces.length; i++) {
      const before = walked.pieces[i - 1], after = walked.pieces[i], n = before.times.length - 1;
      const from = before.times[n], to = after.times[0];
      // What was back-filled goes on from what was not.
      if (from === to) continue;
      // More than one reason may lie between two pieces: all are named.
      const gaps = walked.gaps.filter((gap) => gap.from < to && gap.to > from);
      const words = (gaps.length ? gaps : [{ from, to, reason: "unknown" }]).map(explained).join(" / ");
      L.polyline([before.places[n], after.places[0]], GAP)
        .bindTooltip(text(words), labelled ? { permanent: true, className: "gap" } : { sticky: true }).addTo(map);
    }
    for (const stop of walked.stops) {
      L.circleMarker(stop.place, { color: walked.colour, radius: 8, weight: 2, fillColor: "#fff", fillOpacity: 0.7 })
        .bindTooltip(text(`${walked.name} · ${data.words.stops} ${duration(stop.to - stop.from)} · ${clock(stop.from)}`))
        .addTo(map);
    }
  }

  function drawHappenings(map) {
    for (const it of data.happenings) {
      const style = it.urgent ? { color: "#b91c1c", radius: 9 } : { color: "#1c1c1a", radius: 6 };
      L.circleMarker(it.place, { ...style, weight: 2, fillColor: "#fde047", fillOpacity: 0.9 })
        .bindTooltip(text([clock(it.at), it.who, it.text].filter(Boolean).join(" · "))).addTo(map);
    }
  }

  function heads(map) {
    return data.walked.map((walked) => L.circleMarker([0, 0], { color: "#fff", weight: 2, radius: 8, fillOpacity: 1 })
      .bindTooltip(text(walked.name), { permanent: true, direction: "top", offset: [0, -8] }));
  }

  function moveHead(map, head, walked, ms) {
    const now = positionAt(walked, ms);
    if (now === null) { head.remove(); return; }
    const gap = now.known ? undefined : gapAt(walked, ms);
    const words = gap ? data.reasons[gap.reason] : data.words.nowhere;
    head.setLatLng(now.place).addTo(map);
    head.setStyle(now.known ? { fillColor: walked.colour, color: "#fff" } : { fillColor: "#fff", color: GAP.color });
    head.setTooltipContent(text(now.known ? walked.name : `${walked.name} · ${words}`));
  }

  // The next moment, in the direction of play, at which anybody is known to be somewhere.
  function afterGap(ms, forward) {
    const edges = data.walked.flatMap((walked) => walked.pieces.map((piece) => forward
      ? [piece.times[0], piece.times[piece.times.length - 1]] : [piece.times[piece.times.length - 1], piece.times[0]]));
    if (edges.some(([near, far]) => (near - ms) * (far - ms) <= 0)) return ms;
    const ahead = edges.map(([near]) => near).filter((at) => forward ? at > ms : at < ms);
    return ahead.length ? (forward ? Math.min(...ahead) : Math.max(...ahead)) : ms;
  }

  function run(map) {
    const [play, scrub, speed, skip] = ["play", "scrub", "speed", "skip"].map(byId);
    const markers = heads(map);
    const footage = window.xunluFootage(data.footage, document.querySelector("aside"), data.words);
    let now = data.start, playing = false, drawnAt = 0, shownAt = 0;

    function show() {
      markers.forEach((head, i) => moveHead(map, head, data.walked[i], now));
      scrub.value = String(now);
      byId("clock").textContent = clock(now);
      scrub.setAttribute("aria-valuetext", clock(now));
      footage.follow(now, playing ? Number(speed.value) : 0);
    }

    function go(ms) {
      now = Math.min(data.end, Math.max(data.start, ms));
      show();
    }

    function setPlaying(on) {
      playing = on;
      play.textContent = on ? data.words.pause : data.words.play;
      play.setAttribute("aria-pressed", String(on));
      drawnAt = performance.now();
      footage.follow(now, on ? Number(speed.value) : 0);
      if (on) requestAnimationFrame(frame);
    }

    function frame(at) {
      if (!playing) return;
      const rate = Number(speed.value);
      now = Math.min(data.end, Math.max(data.start, now + (at - drawnAt) * rate));
      if (skip.checked) now = afterGap(now, rate > 0);
      drawnAt = at;
      if (at - shownAt > SHOW_MS) { shownAt = at; show(); }
      if (rate > 0 ? now >= data.end : now <= data.start) { show(); setPlaying(false); return; }
      requestAnimationFrame(frame);
    }

    play.addEventListener("click", () => {
      if (!playing && Number(speed.value) > 0 && now >= data.end) go(data.start);
      setPlaying(!playing);
    });
    scrub.addEventListener("input", () => go(Number(scrub.value)));
    document.addEventListener("click", (event) => {
      const target = event.target instanceof Element ? event.target.closest("[data-at]") : null;
      if (target) go(Number(target.getAttribute("data-at")));
    });
    document.addEventListener("keydown", (event) => {
      const busy = event.target instanceof Element && event.target.closest("button, input, select, summary, a");
      if (event.key === " " && !busy) { event.preventDefault(); play.click(); }
    });
    [scrub.min, scrub.max] = [String(data.start), String(data.end)];
    setPlaying(false);
    show();
  }

  window.xunluPlayback = function (map) {
    for (const walked of data.walked) walked.begins = walked.pieces.map((piece) => piece.times[0]);
    const gaps = data.walked.reduce((sum, walked) => sum + walked.pieces.length, 0) - data.walked.length;
    drawZones(map);
    for (const walked of data.walked) drawTrack(map, walked, gaps <= GAP_LABELS_MAX);
    drawHappenings(map);
    if (data.start === null) byId("controls").hidden = true; else run(map);
  };
})();
