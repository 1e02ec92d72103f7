/* Parts of the page: elements, buttons, icons, and the colours the canvas shares with the panels.
   Text from data goes through textContent only. */

const byId = id => document.getElementById(id);
const isPhone = () => matchMedia('(max-width:760px)').matches;
const isNight = () => document.documentElement.dataset.theme === 'night';

function element(tag, cls, text) {
  const e = document.createElement(tag);
  if (cls) e.className = cls;
  if (text != null) e.textContent = text;
  return e;
}
function button(text, cls, act, label) {
  const b = element('button', cls, text);
  b.type = 'button';
  b.onclick = act;
  if (label) {
    b.setAttribute('aria-label', label);
    b.title = label;
  }
  return b;
}

const ICONS = {
  plus: 'M10 4v12M4 10h12',
  minus: 'M4 10h12',
  fit: 'M3 7V3h4M13 3h4v4M17 13v4h-4M7 17H3v-4M8 8h4v4H8z',
  ruler: 'M3 13 13 3l4 4L7 17zM6 10l2 2M9 7l2 2M12 4l2 2',
  full: 'M8 3H3v5M12 3h5v5M17 12v5h-5M8 17H3v-5',
  find: 'M9 3a6 6 0 1 0 .01 0M13.5 13.5 18 18',
  play: 'M6 3.5v13l11-6.5z',
  pause: 'M5 4h3.6v12H5zM11.4 4H15v12h-3.6z',
  up: 'M4 13l6-6 6 6',
  down: 'M4 7l6 6 6-6',
};
const SOLID = new Set(['play', 'pause']);
function icon(name) {
  const ns = 'http://www.w3.org/2000/svg', svg = document.createElementNS(ns, 'svg');
  const path = document.createElementNS(ns, 'path');
  svg.setAttribute('viewBox', '0 0 20 20');
  svg.setAttribute('class', SOLID.has(name) ? 'icon solid' : 'icon');
  svg.setAttribute('aria-hidden', 'true');
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}
function iconButton(name, cls, act, label) {
  const b = button('', cls, act, label);
  b.append(icon(name));
  return b;
}

/* Screen pixels per CSS pixel, at most 2: more costs memory and shows nothing; 2 on paper. */
const density = () => (document.body.classList.contains('paper') ? 2 : Math.min(2, devicePixelRatio || 1));
function sizeCanvas(canvas, width, height) {
  const k = density();
  canvas.width = width * k;
  canvas.height = height * k;
  const g = canvas.getContext('2d');
  g.setTransform(k, 0, 0, k, 0, 0);
  return g;
}
/* A small canvas for lists and legend, drawn with the map's own symbols. */
function swatch(draw, width = 22, height = 20) {
  const canvas = element('canvas');
  canvas.style.width = width + 'px';
  canvas.style.height = height + 'px';
  canvas.setAttribute('aria-hidden', 'true');
  draw(sizeCanvas(canvas, width, height), width / 2, height / 2);
  return canvas;
}

const TOKENS = ('ink ink2 line line2 panel panel2 land built water road0 road1 road2 road3 case0 case1 case2 case3 thin0 thin1 thin2 rural '
  + 'bcounty btown bvillage grid label label2 halo dens dens-strength red yellow green tierline redink tierink '
  + 'diamond diamondline diamondhalo teamink casing inv invink c0 c1 c2 c3 c4 t0 t1 t2 t3 t4 t5').split(' ');
let C = {}, FONT = 'sans-serif';
function readTokens() {
  const style = getComputedStyle(document.documentElement);
  C = Object.fromEntries(TOKENS.map(name => [name, style.getPropertyValue('--' + name).trim()]));
  C.hues = [C.t0, C.t1, C.t2, C.t3, C.t4, C.t5];
  C.tiers = [C.red, C.yellow, C.green];
  C.roads = [C.road0, C.road1, C.road2, C.road3];
  C.cases = [C.case0, C.case1, C.case2, C.case3];
  C.thins = [C.thin0, C.thin1, C.thin2, C.thin2];
  C.strength = +C['dens-strength'];
  FONT = style.getPropertyValue('--font').trim();
}
const withHue = (e, team) => {
  e.style.setProperty('--tc', C.hues[team.hue]);
  return e;
};
const badgeElement = team => withHue(element('span', 'badge d' + team.dash, two(team.no)), team);
