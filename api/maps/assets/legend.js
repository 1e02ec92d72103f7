/* Legend: only what is on screen, counted again after each move (n of N). */

function drawLegend() {
  if (venues) countTiers();
  const legend = byId('legend'), shut = legend.classList.contains('shut');
  legend.textContent = '';
  const title = button(say('legend'), '', () => {
    legend.classList.toggle('shut');
    drawLegend();
  });
  title.append(element('span', '', shut ? '+' : '–'));
  title.setAttribute('aria-expanded', String(!shut));
  const body = element('div', 'body');
  legend.append(title, body);
  if (shut) return;
  if (shown.routes && D.teams.length) legendTeams(body);
  legendMarks(body);
  if (venues && shown.tiers.some(Boolean) && map.getZoom() >= 12) legendVenues(body);
  if (venues && shown.share && map.getZoom() < 12) legendShare(body);
  if (D.density && shown.density) legendDensity(body);
  legendBorders(body);
  if (isPhone()) {
    body.append(element('h3', '', say('sources')));
    for (const text of creditTexts()) body.append(element('div', 'plain', text));
  }
}
function legendRow(mark, text, note) {
  const row = element('div', 'row');
  row.append(mark, element('span', '', text));
  if (note) row.append(element('small', '', note));
  return row;
}
function legendTeams(body) {
  body.append(element('div', 'row', say('legend.team')));
  const row = element('div', 'row');
  for (let dash = 0; dash < 4; dash++) {
    const team = D.teams.find(t => t.dash === dash && t.hue === dash) || D.teams.find(t => t.dash === dash);
    if (team) row.append(swatch(g => {
      strokeLine(g, [[4, 24], [44, 24]], 3, C.hues[team.hue], 1, DASHES[dash]);
      drawBadge(g, 24, 11, team, .85);
    }, 48, 30));
  }
  body.append(row);
}
/* Marks that stay when the routes are off. */
function legendMarks(body) {
  const pairs = element('div', 'two');
  if (D.teams.length) {
    pairs.append(
      legendRow(swatch((g, x, y) => drawPost(g, x, y, 8)), say('post')),
      legendRow(swatch((g, x, y) => drawPair(g, x, y, 7), 26), say('pair')),
    );
  }
  if (D.counts && shown.unserved) pairs.append(legendRow(swatch((g, x, y) => drawUnserved(g, x, y, 7)), `${say('unserved')} ${share(D.unserved.length, D.counts.places[1])}`));
  if (shown.stations) pairs.append(legendRow(swatch((g, x, y) => drawStation(g, x, y + 1, 7)), say('station')));
  body.append(pairs);
}
function legendVenues(body) {
  const seen = countInView(venues, map.getBounds()), zoom = map.getZoom();
  body.append(element('h3', '', say('legend.venues')));
  for (const tier of [0, 1, 2]) {
    if (!shown.tiers[tier]) continue;
    const note = tierShows(tier, zoom) ? share(seen[tier], venues.total[tier]) : `${say('zoom.in')} ${share(0, venues.total[tier])}`;
    body.append(legendRow(swatch((g, x, y) => drawTier(g, x, y, 6, tier)), say('tier.' + tier), note));
  }
  body.append(legendRow(swatch((g, x, y) => drawTier(g, x, y, 4.4, 0, true)), say('legend.late')));
}
function legendShare(body) {
  body.append(element('h3', '', say('legend.share')));
  const steps = element('div', 'row steps');
  ['<3%', '3–6', '6–9', '9–12', '≥12'].forEach((text, k) => {
    const step = element('span', '', text);
    step.prepend(swatch(g => {
      g.fillStyle = C.land;
      g.fillRect(0, 2, 36, 12);
      g.globalAlpha = shareAlpha();
      g.fillStyle = C['c' + k];
      g.fillRect(0, 2, 36, 12);
      g.globalAlpha = 1;
      g.strokeStyle = C.line2;
      g.strokeRect(.5, 2.5, 35, 11);
    }, 36, 16));
    steps.append(step);
  });
  const [n, N] = D.townships.overdue.reduce((a, b) => [a[0] + b[0], a[1] + b[1]], [0, 0]);
  body.append(steps, element('div', 'row', `${share(n, N)} = ${N ? (n / N * 100).toFixed(1) : '–'}%`));
  if (venues.n > N) body.append(element('div', 'row', say('legend.unknown', { n: count(venues.n - N) })));
}
function legendDensity(body) {
  body.append(element('h3', '', say('legend.density', { hours: shiftText() })));
  const zoom = map.getZoom(), rows = D.density.share.length;
  for (let row = rows - 1; row >= 0; row--) {
    const mark = swatch(g => {
      g.fillStyle = C.land;
      g.fillRect(0, 2, 22, 14);
      g.fillStyle = C.dens;
      for (let k = 0; k <= row; k++) {
        g.globalAlpha = densityAlpha(k, zoom);
        g.fillRect(0, 2, 22, 14);
      }
      g.globalAlpha = 1;
      g.strokeStyle = C.line2;
      g.strokeRect(.5, 2.5, 21, 13);
    });
    body.append(legendRow(mark, say('density.share', { share: D.density.share[row] }), say('density.area', { percent: D.density.percent[row] })));
  }
}
function legendBorders(body) {
  const zoom = map.getZoom(), lines = element('div', 'two');
  const rows = [
    [true, 'border.county', C.bcounty, [12, 3, 2, 3], 2.4],
    [shown.townships && zoom >= 9, 'border.township', C.btown, [8, 3], 1.6],
    [shown.villages && zoom >= 11 || zoom >= 15, 'border.village', C.bvillage, [], villageWidth(zoom)],
  ];
  for (const [on, code, color, dash, width] of rows) {
    if (!on) continue;
    lines.append(legendRow(swatch((g, x, y) => {
      g.setLineDash(dash);
      g.strokeStyle = color;
      g.lineWidth = width;
      g.beginPath();
      g.moveTo(1, y);
      g.lineTo(29, y);
      g.stroke();
    }, 30, 14), say(code)));
  }
  if (D.cells && shown.cells && zoom >= 15) {
    lines.append(legendRow(swatch(g => {
      g.strokeStyle = C.grid;
      g.strokeRect(4.5, 1.5, 11, 11);
      g.strokeRect(15.5, 1.5, 11, 11);
    }, 30, 14), say('cell')));
  }
  body.append(element('h3', '', say('borders')), lines);
}
