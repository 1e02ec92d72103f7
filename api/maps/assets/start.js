/* Selection, share link, keys, and the start. */

const FORMAT = 'patrolgrid.map/1';
let map, land, venues, landLayer, venueLayer, overlay;

function goTo(lat, lon, zoom) {
  if (isPhone()) setSheet('peek');
  map.setView([lat, lon], zoom);
}
function redraw() {
  landLayer.redraw();
  venueLayer?.redraw();
  overlay.paint();
  drawLegend();
}
function drawAll() {
  document.title = say('title');
  drawWatermark();
  drawBar();
  drawLeft();
  drawDetail();
  drawTime();
  drawTools();
  drawLegend();
  drawCredit();
  byId('grip').setAttribute('aria-label', say('sheet'));
  byId(options.id).setAttribute('aria-label', say('title'));
}
function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  readTokens();
  drawAll();
  redraw();
  saveLink();
}
function setLanguage(lang) {
  state.lang = lang;
  map.closePopup();                                      // its words are of the other language
  document.documentElement.lang = lang === 'zh' ? 'zh-CN' : 'en';
  drawAll();
  redraw();
  saveLink();
}
function showTeam(i) {
  if (i !== state.team) selectTeam(i);
}
function selectTeam(i) {
  state.team = i === state.team ? -1 : i;
  state.hover = -1;
  map.closePopup();
  const chosen = state.team >= 0;
  if (!isPhone()) byId('legend').classList.toggle('shut', chosen || innerHeight < 760);
  else setSheet(chosen ? 'half' : 'peek');
  drawDetail();
  drawLeft();
  drawChart(document.querySelector('.track canvas'));
  map.invalidateSize({ animate: false });
  drawLegend();
  fitTeam(state.team);
  overlay.paint();
  if (chosen && !isPhone()) byId('right').querySelector('.btn').focus({ preventScroll: true });
  saveLink();
}

/* The middle 66 % of all stops; or the whole line of one team, clear of every panel. */
function fitTeam(i) {
  const points = [];
  for (const team of i < 0 ? D.teams : [D.teams[i]]) {
    for (const stop of team.stops) points.push(D.places[stop.place].slice(1));
  }
  if (i >= 0) {
    for (const leg of D.teams[i].legs) {
      for (let k = 0; k < leg.xy.length; k += 2) {
        const p = pointOf(map, leg.xy[k], leg.xy[k + 1]);
        points.push([p.lat, p.lng]);
      }
    }
  }
  if (!points.length) {
    const [west, south, east, north] = D.frame;
    return map.fitBounds([[south, west], [north, east]], { animate: false });
  }
  const tail = i < 0 && D.teams.length <= MAX_PINNED ? .17 : 0;
  const sorted = k => points.map(p => p[k]).sort((a, b) => a - b);
  const [lats, lons] = [sorted(0), sorted(1)], pick = (list, f) => list[Math.floor((list.length - 1) * f)];
  map.fitBounds([[pick(lats, tail), pick(lons, tail)], [pick(lats, 1 - tail), pick(lons, 1 - tail)]], { ...fitPadding(i), maxZoom: 16, animate: false });
  if (i < 0 && isPhone() && tail) map.setZoom(map.getZoom() + 1, { animate: false });  // else badges cover each other
  if (i < 0) {
    state.overview = map.getZoom();
    overlay.paint();
  }
}
function fitPadding(i) {
  const open = !isPhone() && !byId('legend').classList.contains('shut'), credit = byId('credit').offsetHeight;
  const bottom = !isPhone() ? (i < 0 ? 40 : 64) : state.sheet === 'half' ? Math.round(innerHeight * .54) - 80 : 36 + credit;
  return { paddingTopLeft: [open ? 90 : 26, isPhone() ? 66 : 34], paddingBottomRight: [isPhone() ? 56 : 60, bottom] };
}

/* Share link: zoom/lat/lon/minute/team/theme/language. */
function saveLink() {
  const { lat, lng } = map.getCenter(), team = D.teams[state.team];
  const parts = [map.getZoom(), lat.toFixed(5), lng.toFixed(5), state.now == null ? '' : minutes(state.now), team ? team.no : '', isNight() ? 'night' : 'day', state.lang];
  try {
    history.replaceState(null, '', '#' + parts.join('/'));
  } catch { /* an embedded page has no address of its own */ }
}
/* While the slider moves the address follows twice a second: browsers refuse more. */
let linkTimer = 0;
function saveLinkSoon() {
  linkTimer ||= setTimeout(() => {
    linkTimer = 0;
    saveLink();
  }, 500);
}
function readLink() {
  const [zoom, lat, lon, minute, team, theme, lang] = location.hash.slice(1).split('/');
  const number = text => (text === undefined || text === '' || Number.isNaN(+text) ? null : +text);
  return { zoom: number(zoom), lat: number(lat), lon: number(lon), minute: number(minute), team: number(team), theme, lang };
}

