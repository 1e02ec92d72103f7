/* Around the map: tools, credit line with scale, watermark, and the phone's sheet. */

function drawTools() {
  const tools = byId('tools');
  tools.textContent = '';
  const add = (name, act, code, cls = '') => {
    const b = iconButton(name, cls, act, say(code));
    tools.append(b);
    return b;
  };
  add('plus', () => map.zoomIn(), 'tool.in');
  add('minus', () => map.zoomOut(), 'tool.out');
  add('fit', () => fitTeam(state.team), 'tool.fit');
  const ruler = add('ruler', () => toggleMeasure(ruler), 'tool.measure', 'desk-only');
  ruler.setAttribute('aria-pressed', String(!!measuring));
  add('full', () => (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen()), 'tool.full', 'desk-only');
}

let measuring = null;
function toggleMeasure(tool) {
  measuring?.layer.remove();
  measuring = measuring ? null : { points: [], layer: L.layerGroup().addTo(map) };
  tool.setAttribute('aria-pressed', String(!!measuring));
}
function measureAt(latlng) {
  const { points, layer } = measuring;
  points.push(latlng);
  layer.clearLayers();
  let metres = 0;
  points.forEach((p, i) => { if (i) metres += points[i - 1].distanceTo(p); });
  L.polyline(points, { color: C.ink, weight: 2, interactive: false }).addTo(layer);
  L.circleMarker(latlng, { radius: 4, color: C.ink, interactive: false }).addTo(layer)
    .bindTooltip(metreText(metres), { permanent: true, direction: 'right' }).openTooltip();
}
const metreText = m => (m < 1000 ? Math.round(m) + ' m' : (m / 1000).toFixed(m < 1e4 ? 2 : 1).replace(/\.?0+$/, '') + ' km');

const SCALES = [20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000];
function creditTexts() {
  const { meta } = D;
  return [
    meta.synthetic ? say('credit.synthetic') : '',
    say('credit.data', { date: meta.data_date }),
    say('credit.boundaries', { version: meta.boundary_version }),
    D.teams.length ? say('credit.plan', { plan: meta.plan, state: say('state.' + meta.state) }) : '',
    say('credit.audience', { audience: say('audience.' + meta.audience), date: meta.night }),
    [...meta.attribution, meta.synthetic_streets ? say('credit.streets') : '', 'WGS-84'].filter(Boolean).join(' · '),
  ].filter(Boolean);
}
function drawCredit() {
  const credit = byId('credit');
  credit.textContent = '';
  for (const text of creditTexts()) credit.append(element('span', '', text));
  const y = map.getSize().y / 2, mid = x => map.containerPointToLatLng([x, y]);
  const metresPerPixel = map.distance(mid(0), mid(100)) / 100;
  const length = SCALES.find(v => v / metresPerPixel > 50) || SCALES[SCALES.length - 1];
  const scale = element('span', 'scale'), bar = element('i');
  bar.style.width = length / metresPerPixel + 'px';
  scale.append(bar, metreText(length));
  credit.append(scale);
  byId(options.id).style.setProperty('--credit', credit.offsetHeight + 'px');
}

const SHEET = ['peek', 'half', 'full'];
function setSheet(at) {
  state.sheet = at;
  byId('sheet').dataset.at = at;
  byId('grip').setAttribute('aria-expanded', String(at !== 'peek'));
}
function wireGrip() {
  const grip = byId('grip');
  let from = null, dragged = false;
  grip.onpointerdown = e => {
    from = e.clientY;
    dragged = false;
    grip.setPointerCapture(e.pointerId);
  };
  grip.onpointerup = e => {
    const up = from - e.clientY;
    dragged = Math.abs(up) >= 24;
    if (dragged) setSheet(SHEET[Math.max(0, Math.min(2, SHEET.indexOf(state.sheet) + Math.sign(up)))]);
  };
  grip.onclick = () => { if (!dragged) setSheet(SHEET[(SHEET.indexOf(state.sheet) + 1) % 3]); };
}
