/* A theme map: layers of places in grey steps or as marks, their figures, and a list to go through. */

const FORMAT = 'patrolgrid.theme/1';
const MIN_MARK = 5;                                      // px: a fault a metre wide is still seen
let map, painter;

const inLanguage = words => words[state.lang];
const lonOf = x => x * 360 - 180;
const latOf = y => Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180 / Math.PI;

/* Rings or lines of each row as Leaflet takes them, and each row's box. */
function decodeLayer(layer) {
  const rows = Array.from({ length: layer.n }, () => []);
  for (const line of readLines(layer.lines, 1, D.lattice)) {
    const points = [];
    for (let k = 0; k < line.xy.length; k += 2) points.push([latOf(line.xy[k + 1]), lonOf(line.xy[k])]);
    rows[line.head[0]].push(points);
  }
  layer.rows = rows;
  layer.steps = layer.step ? readColumn(layer.step, layer.n) : null;
  layer.orders = layer.order ? readColumn(layer.order, layer.n, Int32Array) : null;
}

/* Lines need more ink than areas to be seen on the land. */
const STEP_COLOURS = { area: ['c0', 'c1', 'c2', 'c3', 'c4'], line: ['c2', 'c2', 'c3', 'c4', 'ink'] };
/* Steps with names of their own take the strongest inks there are: beyond them lies bare land. */
const stepColour = (layer, step) => (step < 0 ? C.panel : C[STEP_COLOURS[layer.shape === 'line' ? 'line' : 'area'].at(layer.named ? step - layer.ranges.length : step)]);

/* Teams as on the commander's map: six hues, then the dash tells them apart; the number always does. */
const TEAM_HUES = ['t0', 't1', 't2', 't3', 't4', 't5'], TEAM_DASHES = ['', '16 9', '1 8', '18 8 1 8'];
const teamColour = team => C[TEAM_HUES[team % TEAM_HUES.length]];
const teamDash = team => TEAM_DASHES[Math.floor(team / TEAM_HUES.length) % TEAM_DASHES.length];
function styleOf(layer, row) {
  if (layer.mark === 'steps') {
    const step = layer.steps ? layer.steps[row] : 0;
    if (layer.shape === 'line') return { color: stepColour(layer, step), weight: 3 + Math.max(0, step), fill: false };
    return { color: C.ink, opacity: layer.named ? .2 : .45, weight: 1, fillColor: stepColour(layer, step), fillOpacity: .92 };
  }
  if (layer.mark === 'mark') return { color: C.t3, weight: 3, fillColor: C.t3, fillOpacity: .35 };
  if (layer.mark === 'undone') return { color: C.diamond, weight: 4, fill: false };
  if (layer.mark === 'border') return { color: C.bcounty, weight: 2, fill: layer.shape === 'point', fillColor: C.panel, fillOpacity: 1 };
  return layer.shape === 'line' ? { color: C.label2, opacity: .5, weight: 1, fill: false } : { color: C.btown, weight: 1, fill: false };
}
function shapeOf(layer, row) {
  if (WAYS.includes(layer.mark)) return wayShape(layer, row);
  if (layer.mark === 'station') return stationShape(layer, row);
  const style = { ...styleOf(layer, row), renderer: painter }, lines = layer.rows[row];
  if (layer.shape === 'point') return L.circleMarker(lines[0][0], { ...style, radius: MIN_MARK });
  const shape = layer.shape === 'area' ? L.polygon(lines, style) : L.polyline(lines, style);
  if (layer.mark === 'undone') return L.featureGroup([L.polyline(lines, { ...style, color: C.diamondline, weight: 7 }), shape]);
  if (layer.mark !== 'mark') return shape;
  return L.featureGroup([shape, L.circleMarker(shape.getBounds().getCenter(), { ...style, radius: MIN_MARK })]);
}
function drawLayer(layer) {
  layer.group?.remove();
  layer.group = null;
  if (!layer.on) return;
  if (layer.mark === 'number') return drawNumbers(layer);
  const shapes = shownRows(layer).map(row => {
    const shape = shapeOf(layer, row);
    if (layer.columns.length) shape.on('click', e => openRow(layer, row, e.latlng));
    return shape;
  });
  layer.group = L.layerGroup(shapes).addTo(map);
}
function drawLayers() {
  readLanes();
  D.layers.forEach(drawLayer);
  drawArrows();
}

