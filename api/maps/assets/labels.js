/* Names on the map. Marks claim their boxes first; a label that does not fit is left out. */

const STREET_LABEL_EVERY = 420, STREET_LABEL_FIRST = 140;
const ARTERIAL = 1, COLLECTOR = 2;
const streetLabelZoom = kind => (kind <= ARTERIAL ? 13 : kind === COLLECTOR ? 15 : kind === RURAL ? 14 : 17);

function drawLabels(scene) {
  const { g, zoom } = scene;
  g.lineJoin = 'round';
  for (const [text, lat, lon, level] of D.labels) {
    if (level === COUNTY && zoom > 10 || level === TOWNSHIP && (zoom < 10 || zoom > 14) || level === VILLAGE && zoom < 14) continue;
    const size = level === COUNTY ? 18 : level === TOWNSHIP ? 14 : 12;
    writeName(scene, text, scene.at(lat, lon), size, level < VILLAGE, level === VILLAGE ? C.label2 : C.label);
  }
  if (zoom >= 13) drawStreetNames(scene);
  if (shown.stations && zoom >= 14) {
    for (const [name, lat, lon] of D.stations) {
      const [x, y] = scene.at(lat, lon);
      writeName(scene, name, [x, y + 19], 12, true, C.label);
    }
  }
}
function writeName(scene, text, [x, y], size, bold, color) {
  if (!scene.sees([x, y])) return;
  const { g } = scene;
  g.font = `${bold ? 700 : 400} ${size}px ${FONT}`;
  const w = g.measureText(text).width / 2 + 3, h = size / 2 + 3;
  if (!scene.free(x, y, w, h)) return;
  scene.take(x, y, w, h);
  g.textAlign = 'center';
  g.textBaseline = 'middle';
  g.strokeStyle = C.halo;
  g.lineWidth = 3;
  g.strokeText(text, x, y);
  g.fillStyle = color;
  g.fillText(text, x, y);
}

/* A street's name every 420 px along it. */
function drawStreetNames(scene) {
  land.streets.forEach((index, kind) => {
    if (scene.zoom < streetLabelZoom(kind)) return;
    for (const line of index.within(scene.box)) {
      const name = D.streets.names[line.head[1]];
      if (!name) continue;
      let left = STREET_LABEL_FIRST;
      for (let i = 2; i < line.xy.length; i += 2) {
        const p = scene.point(line.xy[i - 2], line.xy[i - 1]), q = scene.point(line.xy[i], line.xy[i + 1]);
        const dx = q[0] - p[0], dy = q[1] - p[1], d = Math.hypot(dx, dy);
        for (; left < d; left += STREET_LABEL_EVERY) {
          writeStreet(scene, name, p[0] + dx * left / d, p[1] + dy * left / d, Math.atan2(dy, dx));
        }
        left -= d;
      }
    }
  });
}
/* Chinese names stand upright and stacked on north-south streets, and follow the others unrotated;
   digits stay together as one unit; names in letters turn with the street. */
const LETTER = 14;
function writeStreet(scene, name, x, y, angle) {
  if (name.length > 24 || !scene.sees([x, y])) return;
  let a = angle;
  if (a > Math.PI / 2) a -= Math.PI;
  if (a < -Math.PI / 2) a += Math.PI;
  if (/[A-Za-z]/.test(name)) return writeTurned(scene, name, x, y, a);
  const { g } = scene, up = Math.abs(a) > Math.PI / 4, units = name.match(/\d+|\S/gu) || [];
  g.font = `400 12px ${FONT}`;
  const wide = units.map(unit => Math.max(LETTER, g.measureText(unit).width + 2));
  const steps = up ? units.map(() => LETTER) : wide, half = steps.reduce((a, b) => a + b, 0) / 2 + 2;
  const w = up ? Math.max(...wide) / 2 + 1 : half, h = up ? half : 9;
  if (!scene.free(x, y, w, h)) return;
  scene.take(x, y, w, h);
  if (up && a < 0) a += Math.PI;
  const vx = Math.cos(a), vy = Math.sin(a);
  g.textAlign = 'center';
  g.textBaseline = 'middle';
  g.lineWidth = 3;
  g.strokeStyle = C.halo;
  g.fillStyle = C.label2;
  for (const write of ['strokeText', 'fillText']) {
    let along = 2 - half;
    units.forEach((unit, i) => {
      const at = along + steps[i] / 2;
      g[write](unit, x + vx * at, y + vy * at);
      along += steps[i];
    });
  }
}
function writeTurned(scene, name, x, y, angle) {
  const { g } = scene;
  g.font = `400 12px ${FONT}`;
  const half = g.measureText(name).width / 2, w = Math.abs(Math.cos(angle)) * half + 8, h = Math.abs(Math.sin(angle)) * half + 8;
  if (!scene.free(x, y, w, h)) return;
  scene.take(x, y, w, h);
  g.save();
  g.translate(x, y);
  g.rotate(angle);
  g.textAlign = 'center';
  g.textBaseline = 'middle';
  g.lineWidth = 3;
  g.strokeStyle = C.halo;
  g.strokeText(name, 0, 0);
  g.fillStyle = C.label2;
  g.fillText(name, 0, 0);
  g.restore();
}
