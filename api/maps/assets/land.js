/* The base map on canvas tiles: land, built-up, statistic, density, water, streets, grids, borders. */

const TILE = 256;
const WATER_AREA = 0, WATER_LINE = 1, BUILT = 2;
const COUNTY = 0, TOWNSHIP = 1, VILLAGE = 2;

/* expressway, arterial, collector, lane, rural, path: first zoom and width there (look, section 5) */
const STREET_ZOOM = [8, 10, 12, 13, 9, 16];
const STREET_WIDTH = [1.6, 1.2, .9, .6, .8, .6];
const RURAL = 4, STREET_LAYERS = [5, 4, 3, 2, 1, 0];
const streetWidth = (kind, zoom) => STREET_WIDTH[kind] * 1.34 ** Math.max(0, zoom - STREET_ZOOM[kind]);
const villageWidth = zoom => (zoom < 15 ? 1.6 : 5);
const STREET_SKIN = [0, 1, 2, 3, 2, 3];                  // which road colour a class wears

/* What is switched on; the layer list writes here. */
const shown = {
  routes: true, stops: true, unserved: true, stations: true,
  tiers: [true, false, false], kinds: Array(9).fill(true), late: false,
  density: true, cells: true, villages: false, townships: true, share: false,
};

const DENSITY_INK = [.08, .09, .11];
const densityAlpha = (row, zoom) => DENSITY_INK[row] * C.strength * (zoom < 14 ? 1 : zoom < 16 ? .6 : .38);
const SHARE_STEPS = [3, 6, 9, 12];                       // per cent overdue between colours c0..c4
const shareStep = (n, N) => SHARE_STEPS.filter(limit => 100 * n / N >= limit).length;
const shareAlpha = () => (shown.routes && D.teams ? .55 : .9);

/* Lines by square of zoom 12, so that a tile touches only what is near; long lines apart. */
class LineIndex {
  constructor(lines) {
    this.squares = new Map();
    this.long = [];
    this.all = lines;
    for (const line of lines) {
      const [x0, y0, x1, y1] = line.box.map(v => Math.floor(v * 4096));
      if ((x1 - x0 + 1) * (y1 - y0 + 1) > 9) this.long.push(line);
      else for (let x = x0; x <= x1; x++) for (let y = y0; y <= y1; y++) this.square(x, y).push(line);
    }
  }
  square(x, y) {
    const key = y * 4096 + x;
    let list = this.squares.get(key);
    if (!list) this.squares.set(key, list = []);
    return list;
  }
  /* Every line whose box meets [x0, y0, x1, y1], once. */
  within(box) {
    const meets = l => l.box[2] >= box[0] && l.box[0] <= box[2] && l.box[3] >= box[1] && l.box[1] <= box[3];
    if (box[2] - box[0] > 8 / 4096) return this.all.filter(meets);
    const found = new Set(this.long.filter(meets));
    for (let x = Math.floor(box[0] * 4096); x <= Math.floor(box[2] * 4096); x++) {
      for (let y = Math.floor(box[1] * 4096); y <= Math.floor(box[3] * 4096); y++) {
        for (const line of this.squares.get(y * 4096 + x) || []) if (meets(line)) found.add(line);
      }
    }
    return [...found];
  }
}

const groupBy = (lines, k, n) => {
  const groups = Array.from({ length: n }, () => []);
  for (const line of lines) groups[line.head[k]].push(line);
  return groups;
};
function decodeLand() {
  const streets = readLines(D.streets.lines, 2, D.lattice);
  const land = {
    streets: groupBy(streets, 0, 6).map(lines => new LineIndex(lines)),
    areas: groupBy(readLines(D.areas, 1, D.lattice), 0, 3).map(lines => new LineIndex(lines)),
    borders: groupBy(readLines(D.borders, 1, D.lattice), 0, 3).map(lines => new LineIndex(lines)),
    density: D.density ? groupBy(readLines(D.density.rings, 1, D.lattice), 0, 3).map(lines => new LineIndex(lines)) : [],
    townships: D.townships ? readLines(D.townships.rings, 1, D.lattice) : [],
    cells: new LineIndex(D.cells ? readLines(D.cells.rings, 0, D.lattice) : []),
  };
  land.cells.all.forEach((line, i) => { line.row = i; });
  return land;
}

