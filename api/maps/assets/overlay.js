/* One canvas above the tiles: routes, stops, badges and labels, painted anew after each move.
   A scene is what one painting knows: pen, view, which team is in focus, which boxes are taken. */

const ROUTE_WIDTH = [1.8, 2.2, 2.7, 3.4, 4.2, 5.2];      // at z11..16
const PIN_ZOOM = 13, MAX_PINNED = 60;                                   // beyond, pins at the frame would hide it

class Scene {
  constructor(g, map, bounds) {
    this.g = g;
    this.map = map;
    this.bounds = bounds;
    this.zoom = map.getZoom();
    this.scale = 2 ** this.zoom * TILE;
    this.origin = map.getPixelOrigin();
    const { min, max } = bounds;
    this.box = [min.x + this.origin.x, min.y + this.origin.y, max.x + this.origin.x, max.y + this.origin.y].map(v => v / this.scale);
    this.focus = state.team >= 0 ? state.team : state.hover;
    this.view = L.bounds(map.containerPointToLayerPoint([0, 0]), map.containerPointToLayerPoint(map.getSize()));
    this.teams = D.teams.filter(t => this.focus < 0 || t.i === this.focus);
    this.routed = shown.routes ? this.teams : [];       // whose route, stops and badge are drawn
    this.boxes = [];
    this.hits = [];
  }
  point(x, y) {
    return [x * this.scale - this.origin.x, y * this.scale - this.origin.y];
  }
  at(lat, lon) {
    return this.point(mercatorX(lon), mercatorY(lat));
  }
  place(row) {
    const [, lat, lon] = D.places[row];
    return this.at(lat, lon);
  }
  /* Whether a Mercator box comes into the painting. */
  meets(box) {
    return box[2] >= this.box[0] && box[0] <= this.box[2] && box[3] >= this.box[1] && box[1] <= this.box[3];
  }
  sees(p) {
    return this.bounds.contains(p);
  }
  take(x, y, halfWidth, halfHeight) {
    this.boxes.push([x, y, halfWidth, halfHeight]);
  }
  free(x, y, halfWidth, halfHeight) {
    return this.boxes.every(b => Math.abs(b[0] - x) >= b[2] + halfWidth || Math.abs(b[1] - y) >= b[3] + halfHeight);
  }
  hit(x, y, radius, team, stop) {
    this.hits.push({ x, y, radius, team, stop });
  }
}

const Overlay = L.Renderer.extend({
  options: { padding: .12, pane: 'overlay' },
  initialize() {
    L.Util.setOptions(this, {});
    L.Util.stamp(this);
    this._layers = {};
    this.hits = [];
    this.heads = [];
  },
  _initContainer() {
    this._container = element('canvas');
    this._container.style.pointerEvents = 'none';
    this._container.setAttribute('aria-hidden', 'true');
  },
  _update() {
    if (this._map._animatingZoom && this._bounds) return;
    L.Renderer.prototype._update.call(this);
    const size = this._bounds.getSize(), canvas = this._container;
    L.DomUtil.setPosition(canvas, this._bounds.min);
    canvas.style.width = size.x + 'px';
    canvas.style.height = size.y + 'px';
    this._ctx = sizeCanvas(canvas, size.x, size.y);
    this.paint();
  },
  paint() {
    if (!this._map || !this._bounds) return;
    const g = this._ctx, k = density(), { min } = this._bounds;
    g.setTransform(1, 0, 0, 1, 0, 0);
    g.clearRect(0, 0, this._container.width, this._container.height);
    g.setTransform(k, 0, 0, k, -min.x * k, -min.y * k);
    const scene = new Scene(g, this._map, this._bounds);
    drawRoutes(scene);
    drawStops(scene);
    drawMarks(scene);
    this.heads = drawBadges(scene);
    drawArrivals(scene);
    drawLabels(scene);
    this.hits = scene.hits;
  },
  /* What was drawn nearest under a click. */
  hit(latlng) {
    const p = this._map.latLngToLayerPoint(latlng);
    let best = null, nearest = Infinity;
    for (const h of this.hits) {
      const d = Math.hypot(h.x - p.x, h.y - p.y);
      if (d <= h.radius && d < nearest) {
        nearest = d;
        best = h;
      }
    }
    return best;
  },
});

/* ---- routes ---- */

const MANY_TEAMS = 30;
const routeWidth = zoom => ROUTE_WIDTH[Math.max(0, Math.min(5, zoom - 11))] * (zoom < 14 && D.teams.length > MANY_TEAMS ? .8 : 1);

function strokeLine(g, line, width, color, alpha = 1, dash = []) {
  if (line.length < 2) return;
  g.beginPath();
  line.forEach((p, i) => g[i ? 'lineTo' : 'moveTo'](p[0], p[1]));
  g.globalAlpha = alpha;
  g.strokeStyle = color;
  g.lineWidth = width;
  g.lineCap = g.lineJoin = 'round';
  g.setLineDash(dash.map(v => v * width));
  g.stroke();
  g.setLineDash([]);
  g.globalAlpha = 1;
}

