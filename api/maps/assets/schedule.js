/* Right panel: the selected team's night; and the small windows at a click. */

function drawDetail() {
  const panel = byId('right');
  document.body.classList.toggle('detail', state.team >= 0);
  panel.textContent = '';
  if (state.team < 0) return;
  const team = D.teams[state.team];
  panel.append(detailHead(team), scheduleTable(team));
  markRow();
}
function detailHead(team) {
  const head = withHue(element('div', 'head'), team), title = element('h2');
  const station = D.stations[team.station]?.[0] ?? '';
  title.append(badgeElement(team), element('span', '', team.name));
  head.append(title);
  head.append(element('p', '', [station, `${team.people} ${say('people')}`, say('mode.' + team.mode), `${team.visits} ${say('stops')}`, `${team.km} ${say('km')}`].filter(Boolean).join(' · ')));
  head.append(element('p', 'span', `${clock(team.start)} ${say('leaves')} – ${clock(team.end)} ${say('returns')}`));
  head.append(...timeSplit(team), detailActions());
  return head;
}
function timeSplit(team) {
  const sum = kinds => team.stops.reduce((a, s) => a + (kinds(s) ? s.depart - s.arrive : 0), 0);
  const site = sum(s => s.kind !== BREAK), rest = sum(s => s.kind === BREAK);
  const drive = team.legs.reduce((a, leg) => a + leg.arrive - leg.depart, 0), wait = Math.max(0, team.end - team.start - site - rest - drive);
  const split = element('div', 'split'), key = element('div', 'key');
  for (const [seconds, color, word] of [[site, C.hues[team.hue], 'site'], [drive, C.line2, team.mode === 'foot' ? 'walk' : 'drive'], [rest, C.line, 'rest'], [wait, C.panel2, 'wait']]) {
    if (minutes(seconds) < (word === 'wait' ? 2 : 1)) continue;
    const bar = element('i'), mark = element('i'), entry = element('span');
    bar.style.flex = String(seconds);
    bar.style.background = mark.style.background = color;
    entry.append(mark, `${say('time.' + word)} ${minutes(seconds)} ${say('minute')}`);
    split.append(bar);
    key.append(entry);
  }
  return [split, key];
}
function detailActions() {
  const n = D.teams.length, actions = element('div', 'actions');
  if (n > 1) {
    actions.append(
      button('‹ ' + say('all.teams'), 'btn', () => selectTeam(-1)),
      iconButton('up', 'btn', () => selectTeam((state.team + n - 1) % n), say('previous')),
      iconButton('down', 'btn', () => selectTeam((state.team + 1) % n), say('next')),
    );
  } else actions.append(button('‹ ' + say('back'), 'btn', () => selectTeam(-1)));
  return actions;
}

const stay = stop => `${minutes(stop.depart - stop.arrive)} ${say('minute')}`;

const STOP_CLASS = ['', ' post', ' pair', ' rest'];
function scheduleTable(team) {
  const rows = element('div', 'rows'), table = withHue(element('table', 'schedule'), team);
  const head = element('thead'), body = element('tbody'), titles = element('tr');
  for (const code of ['column.no', 'column.time', 'column.place', 'column.stay']) {
    const th = element('th', '', say(code));
    th.scope = 'col';
    titles.append(th);
  }
  head.append(titles);
  team.stops.forEach((stop, row) => body.append(scheduleRow(team, stop, row)));
  table.append(head, body);
  rows.append(table);
  return rows;
}
function scheduleRow(team, stop, row) {
  const tr = element('tr'), cells = [0, 1, 2, 3].map(() => element('td'));
  const isBreak = stop.kind === BREAK, [name, lat, lon] = D.places[stop.place];
  cells[0].append(element('span', 'no' + STOP_CLASS[stop.kind], isBreak ? say('mark.break') : String(stop.no)));
  cells[1].append(element('b', '', clock(stop.arrive)), element('small', '', clock(stop.depart)));
  const reason = [isMust(stop) ? say(stop.kind === POST ? 'post' : 'pair') : '', isBreak ? name : stopReason(team, stop)].filter(Boolean).join(' · ');
  cells[2].append(isBreak ? say('break') : name, element('small', '', reason));
  cells[3].append(stay(stop));
  tr.append(...cells);
  tr.tabIndex = 0;
  tr.dataset.row = row;
  const go = () => goTo(lat, lon, Math.max(15, map.getZoom()));
  tr.onclick = go;
  tr.onkeydown = e => { if (e.key === 'Enter') go(); };
  return tr;
}
/* The row under the slider. */
function markRow() {
  if (state.team < 0) return;
  const { stops } = D.teams[state.team];
  let current = -1;
  if (state.now != null) stops.forEach((s, row) => { if (s.arrive <= state.now) current = row; });
  for (const tr of document.querySelectorAll('.schedule tbody tr')) {
    const is = +tr.dataset.row === current;
    tr.classList.toggle('now', is);
    if (is) tr.scrollIntoView({ block: 'nearest' });
  }
}