function wordOf(column, row) {
  const value = column.values[row];
  if (column.blank && !value) return sayCode(column.blank);
  return column.words ? sayCode(column.words + value) : value;
}
const withUnit = (text, unit) => (text && unit ? `${text} ${inLanguage(unit)}` : text);
const toldOf = (column, row) => withUnit(wordOf(column, row), column.unit);
/* In a line of the list a number with its unit speaks for itself. */
const briefOf = (column, row) => (column.unit ? toldOf(column, row) : `${inLanguage(column.label)} ${wordOf(column, row)}`);
function openRow(layer, row, latlng) {
  const box = element('div'), list = element('dl');
  box.append(element('b', '', wordOf(layer.columns[0], row)));
  for (const column of layer.columns.slice(1)) {
    list.append(element('dt', '', inLanguage(column.label)), element('dd', '', toldOf(column, row)));
  }
  box.append(list);
  L.popup({ autoPan: true }).setLatLng(latlng).setContent(box).openOn(map);
}
function goToRow(layer, row) {
  if (!layer.on) {
    layer.on = true;
    drawLayers();
    drawPanel();
  }
  const bounds = L.latLngBounds(layer.rows[row].flat());
  map.fitBounds(bounds, { maxZoom: 17, padding: [60, 60], animate: false });
  openRow(layer, row, bounds.getCenter());
}

function drawBar() {
  const bar = byId('bar'), { meta } = D;
  bar.textContent = '';
  bar.append(element('h1', '', inLanguage(meta.title)), element('span', 'chip inverse', say('audience.' + meta.audience)));
  if (meta.synthetic) bar.append(element('span', 'chip synthetic', say('synthetic')));
  bar.append(
    element('span', 'spring'),
    button(say('print'), 'btn desk-only', () => print()),
    button(say(isNight() ? 'theme.day' : 'theme.night'), 'btn', () => setTheme(isNight() ? 'day' : 'night')),
    button(say(isPhone() ? 'other.short' : 'other'), 'btn', () => setLanguage(state.lang === 'zh' ? 'en' : 'zh'), say('other')),
  );
}
function layerOption(layer) {
  const row = element('label', 'option'), box = element('input');
  box.type = 'checkbox';
  box.checked = layer.on;
  box.onchange = () => {
    layer.on = box.checked;
    drawLayers();
  };
  row.append(box, element('span', '', inLanguage(layer.name)), element('small', '', share(layer.n, layer.N)));
  return row;
}
function stepRow(colour, text) {
  const row = element('div', 'step'), field = element('i');
  field.style.background = colour;
  row.append(field, element('span', '', text));
  return row;
}
function teamRows(layer) {
  const n = Array(layer.ranges.length).fill(0);
  for (const team of layer.steps) n[team]++;
  return n.flatMap((many, team) => (many ? [stepRow(teamColour(team), say('theme.team', { team: layer.ranges[team], share: share(many, layer.n) }))] : []));
}
function legendRows(layer) {
  if (layer.mark === 'way') return D.rounds.length ? [] : teamRows(layer);
  if (layer.mark !== 'steps' || !layer.steps) return [];
  const n = Array(layer.ranges.length).fill(0);
  let missing = 0;
  for (const step of layer.steps) step < 0 ? missing++ : n[step]++;
  const rows = n.map((many, step) => stepRow(stepColour(layer, step), withUnit(layer.ranges[step], layer.unit) + (layer.named ? '' : ` · ${share(many, layer.n)}`)));
  if (missing) rows.push(stepRow(C.panel, `– · ${share(missing, layer.n)}`));
  return rows;
}
function listRows(layer) {
  if (!layer.listed) return [];
  const rows = [element('h2', '', inLanguage(layer.name))];
  for (let k = 0; k < layer.listed; k++) {
    const row = button('', 'listed', () => goToRow(layer, k));
    row.append(element('span', '', wordOf(layer.columns[0], k)));
    row.append(element('small', '', layer.columns.slice(1).map(c => briefOf(c, k)).filter(Boolean).join(' · ')));
    rows.push(row);
  }
  if (layer.listed < layer.n) rows.push(element('p', 'note', say('theme.more', { share: share(layer.listed, layer.n) })));
  return rows;
}
function drawPanel() {
  const panel = byId('panel');
  panel.textContent = '';
  for (const figure of D.meta.figures) panel.append(element('p', 'figure', inLanguage(figure)));
  panel.append(...roundRows(), element('h2', '', say('layers')));
  for (const layer of [...D.layers].reverse()) panel.append(layerOption(layer), ...legendRows(layer));
  for (const layer of [...D.layers].reverse()) panel.append(...listRows(layer));
}
function drawTools() {
  const tools = byId('tools');
  tools.textContent = '';
  tools.append(
    iconButton('plus', '', () => map.zoomIn(), say('tool.in')),
    iconButton('minus', '', () => map.zoomOut(), say('tool.out')),
    iconButton('fit', '', fitAll, say('tool.fit')),
  );
}