/* A team's legs on screen; kept until zoom or selection changes, so that the slider only strokes. */
function screenLegs(scene, team) {
  const mine = team.i === scene.focus, base = routeWidth(scene.zoom), width = mine ? base + 1.6 : base;
  const gap = mine ? width + 1.5 : Math.min(width + 1, scene.zoom < 13 ? 2.4 : 6);
  const key = [scene.zoom, scene.origin.x, scene.origin.y, mine].join();
  if (team.drawn?.key !== key) {
    team.drawn = { key, width, lines: team.legs.map(leg => offsetLine(leg.xy, mine ? leg.own : leg.among, gap, scene.scale, scene.origin)) };
  }
  return team.drawn;
}

/* What is behind and ahead of the planned minute on one leg. */
function splitLeg(leg, line) {
  if (state.now == null || state.now <= leg.depart) return [[], line];
  if (state.now >= leg.arrive) return [line, []];
  return cutLine(line, (state.now - leg.depart) / (leg.arrive - leg.depart));
}

function drawRoutes(scene) {
  if (!shown.routes) return;
  const { g, focus, zoom } = scene;
  const order = [...D.teams].sort((a, b) => (a.i === focus) - (b.i === focus));
  for (const team of order) {
    const { lines, width } = screenLegs(scene, team), mine = team.i === focus, color = C.hues[team.hue];
    if (focus >= 0 && !mine) {
      lines.forEach((line, k) => { if (scene.meets(team.legs[k].box)) strokeLine(g, line, 1.4, color, .22); });
      continue;
    }
    const parts = lines.map((line, k) => (scene.meets(team.legs[k].box) ? splitLeg(team.legs[k], line) : [[], []]));
    for (const [, ahead] of parts) strokeLine(g, ahead, width + 2.4, C.casing, mine ? 1 : .9);
    for (const [behind, ahead] of parts) {
      strokeLine(g, behind, Math.max(1.2, width * .55), color, mine ? .75 : .4);
      strokeLine(g, ahead, width, color, 1, DASHES[team.dash]);
    }
    if (mine && zoom >= 13 || zoom >= 15) for (const [, ahead] of parts) drawArrows(g, ahead, width, mine ? 80 : 130);
  }
}

function drawArrows(g, line, width, every) {
  let left = every / 2;
  for (let i = 1; i < line.length; i++) {
    const [ax, ay] = line[i - 1], dx = line[i][0] - ax, dy = line[i][1] - ay, d = Math.hypot(dx, dy);
    if (d < 1) continue;
    for (; left < d; left += every) {
      g.save();
      g.translate(ax + dx * left / d, ay + dy * left / d);
      g.rotate(Math.atan2(dy, dx));
      polygon(g, 0, 0, [[width * 1.15, 0], [-width * .75, width], [-width * .25, 0], [-width * .75, -width]]);
      g.fillStyle = C.casing;
      g.strokeStyle = C.ink;
      g.lineWidth = .9;
      g.fill();
      g.stroke();
      g.restore();
    }
    left -= d;
  }
}

/* ---- badges: where each team stands, moved aside when they collide, pinned when out of view ---- */

const AROUND = [1, 2, 3.1].flatMap(k => [-90, 90, 0, 180, -45, -135, 45, 135].map(degrees => {
  const a = degrees * Math.PI / 180;
  return [Math.cos(a) * k * (degrees % 90 ? 1.2 : 1.1), Math.sin(a) * k * (degrees % 90 ? 1.35 : 1.15)];
}));
const ALONG_FRAME = [[0, 0], [0, 26], [0, -26], [36, 0], [-36, 0], [0, 52], [0, -52], [72, 0], [-72, 0], [0, 78], [0, -78], [108, 0], [-108, 0], [0, 104], [0, -104], [36, 26], [36, -26]];

/* The planned place at the chosen minute; of the whole night, the first stop on site. */
function teamPoint(scene, team) {
  const lines = team.drawn.lines;
  const on = (k, fraction) => (lines[k]?.length > 1 ? cutLine(lines[k], fraction)[2] : null);
  const near = (k, fraction) => {                        // a leg without a path stands where its neighbour ends
    let p = on(k, fraction);
    for (let step = 1; !p && step < lines.length; step++) p = on(k - step, 1) || on(k + step, 0);
    return p || scene.place(team.stops[0].place);
  };
  if (state.now == null) return team.i === state.team ? near(0, 0) : near(Math.max(0, team.stops.findIndex(s => s.kind === STOP)), 1);
  for (let k = 0; k < team.legs.length; k++) {
    const leg = team.legs[k];
    if (state.now <= leg.depart) return k ? near(k - 1, 1) : near(0, 0);
    if (state.now < leg.arrive) return near(k, (state.now - leg.depart) / (leg.arrive - leg.depart));
  }
  return near(team.legs.length - 1, 1);
}