/* ---- small windows ---- */

function openPopup(latlng, title, lines) {
  const box = element('div', 'popup');
  box.append(element('b', '', title));
  for (const line of lines) box.append(line instanceof Node ? line : element('div', '', line));
  L.popup({ maxWidth: 280, autoPanPadding: [40, 40] }).setLatLng(latlng).setContent(box).openOn(map);
}
function openStop(team, stop) {
  const [name, lat, lon] = D.places[stop.place];
  openPopup([lat, lon], name, [`${two(team.no)} ${team.name} · ${clock(stop.arrive)}–${clock(stop.depart)} · ${stay(stop)}`, stopReason(team, stop)]);
}
function openUnserved([place, cause, hour]) {
  const [name, lat, lon] = D.places[place];
  openPopup([lat, lon], name, [say('unserved'), because(cause, hour)]);
}
function openStation(row) {
  const [name, lat, lon] = D.stations[row], of = D.teams.filter(t => t.station === row).map(t => two(t.no));
  openPopup([lat, lon], name, of.length ? [`${say('teams')} ${of.join(', ')}`] : []);
}
function openVenue(i) {
  const tier = element('div'), lines = [tier];
  tier.append(swatch((g, x, y) => drawTier(g, x, y, 6, venues.tier[i])), ` ${say('tier.' + venues.tier[i])} · ${say('kind.' + venues.kind[i])}`);
  const days = venues.due[i];
  if (venues.state[i] === NEVER) lines.push(say('never'));
  else if (venues.state[i] === OVERDUE) lines.push(element('span', 'late', say('overdue', { days: -days })));
  else if (days !== NO_DAY) lines.push(say('due.in', { days, date: dateAfter(days) }));
  if (venues.planned[i] !== NO_DAY) lines.push(say('planned.on', { date: dateAfter(venues.planned[i]) }));
  const cell = venues.cell[i] >= 0 && cellIds ? `${say('cell')} ${cellIds(venues.cell[i])}` : '';
  lines.push(element('small', '', [venues.id(i), cell, D.meta.synthetic ? say('synthetic') : ''].filter(Boolean).join(' · ')));
  openPopup(pointOf(map, venues.xy[2 * i], venues.xy[2 * i + 1]), venues.name(i), lines);
}
function openCell(row, latlng) {
  const village = cellColumns.village[row], name = village >= 0 ? villageName(village) : '';
  openPopup(latlng, `${say('cell')} ${cellIds(row)}`, [
    [name, `${count(cellColumns.households[row])} ${say('households')}`].filter(Boolean).join(' · '),
    ...(cellColumns.due[row] < 0 || cellColumns.venues[row] < 0 ? [] : [say('cell.venues', { n: count(cellColumns.due[row]), N: count(cellColumns.venues[row]) })]),
    element('small', '', D.meta.synthetic ? say('synthetic') : ''),
  ]);
}
let cellIds = null, cellColumns = null, villageNames = null;
function decodeCells() {
  if (!D.cells) return;
  const { n } = D.cells;
  cellIds = readNames(D.cells.ids, n);
  cellColumns = {};
  for (const key of ['households', 'venues', 'due', 'village']) cellColumns[key] = readColumn(D.cells[key], n, Int32Array);
}
function villageName(row) {
  villageNames ??= D.labels.filter(l => l[3] === VILLAGE).map(l => l[0]);
  return villageNames[row] ?? '';
}
