/* Venues on canvas tiles: tier by shape and colour, red from z12, yellow z14, green z15. */

const TIER_ZOOM = [12, 14, 15];
const VENUE_RADIUS = [2.6, 3.1, 3.8, 4.6, 8.5, 10, 11];  // at z12..18
const OVERDUE = 0, NEVER = 3;                            // rows of geo.frames.DueState
const NO_DAY = -32768;
const KIND_COUNT = 9;
const SQUARE = 16384;                                    // venues are looked up by squares of zoom 14

const tierShows = (tier, zoom) => zoom >= TIER_ZOOM[tier];
const venueRadius = zoom => (zoom < 12 ? 0 : VENUE_RADIUS[Math.min(6, zoom - 12)]);

function decodeVenues() {
  const packed = D.venues;
  if (!packed) return null;
  const { n } = packed, pen = newPen(D.lattice);
  const venues = {
    n,
    xy: readPoints(reader(packed.at), n, pen).xy,
    tier: readColumn(packed.tier, n, Int8Array),
    kind: readColumn(packed.kind, n, Int8Array),
    state: readColumn(packed.state, n, Int8Array),
    due: readColumn(packed.due, n),
    planned: readColumn(packed.planned, n),
    cell: readColumn(packed.cell, n, Int32Array),
    name: readNames(packed.name, n),
    id: readNames(packed.id, n),
    squares: new Map(),
  };
  for (let i = 0; i < n; i++) {
    const key = Math.floor(venues.xy[2 * i + 1] * SQUARE) * SQUARE + Math.floor(venues.xy[2 * i] * SQUARE);
    if (!venues.squares.has(key)) venues.squares.set(key, []);
    venues.squares.get(key).push(i);
  }
  venues.total = [0, 0, 0];
  venues.late = 0;
  for (let i = 0; i < n; i++) {
    venues.total[venues.tier[i]]++;
    venues.late += venues.state[i] === OVERDUE;
  }
  return venues;
}

/* Switched on by tier, kind and "overdue only". */
const venueChosen = (venues, i) => shown.tiers[venues.tier[i]] && shown.kinds[venues.kind[i]] && (!shown.late || venues.state[i] === OVERDUE);

function eachVenue(venues, box, act) {
  for (let y = Math.floor(box[1] * SQUARE); y <= Math.floor(box[3] * SQUARE); y++) {
    for (let x = Math.floor(box[0] * SQUARE); x <= Math.floor(box[2] * SQUARE); x++) {
      for (const i of venues.squares.get(y * SQUARE + x) || []) if (venueChosen(venues, i)) act(i);
    }
  }
}

const VenueLayer = L.GridLayer.extend({
  options: { pane: 'venues', updateWhenZooming: false, keepBuffer: 1 },
  initialize(venues) {
    L.Util.setOptions(this, {});
    this.venues = venues;
  },
  createTile(coords) {
    const tile = element('canvas'), { venues } = this, r = venueRadius(coords.z);
    tile.width = tile.height = 1;
    if (!r || !shown.tiers.some(Boolean)) return tile;
    const n = 2 ** coords.z, edge = (2 * r + 4) / TILE, byTier = [[], [], []];
    const box = [(coords.x - edge) / n, (coords.y - edge) / n, (coords.x + 1 + edge) / n, (coords.y + 1 + edge) / n];
    eachVenue(venues, box, i => tierShows(venues.tier[i], coords.z) && byTier[venues.tier[i]].push(i));
    const g = sizeCanvas(tile, TILE, TILE), characters = say('kind.characters');
    g.globalAlpha = coords.z < 14 ? .85 : 1;
    for (const tier of [2, 1, 0]) {
      for (const i of byTier[tier]) {
        const x = (venues.xy[2 * i] * n - coords.x) * TILE, y = (venues.xy[2 * i + 1] * n - coords.y) * TILE;
        drawTier(g, x, y, r, tier, venues.state[i] === OVERDUE, characters[venues.kind[i]]);
      }
    }
    return tile;
  },
  /* The venue under a click, or -1. */
  hit(latlng, map) {
    const zoom = map.getZoom(), { venues } = this;
    if (zoom < 12) return -1;
    const scale = 2 ** zoom * TILE, p = map.project(latlng), reach = venueRadius(zoom) + (L.Browser.touch ? 12 : 5);
    let best = -1, nearest = reach * reach;
    eachVenue(venues, [(p.x - reach) / scale, (p.y - reach) / scale, (p.x + reach) / scale, (p.y + reach) / scale], i => {
      const d = (venues.xy[2 * i] * scale - p.x) ** 2 + (venues.xy[2 * i + 1] * scale - p.y) ** 2;
      if (d < nearest && tierShows(venues.tier[i], zoom)) {
        nearest = d;
        best = i;
      }
    });
    return best;
  },
});
const pointOf = (map, x, y) => map.unproject([x * TILE, y * TILE], 0);

/* Venues in view by tier, for the legend's n/N. */
function countInView(venues, bounds) {
  const box = [mercatorX(bounds.getWest()), mercatorY(bounds.getNorth()), mercatorX(bounds.getEast()), mercatorY(bounds.getSouth())];
  const seen = [0, 0, 0];
  eachVenue(venues, box, i => {
    const x = venues.xy[2 * i], y = venues.xy[2 * i + 1];
    if (x >= box[0] && x <= box[2] && y >= box[1] && y <= box[3]) seen[venues.tier[i]]++;
  });
  return seen;
}
