/* Printing: the view of the screen on one sheet of A4 landscape, by day colours; then back.
   Lengths are CSS pixels (96 per inch) inside the margins that print.css sets. */

const PAPER = { width: 1060, height: 685, detail: 372 };  // map and bar; column of the selected team
const MAX_SHRINK = 1.27;                                 // beyond, text is too small: show a zoom less
let screenView = null;

/* How the map of the screen comes onto the paper: its size there, its scale, and zooms to step back. */
function paperFit(size, room) {
  const need = Math.max(1, size.x / room.x, size.y / room.y);
  const back = Math.max(0, Math.ceil(Math.log2(need / MAX_SHRINK)));
  const shrink = Math.max(1, need / 2 ** back);
  return { width: Math.round(room.x * shrink), height: Math.round(room.y * shrink), scale: 1 / shrink, back };
}
function toPaper() {
  if (screenView) return;
  const size = map.getSize(), room = L.point(PAPER.width - (state.team < 0 ? 0 : PAPER.detail), PAPER.height);
  screenView = { theme: document.documentElement.dataset.theme, center: map.getCenter(), zoom: map.getZoom() };
  const { width, height, scale, back } = paperFit(size, room), { style } = byId(options.id);
  style.setProperty('--paper-width', width + 'px');
  style.setProperty('--paper-height', height + 'px');
  style.setProperty('--paper-scale', scale);
  document.body.classList.add('paper');
  showView('day', screenView.zoom - back);
}
function toScreen() {
  if (!screenView) return;
  document.body.classList.remove('paper');
  showView(screenView.theme, screenView.zoom);
  screenView = null;
}
function showView(theme, zoom) {
  map.invalidateSize({ animate: false, pan: false });
  map.setView(screenView.center, zoom, { animate: false });
  setTheme(theme);
}