const SCALES = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000];
const metreText = m => (m < 1000 ? m + ' m' : m / 1000 + ' km');
function drawCredit() {
  const credit = byId('credit'), { meta } = D;
  const texts = [
    meta.synthetic ? say('credit.synthetic') : '',
    meta.data_date ? say('credit.data', { date: meta.data_date }) : say('theme.date.unstated'),
    meta.boundary_version && meta.boundary_version !== 'unstated' ? say('credit.boundaries', { version: meta.boundary_version }) : say('theme.version.unstated'),
    say('audience.' + meta.audience),
    [...meta.attribution, 'WGS-84'].join(' · '),
  ];
  credit.textContent = '';
  for (const text of texts) if (text) credit.append(element('span', '', text));
  const y = map.getSize().y / 2, mid = x => map.containerPointToLatLng([x, y]);
  const metresPerPixel = map.distance(mid(0), mid(100)) / 100;
  const length = SCALES.find(v => v / metresPerPixel > 50) || SCALES[SCALES.length - 1];
  const scale = element('span', 'scale'), bar = element('i');
  bar.style.width = length / metresPerPixel + 'px';
  scale.append(bar, metreText(length));
  credit.append(scale);
}

function fitAll() {
  const [west, south, east, north] = D.frame;
  const bottom = byId('credit').offsetHeight + 12;
  map.fitBounds([[south, west], [north, east]], { paddingTopLeft: [16, 16], paddingBottomRight: [16, bottom], animate: false });
}
function drawAll() {
  document.title = inLanguage(D.meta.title);
  document.documentElement.lang = state.lang === 'zh' ? 'zh-CN' : 'en';
  byId(options.id).setAttribute('aria-label', document.title);
  drawBar();
  drawPanel();
  drawTools();
  drawCredit();
  drawWatermark();
}
function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  readTokens();
  drawAll();
  drawLayers();
}
function setLanguage(lang) {
  state.lang = lang;
  map.closePopup();
  drawAll();
}

function start() {
  try {
    if (D.format !== FORMAT) throw new Error(`not ${FORMAT}`);
    readTokens();
    D.layers.forEach(decodeLayer);
    map = L.map(options.id, { zoomControl: false, attributionControl: false, minZoom: options.min_zoom, maxZoom: options.max_zoom, zoomSnap: .25, preferCanvas: true });
    painter = L.canvas({ padding: .2, tolerance: 4 });
    state.round = 0;
    fitAll();                                            // the credit line needs a view, the view its height
    drawAll();
    fitAll();
    drawLayers();
    map.on('moveend zoomend', drawCredit);
    map.on('zoomend', () => wayLayers().forEach(drawLayer));
    map.on('moveend', () => {
      D.layers.filter(layer => layer.mark === 'number').forEach(drawLayer);
      drawArrows();
    });
    map.on('resize', drawWatermark);
    addEventListener('resize', drawAll);
    for (const id of ['tools', 'credit']) L.DomEvent.disableClickPropagation(byId(id));
    performance.mark('ready');
    return map;
  } catch (error) {
    const words = element('div', 'fatal', Object.values(D.words).map(w => w['map.fatal']).join(' '));
    words.setAttribute('role', 'alert');
    document.body.append(words);
    throw error;
  }
}

return { start, setTheme, setLanguage, goToRow, showRound, data: D, state, map: () => map };
