/* Left panel: figures, then team list, unserved places, layers, and on a phone the legend. */

const shiftPercent = second => second / D.meta.length * 100;

function drawLeft() {
  const panel = byId('left');
  byId(options.id).append(byId('legend'));               // keep it while its pane goes away
  panel.textContent = '';
  const tabs = element('div', 'tabs'), pane = element('div', 'pane');
  tabs.setAttribute('role', 'tablist');
  pane.id = 'pane';
  pane.setAttribute('role', 'tabpanel');
  for (const [name, text] of tabList()) {
    const b = button(text, '', () => {
      state.tab = name;
      drawLeft();
    });
    b.setAttribute('role', 'tab');
    b.setAttribute('aria-selected', String(state.tab === name));
    tabs.append(b);
  }
  if (D.counts) panel.append(figures());
  panel.append(tabs, pane);
  ({ teams: drawTeamList, unserved: drawUnservedList, layers: drawLayerList, legend: drawLegendPane })[state.tab](pane);
  markNow();
}
function tabList() {
  const tabs = [];
  if (D.teams.length) tabs.push(['teams', `${say('teams')} ${D.teams.length}`]);
  if (D.counts) tabs.push(['unserved', `${say('unserved')} ${D.unserved.length}`]);
  tabs.push(['layers', say('layers')]);
  if (isPhone()) tabs.push(['legend', say('legend')]);
  if (!tabs.some(([name]) => name === state.tab)) state.tab = tabs[0][0];
  return tabs;
}
function figures() {
  const grid = element('div', 'figures');
  for (const key of ['teams', 'places', 'posts', 'pairs']) {
    const [n, N] = D.counts[key], cell = element('div'), figure = element('b', '', count(n));
    figure.append(element('small', '', '/' + count(N)));
    cell.append(figure, element('span', '', say('figure.' + key)));
    grid.append(cell);
  }
  return grid;
}

/* A team's night as one element with gradients: dwell in its colour, musts in ink, break hatched. */
function strip(team) {
  const e = element('div', 'strip');
  const layers = team.stops.map(stop => {
    const paint = stop.kind === BREAK ? `repeating-linear-gradient(90deg,${C.line2} 0 1px,transparent 1px 3px)`
      : isMust(stop) ? `linear-gradient(${C.ink},${C.ink})` : `linear-gradient(${C.hues[team.hue]},${C.hues[team.hue]})`;
    const from = shiftPercent(stop.arrive), width = Math.min(99, Math.max(1.2, shiftPercent(stop.depart) - from));
    return `${paint} ${from / (100 - width) * 100}% 0/${width}% 100% no-repeat`;
  });
  e.style.background = [...layers, C.panel2].join();
  return e;
}
function drawTeamList(pane) {
  const axis = element('div', 'axis');
  for (let k = 0; k < 4; k++) axis.append(element('span', '', String(+clock(Math.round(k / 3 * D.meta.length)).slice(0, 2))));
  axis.append(element('b', '', say('stops')));
  pane.append(axis);
  for (const team of D.teams) {
    const row = withHue(button('', 'team', () => selectTeam(team.i)), team);
    row.dataset.n = team.visits;
    row.setAttribute('aria-pressed', String(state.team === team.i));
    row.setAttribute('aria-label', `${two(team.no)} ${team.name}, ${team.visits} ${say('stops')}`);
    row.append(badgeElement(team), element('span', 'name', team.name), strip(team));
    row.onmouseenter = () => hover(team.i);
    row.onmouseleave = () => hover(-1);
    pane.append(row);
  }
}
function hover(i) {
  if (isPhone() || state.team >= 0) return;
  state.hover = i;
  overlay.paint();
}
function drawUnservedList(pane) {
  for (const [place, cause, hour] of D.unserved) {
    const [name, lat, lon] = D.places[place], row = button('', 'unserved', () => goTo(lat, lon, 15));
    const words = element('div');
    words.append(element('b', '', name), element('small', '', because(cause, hour)));
    row.append(swatch((g, x, y) => drawUnserved(g, x, y, 7)), words);
    pane.append(row);
  }
  const [n, N] = D.counts.places, note = D.unserved.length ? 'unserved.note' : 'unserved.none';
  pane.append(element('p', 'note', say(note, { share: share(D.unserved.length, N), n, N })));
}

function checkbox(text, value, set, mark, note) {
  const label = element('label', 'option'), input = element('input');
  input.type = 'checkbox';
  input.checked = value;
  input.onchange = () => {
    set(input.checked);
    redraw();
  };
  label.append(input);
  if (mark) label.append(mark);
  label.append(element('span', '', text));
  if (note) label.append(element('small', '', note));
  return label;
}
function drawLayerList(pane) {
  const head = text => pane.append(element('div', 'group', text));
  const row = (key, code, mark, note) => pane.append(checkbox(say(code), shown[key], v => { shown[key] = v; }, mark, note));
  head(say('group.plan'));
  if (D.teams.length) {
    row('routes', 'layer.routes', null, count(D.teams.length));
    row('stops', 'layer.stops', null, say('zoom.in'));
  }
  if (D.counts) row('unserved', 'layer.unserved', swatch((g, x, y) => drawUnserved(g, x, y, 7)), share(D.unserved.length, D.counts.places[1]));
  row('stations', 'station', swatch((g, x, y) => drawStation(g, x, y + 1, 7)), share(D.stations.length, D.stations.length));
  if (venues) drawVenueOptions(pane, head, row);
  head(say('group.base'));
  if (D.density) row('density', 'layer.density');
  if (venues) row('share', 'layer.share', null, say('zoom.out'));
  if (D.cells) row('cells', 'layer.cells', null, `${count(D.cells.n)} · ${say('zoom.in')}`);
  row('villages', 'layer.villages', null, count(land.borders[VILLAGE].all.length ? D.labels.filter(l => l[3] === VILLAGE).length : 0));
  row('townships', 'layer.townships', null, count(D.labels.filter(l => l[3] === TOWNSHIP).length));
}
function drawVenueOptions(pane, head, row) {
  head(say('group.venues'));
  for (const tier of [0, 1, 2]) {
    const mark = swatch((g, x, y) => drawTier(g, x, y, 6, tier));
    const option = checkbox(say('tier.' + tier), shown.tiers[tier], v => { shown.tiers[tier] = v; }, mark, share(0, venues.total[tier]));
    option.dataset.tier = tier;
    pane.append(option);
  }
  countTiers();
  row('late', 'layer.late', swatch((g, x, y) => drawTier(g, x, y, 4.6, 2, true)), share(venues.late, venues.n));
  head(say('group.kinds'));
  const kinds = element('div', 'kinds');
  for (let kind = 0; kind < KIND_COUNT; kind++) {
    kinds.append(checkbox(say('kind.' + kind), shown.kinds[kind], v => { shown.kinds[kind] = v; }, null, say('kind.characters')[kind]));
  }
  pane.append(kinds);
}
/* Venues drawn in view over all, in the layer list. */
function countTiers() {
  const options = document.querySelectorAll('.option[data-tier]');
  if (!options.length) return;
  const seen = countInView(venues, map.getBounds());
  for (const option of options) {
    const tier = +option.dataset.tier, drawn = shown.tiers[tier] && tierShows(tier, map.getZoom());
    option.querySelector('small').textContent = share(drawn ? seen[tier] : 0, venues.total[tier]);
  }
}
function drawLegendPane(pane) {
  pane.append(byId('legend'));
  drawLegend();
}
