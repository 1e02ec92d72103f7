/* Packed columns back to arrays: base64 -> varint -> zigzag (api/maps/pack.py is the other half).
   Positions become Web Mercator in 0..1, which every drawing file scales by its zoom. */

const MAX_MERCATOR_LATITUDE = 85.0511;

function reader(text) {
  const bytes = Uint8Array.from(atob(text), c => c.charCodeAt(0));
  let at = 0;
  const next = () => {
    let value = 0, unit = 1, byte;
    do {
      byte = bytes[at++];
      value += (byte & 127) * unit;
      unit *= 128;
    } while (byte & 128);
    return value % 2 ? -(value + 1) / 2 : value / 2;
  };
  return { next, more: () => at < bytes.length };
}

const mercatorX = lon => (lon + 180) / 360;
function mercatorY(lat) {
  const s = Math.sin(Math.max(-MAX_MERCATOR_LATITUDE, Math.min(MAX_MERCATOR_LATITUDE, lat)) * Math.PI / 180);
  return .5 - Math.log((1 + s) / (1 - s)) / (4 * Math.PI);
}

/* The pen keeps its place from line to line. */
function newPen(lattice) {
  return { x: 0, y: 0, lattice };
}

function readPoints(source, n, pen) {
  const [lon0, lat0, step] = pen.lattice, xy = new Float64Array(2 * n);
  const box = [2, 2, -1, -1];
  for (let i = 0; i < n; i++) {
    pen.x += source.next();
    pen.y += source.next();
    const x = mercatorX(lon0 + pen.x * step), y = mercatorY(lat0 + pen.y * step);
    xy[2 * i] = x;
    xy[2 * i + 1] = y;
    if (x < box[0]) box[0] = x;
    if (y < box[1]) box[1] = y;
    if (x > box[2]) box[2] = x;
    if (y > box[3]) box[3] = y;
  }
  return { xy, box };
}

function readLines(text, nHead, lattice) {
  const source = reader(text), pen = newPen(lattice), lines = [];
  while (source.more()) {
    const head = [];
    for (let k = 0; k < nHead; k++) head.push(source.next());
    const line = readPoints(source, source.next(), pen);
    line.head = head;
    lines.push(line);
  }
  return lines;
}

function readColumn(text, n, Kind = Int16Array) {
  const source = reader(text), column = new Kind(n);
  for (let i = 0; i < n; i++) column[i] = source.next();
  return column;
}

/* Names: stem, digits, number per row; decoded one by one when somebody asks. */
function readNames(packed, n) {
  const table = readColumn(packed.rows, 3 * n, Int32Array);
  return i => {
    const digits = table[3 * i + 1];
    return packed.stems[table[3 * i]] + (digits ? String(table[3 * i + 2]).padStart(digits, '0') : '');
  };
}