function onMapClick(e) {
  if (measuring) return measureAt(e.latlng);
  const hit = overlay.hit(e.latlng);
  if (hit?.team === -1) return openUnserved(D.unserved[hit.stop]);
  if (hit?.team === -2) return openStation(hit.stop);
  if (hit) return hit.stop < 0 ? selectTeam(hit.team) : openStop(D.teams[hit.team], D.teams[hit.team].stops[hit.stop]);
  const venue = venueLayer ? venueLayer.hit(e.latlng, map) : -1;
  if (venue >= 0) return openVenue(venue);
  if (D.cells && shown.cells && map.getZoom() >= 15) {
    const row = cellAt(land.cells, e.latlng.lng, e.latlng.lat);
    if (row >= 0) openCell(row, e.latlng);
  }
}
function onKey(e) {
  if (/INPUT|SELECT|TEXTAREA/.test(e.target.tagName) || e.ctrlKey || e.metaKey || e.altKey) return;
  const n = D.teams.length;
  if (e.key === ' ' && e.target.tagName !== 'BUTTON' && n) {
    togglePlay();
    e.preventDefault();
  } else if (e.key === 'Escape') {
    map.closePopup();
    if (state.team >= 0) selectTeam(-1);
  } else if (e.key === 'j' && n) selectTeam((state.team + 1) % n);
  else if (e.key === 'k' && n) selectTeam((Math.max(state.team, 0) + n - 1) % n);
  else if (e.key === '/') {
    byId('find').classList.add('open');
    byId('find').querySelector('input').focus();
    e.preventDefault();
  }
}

function makeMap() {
  map = L.map(options.id, {
    zoomControl: false, attributionControl: false, minZoom: options.min_zoom, maxZoom: options.max_zoom, keyboardPanDelta: 120,
  });
  map.createPane('venues').style.zIndex = 300;
  map.createPane('overlay').style.zIndex = 400;
  const [west, south, east, north] = D.frame;
  map.setView([(south + north) / 2, (west + east) / 2], 11, { animate: false });
  landLayer = new LandLayer(land).addTo(map);
  venueLayer = venues ? new VenueLayer(venues).addTo(map) : null;
  overlay = new Overlay();
  overlay.addTo(map);
  for (const id of ['tools', 'legend', 'corner-clock', 'credit']) {
    L.DomEvent.disableClickPropagation(byId(id));
    L.DomEvent.disableScrollPropagation(byId(id));
  }
}
function wire() {
  map.on('click', onMapClick);
  map.on('moveend zoomend', () => {
    drawCredit();
    if (!frame) drawLegend();
    saveLink();
  });
  map.on('resize', drawWatermark);
  document.addEventListener('keydown', onKey);
  addEventListener('resize', drawAll);
  addEventListener('beforeprint', toPaper);
  addEventListener('afterprint', toScreen);
  wireGrip();
}

function openLink(link) {
  if (link.team != null) {
    const i = D.teams.findIndex(t => t.no === link.team);
    if (i >= 0) selectTeam(i);
  }
  if (link.zoom != null && link.lat != null && link.lon != null) map.setView([link.lat, link.lon], link.zoom, { animate: false });
  if (link.minute != null) setNow(Math.max(0, Math.min(D.meta.length, link.minute * 60)));
  saveLink();
}

/* Build everything; returns the Leaflet map, to which Folium's own layers may be added. */
function start() {
  try {
    if (D.format !== FORMAT) throw new Error(`not ${FORMAT}`);
    const link = readLink();
    if (link.theme === 'night') document.documentElement.dataset.theme = 'night';
    if (link.lang in D.words) state.lang = link.lang;
    document.documentElement.lang = state.lang === 'zh' ? 'zh-CN' : 'en';
    readTokens();
    decodeTeams();
    decodeCells();
    land = decodeLand();
    venues = decodeVenues();
    makeMap();
    if (!isPhone() && innerHeight < 760) byId('legend').classList.add('shut');
    drawAll();
    wire();
    fitTeam(-1);
    openLink(link);
    performance.mark('ready');
    return map;
  } catch (error) {
    const words = element('div', 'fatal', Object.values(D.words).map(w => w['map.fatal']).join(' '));
    words.setAttribute('role', 'alert');
    document.body.append(words);
    throw error;
  }
}

/* For tests and for other scripts on the page. */
return {
  start, selectTeam, setNow, setTheme, setLanguage, setSheet, goTo, redraw, shown, state, data: D, clock, search,
  map: () => map,
  heads: () => overlay.heads,
  hits: () => overlay.hits,
  click: (x, y) => map.fire('click', { latlng: map.layerPointToLatLng([x, y]) }),
  setTab(name) {
    state.tab = name;
    drawLeft();
  },
};