/* Out of view, or under the legend. */
function isHidden(scene, p) {
  const { view } = scene, legend = byId('legend');
  if (!view.contains(p)) return true;
  const credit = byId('credit').offsetHeight;
  return !isPhone() && p[0] < view.min.x + 250 && p[1] > view.max.y - legend.offsetHeight - credit - 14 && !legend.classList.contains('shut');
}
/* The lowest line a badge may stand on: above the credits, and on a phone above the sheet's edge. */
const frameFloor = scene => scene.view.max.y - byId('credit').offsetHeight - (isPhone() ? 32 : 18);
/* A place on the frame for a hidden team, clear of legend, clock and tools. */
function onFrame(scene, p) {
  const { min, max } = scene.view, legend = byId('legend');
  let x = Math.max(min.x + 24, Math.min(max.x - 78, p[0])), y = Math.max(min.y + 20, Math.min(frameFloor(scene) - 8, p[1]));
  if (!isPhone() && x < min.x + 264 && y > max.y - legend.offsetHeight - 54) x = min.x + 278;
  if (isPhone() && y < min.y + 84 && x < min.x + 130) y = min.y + 96;
  return [x, y];
}

function placeBadge(scene, team) {
  const p = teamPoint(scene, team), big = team.i === state.team;
  const many = D.teams.length > MAX_PINNED && scene.zoom < 12;
  const size = team.i === scene.focus ? 1.15 : many ? .7 : scene.zoom < 12 ? .85 : 1, halfWidth = 16 * size, halfHeight = 12 * size;
  const out = isHidden(scene, p);
  if (out && (scene.zoom > Math.max(PIN_ZOOM, state.overview) || scene.focus >= 0 || D.teams.length > MAX_PINNED)) return null;
  const [x, y] = out ? onFrame(scene, p) : p;
  const tries = out ? ALONG_FRAME : AROUND.map(([dx, dy]) => [dx * (halfWidth + (big ? 14 : 7)), dy * (halfHeight + (big ? 14 : 6))]);
  const { min, max } = scene.view;
  const inside = ([dx, dy]) => y + dy > min.y + 14 && y + dy < frameFloor(scene) && x + dx > min.x + 18 && x + dx < max.x - (out ? 66 : 20);
  const shift = tries.find(t => inside(t) && scene.free(x + t[0], y + t[1], halfWidth, halfHeight));
  if (out && !shift && isPhone()) return null;           // a full frame: the list still has the team
  const at = shift ? [x + shift[0], y + shift[1]] : out ? [x, y] : [x, y - halfHeight - 6];
  scene.take(at[0], at[1], halfWidth, halfHeight);
  return { team, from: p, at, size, out };
}

function drawBadges(scene) {
  const { g } = scene, heads = scene.routed.map(team => placeBadge(scene, team)).filter(Boolean);
  for (const head of heads) {
    if (head.out) drawPointer(g, head);
    else if (head.team.i === state.team) drawLeader(g, head, C.ink, true);
    else drawLeader(g, head, C.hues[head.team.hue], false);
  }
  for (const { team, at, size } of heads) {
    drawBadge(g, at[0], at[1], team, size);
    scene.hit(at[0], at[1], 18, team.i, -1);
  }
  return heads;
}
function drawPointer(g, { team, from, at }) {
  const a = Math.atan2(from[1] - at[1], from[0] - at[0]);
  g.save();
  g.translate(at[0] + Math.cos(a) * 23, at[1] + Math.sin(a) * 17);
  g.rotate(a);
  polygon(g, 0, 0, [[7, 0], [-3, -6], [-3, 6]]);
  g.fillStyle = C.hues[team.hue];
  g.strokeStyle = C.casing;
  g.lineWidth = 1.5;
  g.stroke();
  g.fill();
  g.restore();
}
function drawLeader(g, { from, at }, color, ring) {
  const d = Math.hypot(at[0] - from[0], at[1] - from[1]) || 1, skip = ring && state.now != null ? Math.min(1, 13 / d) : 0;
  const start = [from[0] + (at[0] - from[0]) * skip, from[1] + (at[1] - from[1]) * skip];
  strokeLine(g, [start, at], ring ? 5 : 4, C.casing);
  strokeLine(g, [start, at], ring ? 3 : 2, color);
  g.beginPath();
  if (ring && state.now != null) {
    g.arc(from[0], from[1], 15, 0, 7);
    for (const [width, ink] of [[6, C.casing], [3, color]]) {
      g.lineWidth = width;
      g.strokeStyle = ink;
      g.stroke();
    }
    return;
  }
  g.arc(from[0], from[1], state.now == null ? 3 : 5, 0, 7);
  g.fillStyle = color;
  g.fill();
  g.lineWidth = 1.5;
  g.strokeStyle = C.casing;
  g.stroke();
}
