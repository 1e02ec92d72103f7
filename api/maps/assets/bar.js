/* Top bar: what this is, for whom, of which night; search; print, day or night, language. */

function drawBar() {
  const bar = byId('bar'), { meta } = D;
  bar.textContent = '';
  bar.append(element('h1', '', say('title')), element('span', 'night desk-only', nightText()));
  if (D.teams.length) bar.append(element('span', 'chip desk-only', `${say('plan')} ${planMark(meta.plan)}`), stateChip(meta.state));
  bar.append(element('span', 'chip inverse desk-only', say('audience.' + meta.audience)));
  if (meta.synthetic) bar.append(element('span', 'chip synthetic', say('synthetic')));
  bar.append(element('span', 'spring'), searchBox());
  bar.append(
    button(say('print'), 'btn desk-only', () => print()),
    button(say(isNight() ? 'theme.day' : 'theme.night'), 'btn', () => setTheme(isNight() ? 'day' : 'night')),
    button(say(isPhone() ? 'other.short' : 'other'), 'btn', () => setLanguage(state.lang === 'zh' ? 'en' : 'zh'), say('other')),
  );
}
/* The end of a plan's id tells two plans of one night apart. */
const planMark = id => id.split('-').pop().slice(0, 8);
function stateChip(name) {
  return element('span', `chip desk-only ${name}`, (name === 'approved' ? '✓ ' : '') + say('state.' + name));
}

/* ---- search over teams, places, stations, towns and villages, streets, venues ---- */

const MAX_FOUND = 9;

function searchBox() {
  const box = element('div', 'find'), input = element('input'), list = element('ul');
  box.id = 'find';
  input.type = 'search';
  input.placeholder = say('find');
  input.setAttribute('aria-label', say('find'));
  input.setAttribute('role', 'combobox');
  input.setAttribute('aria-expanded', 'false');
  input.setAttribute('aria-controls', 'found');
  list.id = 'found';
  list.setAttribute('role', 'listbox');
  list.hidden = true;
  box.append(input, list);
  wireSearch(box, input, list);
  const opener = iconButton('find', 'btn phone-only', () => {
    box.classList.toggle('open');
    input.focus();
  }, say('find'));
  const both = document.createDocumentFragment();
  both.append(box, opener);
  return both;
}
function wireSearch(box, input, list) {
  let found = [], total = 0, at = 0;
  const choose = hit => {
    list.hidden = true;
    input.value = hit.text;
    input.blur();
    box.classList.remove('open');
    hit.go();
  };
  const draw = () => {
    list.textContent = '';
    list.hidden = !input.value.trim();
    input.setAttribute('aria-expanded', String(!list.hidden));
    input.setAttribute('aria-activedescendant', found.length ? 'hit' + at : '');
    found.forEach((hit, k) => {
      const li = element('li', '', hit.text);
      li.id = 'hit' + k;
      li.setAttribute('role', 'option');
      li.setAttribute('aria-selected', String(k === at));
      li.append(element('small', '', hit.kind));
      li.onmousedown = e => {
        e.preventDefault();
        choose(hit);
      };
      list.append(li);
    });
    if (!found.length) list.append(element('li', '', say('find.none')));
    if (total > found.length) list.append(element('li', 'cut', share(found.length, total)));
  };
  input.oninput = () => {
    at = 0;
    ({ found, total } = search(input.value.trim().toLowerCase()));
    draw();
  };
  input.onblur = () => { list.hidden = true; };
  input.onkeydown = e => {
    if (e.key === 'ArrowDown') at = Math.min(found.length - 1, at + 1);
    else if (e.key === 'ArrowUp') at = Math.max(0, at - 1);
    else if (e.key === 'Enter' && found[at]) {
      e.preventDefault();                                // else the same key presses the button that gets the focus
      e.stopPropagation();
      return choose(found[at]);
    }
    else if (e.key === 'Escape') {
      input.value = '';
      found = [];
      total = 0;
      input.blur();
    } else return;
    e.preventDefault();
    draw();
  };
}
/* The first hits, in the order teams, places, stations, towns, streets, venues; and how many there are. */
function search(text) {
  const found = [];
  let total = 0;
  if (!text) return { found, total };
  const offer = (name, kind, go) => {
    if (name.toLowerCase().includes(text) && total++ < MAX_FOUND) found.push({ text: name, kind, go });
  };
  for (const team of D.teams) offer(`${two(team.no)} ${team.name}`, say('teams'), () => showTeam(team.i));
  D.places.forEach(([name, lat, lon], row) => offer(name, say('place'), () => {
    const team = D.teams.find(t => t.stops.some(s => s.place === row));
    if (team) showTeam(team.i);
    goTo(lat, lon, 16);
  }));
  for (const [name, lat, lon] of D.stations) offer(name, say('station'), () => goTo(lat, lon, 15));
  for (const [name, lat, lon, level] of D.labels) {
    if (level !== COUNTY) offer(name, say(level === TOWNSHIP ? 'township' : 'village'), () => goTo(lat, lon, level === TOWNSHIP ? 13 : 15));
  }
  D.streets.names.forEach((name, row) => offer(name, say('street'), () => goToStreet(row)));
  for (let i = 0; venues && i < venues.n; i++) {
    offer(venues.name(i), say('venue'), () => {
      shown.tiers[venues.tier[i]] = true;
      redraw();
      const p = pointOf(map, venues.xy[2 * i], venues.xy[2 * i + 1]);
      goTo(p.lat, p.lng, 17);
      openVenue(i);
    });
  }
  return { found, total };
}
function goToStreet(row) {
  for (const index of land.streets) {
    const line = index.all.find(l => l.head[1] === row);
    if (!line) continue;
    const middle = 2 * Math.floor(line.xy.length / 4), p = pointOf(map, line.xy[middle], line.xy[middle + 1]);
    return goTo(p.lat, p.lng, 15);
  }
}
