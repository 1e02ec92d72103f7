/* Ways of teams side by side: each (team, direction) of a street has a lane of its own on the right of
   its direction, so that no team hides another and there and back are two lines; arrows tell which way. */

const MAX_SIDE = 24;                                     // px: lanes of a street never stray farther than this in all
const MAX_ARROWS = 600;
const laneOf = zoom => (zoom < 13 ? { width: 3, step: 2.4 } : zoom < 15 ? { width: 4, step: 5 } : { width: 6, step: 7 });

const laneId = (team, isAlong) => 2 * team + (isAlong ? 1 : 0);
function pieceOf(a, b) {
  const p = a.join(), q = b.join();
  return p < q ? { key: p + '|' + q, isAlong: true } : { key: q + '|' + p, isAlong: false };
}
/* Which lanes each piece of street has, from left to right as seen along it. */
function countLanes(ways) {
  const lanes = new Map();
  for (const { team, line } of ways) {
    for (let k = 1; k < line.length; k++) {
      const { key, isAlong } = pieceOf(line[k - 1], line[k]), id = laneId(team, isAlong);
      const ids = lanes.get(key);
      if (!ids) lanes.set(key, [id]);
      else if (!ids.includes(id)) ids.push(id);
    }
  }
  for (const ids of lanes.values()) ids.sort((a, b) => a % 2 - b % 2 || a - b);
  return lanes;
}
/* Pixels to the right of the direction of travel. */
function sideOf(a, b, team, lanes, step) {
  const { key, isAlong } = pieceOf(a, b), ids = lanes.get(key);
  const across = (ids.indexOf(laneId(team, isAlong)) - (ids.length - 1) / 2) * Math.min(step, MAX_SIDE / ids.length);
  return isAlong ? across : -across;
}
/* A line moved into its lanes, in pixels of the map's zoom; corners are cut where a lane ends or the way turns back. */
function inLanes(line, team, lanes, step) {
  const out = [];
  let before = null;
  for (let k = 1; k < line.length; k++) {
    const p = map.project(line[k - 1]), q = map.project(line[k]), length = Math.hypot(q.x - p.x, q.y - p.y);
    if (!length) continue;
    const side = sideOf(line[k - 1], line[k], team, lanes, step);
    const now = { x: -(q.y - p.y) / length, y: (q.x - p.x) / length, side };
    const bend = before && { x: before.x + now.x, y: before.y + now.y };
    const size = bend && (bend.x ** 2 + bend.y ** 2) / 2;
    if (before && Math.abs(before.side - side) < .5 && size > .5) {
      out.pop();
      out.push(L.point(p.x + bend.x / size * side, p.y + bend.y / size * side));
    } else {
      out.push(L.point(p.x + now.x * side, p.y + now.y * side));
    }
    out.push(L.point(q.x + now.x * side, q.y + now.y * side));
    before = now;
  }
  return out;
}
const onMap = points => points.map(p => map.unproject(p));

/* Points along a line in pixels, `gap` apart and one at least where there is room for it. */
function arrowsAlong(points, gap) {
  const at = [];
  let whole = 0;
  for (let k = 1; k < points.length; k++) whole += points[k].distanceTo(points[k - 1]);
  if (whole < 24) return at;
  const n = Math.max(1, Math.round(whole / gap));
  let next = whole / n / 2, gone = 0;
  for (let k = 1; k < points.length && at.length < n; k++) {
    const p = points[k - 1], q = points[k], length = q.distanceTo(p);
    for (; length && next <= gone + length && at.length < n; next += whole / n) {
      const t = (next - gone) / length;
      at.push({ x: p.x + (q.x - p.x) * t, y: p.y + (q.y - p.y) * t, dx: (q.x - p.x) / length, dy: (q.y - p.y) / length });
    }
    gone += length;
  }
  return at;
}
/* A chevron that opens backwards. */
const chevron = ({ x, y, dx, dy }, r) => onMap([
  L.point(x - dx * r - dy * r, y - dy * r + dx * r),
  L.point(x + dx * r * .6, y + dy * r * .6),
  L.point(x - dx * r + dy * r, y - dy * r - dx * r),
]);
