/* What the page says. Both languages are inside; `say` looks a message up by its code. */

const options = JSON.parse(document.getElementById('patrol-options').textContent);
const D = JSON.parse(document.getElementById('patrol-data').textContent);
const state = { lang: options.lang, now: null, team: -1, hover: -1, tab: 'teams', sheet: 'peek', overview: 0 };

const fill = (template, values) => template.replace(/\{(\w+)\}/g, (_, key) => (key in values ? String(values[key]) : ''));
const sayCode = (code, values = {}) => fill(D.words[state.lang][code] ?? code, values);
const say = (code, values) => sayCode('map.' + code, values);

const two = n => String(n).padStart(2, '0');
const count = n => n.toLocaleString('en');
const share = (n, N) => `${count(n)}/${count(N)}`;

/* Seconds of the shift as a clock time, to the nearest minute. */
function clock(second) {
  const minute = Math.round((D.meta.start + second) / 60);
  return two(Math.floor(minute / 60) % 24) + ':' + two(minute % 60);
}
const minutes = seconds => Math.round(seconds / 60);
const shiftText = () => `${clock(0)}–${clock(D.meta.length)}`;

function nightText() {
  const day = new Date(D.meta.night + 'T00:00:00Z');
  return say('night', {
    month: state.lang === 'zh' ? day.getUTCMonth() + 1 : say('month').split(' ')[day.getUTCMonth()],
    day: day.getUTCDate(),
    weekday: say('weekday').split(' ')[day.getUTCDay()],
    start: clock(0),
    end: clock(D.meta.length),
  });
}
function dateAfter(days) {
  return new Date(Date.parse(D.meta.night + 'T00:00:00Z') + days * 864e5).toISOString().slice(0, 10);
}

/* A reason or cause in words, and the hour its demand peaks at. */
function because(code, hour) {
  const peak = hour >= 0 ? say('peak', { hour, next: (hour + 1) % 24 }) : '';
  return [code ? sayCode(code) : '', peak].filter(Boolean).join(' · ');
}

const STOP = 0, POST = 1, PAIR = 2, BREAK = 3;
function stopReason(team, stop) {
  if (stop.kind === PAIR) {
    const others = D.teams.filter(o => o !== team && o.stops.some(s => s.kind === PAIR && s.place === stop.place));
    return say('pair.with', { teams: others.map(o => two(o.no)).join(', ') });
  }
  if (stop.kind === POST) return say('post.why', { at: clock(stop.arrive) });
  return because(stop.reason, stop.hour);
}
