/* Stops as numbered discs, posts and pairs, unserved places, stations, and time tags. */

const isMust = stop => stop.kind === POST || stop.kind === PAIR;

function drawStops(scene) {
  for (const team of scene.teams) {                      // posts and pairs claim their place first
    for (const stop of team.stops) if (isMust(stop)) scene.take(...scene.place(stop.place), 16, 12);
  }
  const discs = [];
  scene.discAt = new Map();
  for (const team of scene.routed) {
    for (const visits of visitsByPlace(team)) layDisc(scene, team, visits, discs);
  }
  for (const draw of discs) draw();                      // discs over leaders
}
function visitsByPlace(team) {
  const byPlace = new Map();
  team.stops.forEach((stop, row) => {
    if (stop.kind === BREAK) return;
    if (!byPlace.has(stop.place)) byPlace.set(stop.place, []);
    byPlace.get(stop.place).push(row);
  });
  return byPlace.values();
}

/* One disc for all visits of a team to a place: `3·11`; in the overview a dot. */
function layDisc(scene, team, rows, discs) {
  const { g, zoom } = scene, first = team.stops[rows[0]], last = team.stops[rows[rows.length - 1]];
  let p = scene.place(first.place);
  if (!scene.sees(p)) return;
  const mine = team.i === scene.focus, numbered = mine || shown.stops && zoom >= 15;
  const r = mine ? (zoom < 14 ? 9 : 11) : zoom < 13 ? 2.3 : zoom < 15 ? 3.4 : 9;
  scene.hit(p[0], p[1], Math.max(r, 8) + 4, team.i, rows[0]);
  if (first.kind !== STOP) return;
  const text = rows.map(row => team.stops[row].no).join('·'), size = r > 10 ? 12 : 11;
  g.font = `700 ${size}px ${FONT}`;
  const half = numbered ? Math.max(r, g.measureText(text).width / 2 + 5) : r;
  if (mine && numbered && !scene.free(p[0], p[1], half * .5, r * .5)) p = moveAside(scene, team, p, half, r, rows[0]);
  if (mine) scene.discAt.set(rows[0], p);
  if (numbered) scene.take(p[0], p[1], half + 2, r + 2);
  const past = state.now != null && last.depart <= state.now;
  discs.push(() => drawDisc(g, p, half, r, C.hues[team.hue], numbered ? text : '', size, past, mine));
}
/* Discs that would overlap by more than half a radius move aside on a leader. */
function moveAside(scene, team, p, half, r, row) {
  const spots = AROUND.map(([dx, dy]) => [p[0] + dx * (half + 3), p[1] + dy * (r + 3)]);
  const spot = spots.find(s => scene.free(s[0], s[1], half, r));
  if (!spot) return p;
  const { g } = scene;
  strokeLine(g, [p, spot], 4, C.casing);
  strokeLine(g, [p, spot], 1.8, C.hues[team.hue]);
  g.beginPath();
  g.arc(p[0], p[1], 3, 0, 7);
  g.fillStyle = C.hues[team.hue];
  g.fill();
  scene.hit(spot[0], spot[1], 14, team.i, row);
  return spot;
}
function drawDisc(g, [x, y], half, r, color, text, size, past, mine) {
  g.beginPath();
  if (half > r) {
    g.arc(x - half + r, y, r, Math.PI / 2, -Math.PI / 2);
    g.arc(x + half - r, y, r, -Math.PI / 2, Math.PI / 2);
    g.closePath();
  } else g.arc(x, y, r, 0, 7);
  g.globalAlpha = past && !mine ? .6 : 1;
  g.fillStyle = past && text ? C.panel2 : C.panel;
  g.fill();
  g.lineWidth = text ? 2.4 : 1.5;
  g.strokeStyle = color;
  g.stroke();
  g.globalAlpha = 1;
  if (!text) return;
  g.fillStyle = past ? C.ink2 : C.ink;
  center(g, text, x, y + 1, size);
}

/* Many diamonds are drawn smaller, so that they stay marks and do not become the picture. */
const MANY_UNSERVED = 40;
const unservedRadius = zoom => (zoom >= 15 ? 12 : D.unserved.length > MANY_UNSERVED ? (zoom < 13 ? 3.6 : 5) : zoom < 13 ? 6 : 8);

/* Posts, pairs, unserved places, stations. */
function drawMarks(scene) {
  const { g, zoom, focus } = scene, small = zoom < 12 && focus < 0, drawn = new Set();
  for (const team of scene.teams) {
    team.stops.forEach((stop, row) => {
      const p = scene.place(stop.place);
      if (!isMust(stop) || !scene.sees(p) || drawn.has(stop.place)) return;
      drawn.add(stop.place);                             // a pair's two teams share one mark
      (stop.kind === POST ? drawPost : drawPair)(g, p[0], p[1], small ? 7 : 10);
      scene.take(p[0], p[1], 16, 12);
      scene.hit(p[0], p[1], 14, team.i, row);
      if (!small) drawTag(scene, p, clock(stop.arrive), [[0, 22], [0, -22]]);
    });
  }
  if (shown.unserved) D.unserved.forEach(([place], row) => {
    const p = scene.place(place);
    if (!scene.sees(p)) return;
    g.globalAlpha = focus >= 0 ? .5 : 1;
    drawUnserved(g, p[0], p[1], unservedRadius(zoom));
    g.globalAlpha = 1;
    scene.take(p[0], p[1], 10, 10);
    scene.hit(p[0], p[1], 12, -1, row);
  });
  if (shown.stations && zoom >= 11) D.stations.forEach(([, lat, lon], row) => {
    const p = scene.at(lat, lon), r = zoom < 13 ? 5 : 8;
    if (!scene.sees(p) || focus >= 0 && zoom < 13 && D.teams[focus].station !== row) return;
    drawStation(g, p[0], p[1], r);
    scene.take(p[0], p[1], r + 2, r + 3);
    scene.hit(p[0], p[1], r + 4, -2, row);
  });
}

/* Planned arrivals of the selected team beside its discs. */
function drawArrivals(scene) {
  if (scene.focus < 0 || scene.zoom < 13 || !shown.routes) return;
  D.teams[scene.focus].stops.forEach((stop, row) => {
    const p = scene.discAt.get(row);
    if (p && stop.kind === STOP && (state.now == null || stop.depart > state.now)) drawTag(scene, p, clock(stop.arrive), null);
  });
}
function drawTag(scene, [x, y], text, spots) {
  const { g } = scene;
  g.font = `600 12px ${FONT}`;
  const w = g.measureText(text).width / 2 + 4, h = 9;
  const beside = spots || [[w + 14, 0], [-w - 14, 0], [0, 21], [0, -21], [w + 12, 16], [w + 12, -16], [-w - 12, 16], [-w - 12, -16], [w + 26, 0], [-w - 26, 0]];
  const spot = beside.find(([dx, dy]) => scene.free(x + dx, y + dy, w, h));
  if (!spot) return;
  const cx = x + spot[0], cy = y + spot[1];
  scene.take(cx, cy, w, h);
  g.globalAlpha = .94;
  g.fillStyle = C.panel;
  g.fillRect(cx - w, cy - h, 2 * w, 2 * h);
  g.globalAlpha = 1;
  g.strokeStyle = C.line2;
  g.lineWidth = .8;
  g.strokeRect(cx - w, cy - h, 2 * w, 2 * h);
  g.fillStyle = C.ink;
  center(g, text, cx, cy + 1, 12, 600);
}
