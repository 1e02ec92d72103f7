/* Time bar: a slider over the shift, and what the teams are doing at each planned minute. */

const MINUTE = 60;
const PLAY_SPEED = 360;                                  // shift seconds per second while playing
let frame = 0, lastFrame = 0;

function drawTime() {
  const bar = byId('time');
  bar.textContent = '';
  bar.hidden = !D.teams.length;
  if (bar.hidden) return;
  const play = iconButton('play', 'play', togglePlay, say('play'));
  play.id = 'play';
  const face = element('div', 'clock'), track = element('div', 'track'), chart = element('canvas');
  face.append(element('b'), element('span'));
  chart.setAttribute('aria-hidden', 'true');
  const range = element('input'), mix = element('div', 'mix');
  range.id = 'range';
  range.type = 'range';
  range.min = 0;
  range.max = D.meta.length;
  range.step = MINUTE;
  range.setAttribute('aria-label', say('planned'));
  range.oninput = () => {
    stopPlaying();
    setNow(+range.value);
  };
  mix.id = 'mix';
  track.append(chart, range, hourMarks(bar.clientWidth), mix);
  const whole = button(say('whole.night'), 'btn whole', () => {
    stopPlaying();
    setNow(null);
  });
  whole.id = 'whole';
  bar.append(play, face, track, whole);
  drawChart(chart);
  setNow(state.now);
}
function hourMarks(width) {
  const hours = element('div', 'hours'), step = width < 640 ? 7200 : 3600;
  for (let s = 0; s <= D.meta.length; s += step) {
    const mark = element('span', '', clock(s));
    mark.style.left = shiftPercent(s) + '%';
    hours.append(mark);
  }
  return hours;
}
/* Area of teams on site and driving, minute by minute; posts and pairs above it. */
function drawChart(canvas) {
  const box = canvas.getBoundingClientRect(), width = box.width || 300, height = box.height || 34;
  const g = sizeCanvas(canvas, width, height), unit = (height - 12) / D.teams.length;
  for (let x = 0; x < width; x++) {
    const doing = teamsDoing(x / width * D.meta.length);
    g.fillStyle = C.line2;
    g.fillRect(x, height - doing.site * unit, 1, doing.site * unit);
    g.fillStyle = C.line;
    g.fillRect(x, height - (doing.site + doing.drive) * unit, 1, doing.drive * unit);
  }
  const drawn = new Set();                               // a pair's two teams share one mark
  for (const team of D.teams) {
    for (const stop of team.stops) {
      if (!isMust(stop) || drawn.has(stop.place)) continue;
      drawn.add(stop.place);
      const x = shiftPercent(stop.arrive) / 100 * width;
      if (stop.kind === POST) drawPost(g, x, 8, 7);
      if (stop.kind === PAIR) drawPair(g, x, 8, 6.5);
    }
  }
}
function setNow(second) {
  state.now = second;
  if (!D.teams.length) return;
  const whole = second == null;
  document.body.classList.toggle('timed', !whole);
  const face = document.querySelector('.clock'), corner = byId('corner-clock'), range = byId('range');
  const [big, small] = whole ? [say('whole.night'), shiftText()] : [clock(second), say('planned')];
  face.firstChild.textContent = corner.textContent = big;
  face.lastChild.textContent = small;
  corner.append(element('span', '', small));
  byId('mix').textContent = whole ? '' : mixText(second);
  range.value = whole ? 0 : second;
  range.setAttribute('aria-valuetext', whole ? say('whole.routes') : clock(second));
  byId('whole').setAttribute('aria-pressed', String(whole));
  markNow();
  markRow();
  overlay.paint();
  saveLinkSoon();
}
function mixText(second) {
  const { site, drive, rest } = teamsDoing(second);
  return say('mix', { site, drive, rest, off: D.teams.length - site - drive - rest });
}
/* The slider's minute in every strip of the team list. */
function markNow() {
  const pane = byId('pane');
  if (!pane) return;
  pane.classList.toggle('timed', state.now != null);
  pane.style.setProperty('--now', shiftPercent(state.now ?? 0) + '%');
}
function togglePlay() {
  if (frame) return stopPlaying();
  if (state.now == null || state.now >= D.meta.length) setNow(0);
  lastFrame = performance.now();
  frame = requestAnimationFrame(tick);
  setPlayFace('pause');
}
function tick(time) {
  const next = state.now + (time - lastFrame) / 1000 * PLAY_SPEED;
  lastFrame = time;
  if (next >= D.meta.length) {
    setNow(D.meta.length);
    return stopPlaying();
  }
  setNow(next);
  frame = requestAnimationFrame(tick);
}
function stopPlaying() {
  if (!frame) return;
  cancelAnimationFrame(frame);
  frame = 0;
  setPlayFace('play');
}
function setPlayFace(name) {
  const play = byId('play');
  play.textContent = '';
  play.append(icon(name));
  play.setAttribute('aria-label', say(name));
  play.title = say(name);
}
