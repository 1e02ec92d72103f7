/* Rounds of teams: one row each, pressed to see that team alone with its legs in order. */

const BY_TEAM = ['way', 'empty_way', 'number'], WAYS = ['way', 'empty_way'];
const NUMBERS_FROM = 16, NUMBERS_SHOWN = 150, ARROWS_FROM = 15;
const isShown = (layer, row) => !state.round || !BY_TEAM.includes(layer.mark) || layer.steps[row] === state.round - 1;
const wayLayers = () => D.layers.filter(layer => WAYS.includes(layer.mark));
const shownRows = layer => layer.rows.map((_, row) => row).filter(row => isShown(layer, row));

/* Lanes of what is on the map now. */
function readLanes() {
  const ways = wayLayers().filter(layer => layer.on).flatMap(layer => shownRows(layer)
    .flatMap(row => layer.rows[row].map(line => ({ team: layer.steps[row], line }))));
  state.lanes = countLanes(ways);
}
function wayShape(layer, row) {
  const { width, step } = laneOf(map.getZoom()), team = layer.steps[row], isEmpty = layer.mark === 'empty_way';
  const lines = layer.rows[row].map(line => onMap(inLanes(line, team, state.lanes, step)));
  const style = isEmpty
    ? { color: teamColour(team), weight: Math.min(2, width), dashArray: '3 5', lineCap: 'butt' }
    : { color: teamColour(team), weight: width, dashArray: teamDash(team) };
  const casing = isEmpty ? 3 : width + 2.4;              // a way without service is a light core where it runs on a swept street
  return L.featureGroup([
    L.polyline(lines, { renderer: painter, color: C.casing, weight: casing, lineCap: 'butt', fill: false }),
    L.polyline(lines, { ...style, renderer: painter, fill: false }),
  ]);
}
/* Which way: on every street close up, and of a team that stands alone at any zoom. */
function drawArrows() {
  state.arrows?.remove();
  state.arrows = L.layerGroup().addTo(map);
  if (!state.round && map.getZoom() < ARROWS_FROM) return;
  const { width, step } = laneOf(map.getZoom()), view = map.getPixelBounds(), origin = view.min;
  const isInView = p => p.x > origin.x && p.x < view.max.x && p.y > origin.y && p.y < view.max.y;
  let n = 0;
  for (const layer of wayLayers().filter(one => one.on)) {
    const isEmpty = layer.mark === 'empty_way';
    for (const row of shownRows(layer)) {
      const team = layer.steps[row], style = isEmpty ? { color: teamColour(team), weight: 2 } : { color: C.teamink, weight: 1.6 };
      for (const line of layer.rows[row]) {
        for (const at of arrowsAlong(inLanes(line, team, state.lanes, step), state.round ? 80 : 130)) {
          if (!isInView(at) || n++ > MAX_ARROWS) continue;
          L.polyline(chevron(at, isEmpty ? 4 : Math.max(2.6, width / 2 - .4)), { ...style, renderer: painter, fill: false, interactive: false }).addTo(state.arrows);
        }
      }
    }
  }
}
/* Where a team that stands alone begins and, its round being closed, ends. */
function turnOf(team) {
  const [first] = legsOf(team);
  return first && first.layer.rows[first.row][0][0];
}
function divMark(at, cls, text, options) {
  return L.marker(at, { icon: L.divIcon({ className: 'marked', html: element('span', cls, text), iconSize: [0, 0] }), ...options });
}
const silent = { interactive: false, keyboard: false };
/* Numbers of the streets in view: what is drawn first keeps its place, a number that would cover another waits for a closer look. */
function drawNumbers(layer) {
  layer.group = L.layerGroup().addTo(map);
  if (!state.round && map.getZoom() < NUMBERS_FROM) return;
  const view = map.getBounds(), taken = [], turn = state.round && turnOf(state.round);
  if (turn) {
    const mark = divMark(turn, 'turn', say('theme.turn'), silent).addTo(layer.group);
    mark.getElement().firstChild.style.background = teamColour(state.round - 1);
    const p = map.latLngToContainerPoint(turn);
    taken.push({ x: p.x - 12, y: p.y + 18 }, { x: p.x + 12, y: p.y + 18 });
  }
  for (let row = 0; row < layer.n && taken.length < NUMBERS_SHOWN; row++) {
    const at = layer.rows[row][0][0];
    if (!isShown(layer, row) || !view.contains(at)) continue;
    const p = map.latLngToContainerPoint(at);
    if (taken.some(q => Math.abs(p.x - q.x) < 26 && Math.abs(p.y - q.y) < 18)) continue;
    taken.push(p);
    const mark = divMark(at, 'number', wordOf(layer.columns[0], row), silent).addTo(layer.group);
    mark.getElement().firstChild.style.borderColor = teamColour(layer.steps[row]);
  }
}
function stationShape(layer, row) {
  const name = wordOf(layer.columns[0], row);
  return divMark(layer.rows[row][0][0], 'station', say('theme.station'), { title: name, riseOnHover: true });
}

/* Legs of a team in order, of every layer that draws its ways. */
function legsOf(team) {
  return wayLayers()
    .flatMap(layer => layer.rows.map((_, row) => ({ layer, row })))
    .filter(({ layer, row }) => layer.steps[row] === team - 1)
    .sort((a, b) => a.layer.orders[a.row] - b.layer.orders[b.row]);
}
function showRound(team) {
  state.round = team;
  map.closePopup();
  drawPanel();
  const pressed = document.querySelector(`.round[data-team="${team || 1}"]`);
  pressed?.scrollIntoView({ block: team && isPhone() ? 'start' : 'nearest' });
  pressed?.focus({ preventScroll: true });
  if (team) fitLines(legsOf(team).flatMap(({ layer, row }) => layer.rows[row].flat()));
  else fitAll();
  drawLayers();
}
function fitLines(points) {
  if (points.length) map.fitBounds(L.latLngBounds(points), { paddingTopLeft: [32, 44], paddingBottomRight: [60, byId('credit').offsetHeight + 32], maxZoom: 17, animate: false });
}
function legRow({ layer, row }) {
  const line = button('', layer.mark === 'way' ? 'listed leg' : 'listed leg ride', () => goToRow(layer, row)), words = element('div');
  words.append(element('span', '', wordOf(layer.columns[0], row)), element('small', '', `${wordOf(layer.columns[2], row)} · ${wordOf(layer.columns[3], row)} m`));
  line.append(element('b', '', layer.orders[row]), words);
  return line;
}
function roundRows() {
  if (!D.rounds.length) return [];
  const rows = [element('h2', '', say('theme.rounds'))];
  if (state.round) rows.push(button(say('theme.all'), 'btn all', () => showRound(0)));
  for (const { team, said } of D.rounds) {
    const isPressed = state.round === team, row = button('', 'listed round', () => showRound(isPressed ? 0 : team));
    const badge = element('i', 'team', team);
    badge.style.background = teamColour(team - 1);
    row.dataset.team = team;
    row.setAttribute('aria-pressed', isPressed);
    row.disabled = !legsOf(team).length;
    row.append(badge, element('span', '', inLanguage(said).trim()));
    rows.push(row);
    if (isPressed) rows.push(...legsOf(team).map(legRow));
  }
  return rows;
}