/* One tile's pen: scales 0..1 to its pixels and leaves out points that move less than 0.7 px. */
class TilePen {
  constructor(canvas, coords) {
    const n = 2 ** coords.z, margin = .08;
    this.g = sizeCanvas(canvas, TILE, TILE);
    this.zoom = coords.z;
    this.scale = n * TILE;
    this.left = coords.x * TILE;
    this.top = coords.y * TILE;
    this.box = [(coords.x - margin) / n, (coords.y - margin) / n, (coords.x + 1 + margin) / n, (coords.y + 1 + margin) / n];
  }
  trace(xy, close) {
    const { g, scale, left, top } = this;
    let lastX = Infinity, lastY = Infinity;
    for (let i = 0; i < xy.length; i += 2) {
      const x = xy[i] * scale - left, y = xy[i + 1] * scale - top;
      if (i === 0) g.moveTo(x, y);
      else if (Math.abs(x - lastX) + Math.abs(y - lastY) > .7 || i === xy.length - 2) g.lineTo(x, y);
      else continue;
      lastX = x;
      lastY = y;
    }
    if (close) g.closePath();
  }
  path(index, close) {
    this.g.beginPath();
    for (const line of index.within(this.box)) this.trace(line.xy, close);
  }
  fill(index, color, alpha = 1) {
    this.path(index, true);
    this.g.globalAlpha = alpha;
    this.g.fillStyle = color;
    this.g.fill();
    this.g.globalAlpha = 1;
  }
  stroke(index, color, width, dash = []) {
    this.path(index, false);
    this.g.setLineDash(dash);
    this.g.strokeStyle = color;
    this.g.lineWidth = width;
    this.g.stroke();
    this.g.setLineDash([]);
  }
}

const LandLayer = L.GridLayer.extend({
  options: { updateWhenZooming: false, keepBuffer: 2 },
  initialize(land) {
    L.Util.setOptions(this, {});
    this.land = land;
  },
  createTile(coords) {
    const tile = element('canvas'), pen = new TilePen(tile, coords), { land } = this, z = coords.z;
    pen.g.fillStyle = C.land;
    pen.g.fillRect(0, 0, TILE, TILE);
    pen.g.lineJoin = pen.g.lineCap = 'round';
    pen.fill(land.areas[BUILT], C.built);
    if (shown.share && z < 12) this.drawShare(pen);
    if (shown.density) land.density.forEach((areas, row) => pen.fill(areas, C.dens, densityAlpha(row, z)));
    pen.fill(land.areas[WATER_AREA], C.water);
    pen.stroke(land.areas[WATER_LINE], C.water, Math.max(1, 2.6 * 1.34 ** (z - 13)));
    this.drawSmallAreas(pen);
    this.drawStreets(pen);
    this.drawBorders(pen);
    return tile;
  },
  drawShare(pen) {
    for (const ring of this.land.townships) {
      const [n, N] = D.townships.overdue[ring.head[0]];
      if (!N) continue;
      pen.g.beginPath();
      pen.trace(ring.xy, true);
      pen.g.fillStyle = C['c' + shareStep(n, N)];
      pen.g.globalAlpha = shareAlpha();
      pen.g.fill();
      pen.g.globalAlpha = 1;
    }
  },
  drawStreets(pen) {
    const { land } = this, z = pen.zoom, kinds = STREET_LAYERS.filter(kind => z >= STREET_ZOOM[kind]);
    if (z >= 13) {
      for (const kind of kinds) {
        pen.stroke(land.streets[kind], C.cases[STREET_SKIN[kind]], streetWidth(kind, z) + (z < 15 ? 1 : 1.6));
      }
    }
    for (const kind of kinds) {
      const skin = STREET_SKIN[kind], thin = kind === RURAL ? z < 14 : z < 13;
      const color = !thin ? C.roads[skin] : kind === RURAL ? C.rural : C.thins[skin];
      pen.stroke(land.streets[kind], color, streetWidth(kind, z));
    }
  },
  /* Basic grids and villages follow the streets, so they lie under them: a village as a band beside. */
  drawSmallAreas(pen) {
    const { land } = this, z = pen.zoom;
    if (shown.villages && z >= 11 || z >= 15) pen.stroke(land.borders[VILLAGE], C.bvillage, villageWidth(z));
    if (shown.cells && z >= 15) pen.stroke(land.cells, C.grid, z > 15 ? 1 : .8);
  },
  drawBorders(pen) {
    const { land } = this, z = pen.zoom;
    pen.g.lineCap = 'butt';
    if (shown.townships && z >= 9) pen.stroke(land.borders[TOWNSHIP], C.btown, z > 13 ? 2 : 1.2, [8, 3]);
    pen.stroke(land.borders[COUNTY], C.bcounty, 2.4, [12, 3, 2, 3]);
  },
});

/* The basic grid under a point, by crossing its ring; -1 outside all. */
function cellAt(cells, lon, lat) {
  const x = mercatorX(lon), y = mercatorY(lat);
  const inside = ({ xy }) => {
    let odd = false;
    for (let i = 0, j = xy.length - 2; i < xy.length; j = i, i += 2) {
      if (xy[i + 1] > y !== xy[j + 1] > y && x < (xy[j] - xy[i]) * (y - xy[i + 1]) / (xy[j + 1] - xy[i + 1]) + xy[i]) odd = !odd;
    }
    return odd;
  };
  const hit = cells.within([x, y, x, y]).find(inside);
  return hit ? hit.row : -1;
}
