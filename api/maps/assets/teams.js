/* Teams: their stops, and their legs as pieces of street with a sideways place on each. */

function decodeTeams() {
  D.teams ??= [];
  D.unserved ??= [];
  D.places ??= [];
  D.teams.forEach((team, i) => {
    team.i = i;
    team.stops = team.stops.map(([place, kind, arrive, depart, reason, hour]) => ({ place, kind, arrive, depart, reason, hour }));
    team.visits = team.stops.filter(s => s.kind !== BREAK).length;
    let no = 0;
    for (const stop of team.stops) stop.no = stop.kind === BREAK ? 0 : ++no;
  });
  if (!D.teams.length) return;
  const pieces = readLines(D.pieces, 0, D.lattice).map(p => p.xy), source = reader(D.legs);
  for (const team of D.teams) {
    team.legs = Array.from({ length: team.legs }, () => {
      const depart = source.next(), leg = { depart, arrive: depart + source.next(), ids: [] };
      for (let n = source.next(); n > 0; n--) leg.ids.push(source.next());
      return leg;
    });
  }
  placeSideBySide(pieces);
}

/* A piece used by k (team, direction) pairs has k places, centred: among all teams, and among one
   team's own two directions when it is selected. */
function placeSideBySide(pieces) {
  const among = new Map(), own = new Map();
  const join = (slots, key, who) => {
    if (!slots.has(key)) slots.set(key, []);
    const users = slots.get(key);
    if (!users.includes(who)) users.push(who);
  };
  const user = (team, id) => 2 * team.i + (id < 0);
  for (const team of D.teams) {
    for (const leg of team.legs) {
      for (const id of leg.ids) {
        join(among, Math.abs(id), user(team, id));
        join(own, team.i + '/' + Math.abs(id), user(team, id));
      }
    }
  }
  for (const slots of [among, own]) for (const users of slots.values()) users.sort((a, b) => (a & 1) - (b & 1) || a - b);
  for (const team of D.teams) {
    for (const leg of team.legs) joinPieces(leg, pieces, id => [
      sidePlace(among.get(Math.abs(id)), user(team, id), id),
      sidePlace(own.get(team.i + '/' + Math.abs(id)), user(team, id), id),
    ]);
  }
}
/* Beyond six users the lanes move closer, so that a bundle never leaves its street far behind. */
const MAX_LANES = 6;
function sidePlace(users, who, id) {
  const squeeze = Math.min(1, (MAX_LANES - 1) / Math.max(1, users.length - 1));
  return (users.indexOf(who) - (users.length - 1) / 2) * squeeze * (id < 0 ? -1 : 1);
}

/* A leg's pieces as one line, with its sideways place at every vertex. */
function joinPieces(leg, pieces, places) {
  const xy = [], among = [], own = [];
  for (const id of leg.ids) {
    const piece = pieces[Math.abs(id) - 1], n = piece.length / 2, [a, o] = places(id);
    for (let k = 0; k < n; k++) {
      const j = id > 0 ? k : n - 1 - k, x = piece[2 * j], y = piece[2 * j + 1], end = xy.length;
      if (end && xy[end - 2] === x && xy[end - 1] === y) {
        among[among.length - 1] = (among[among.length - 1] + a) / 2;
        own[own.length - 1] = (own[own.length - 1] + o) / 2;
        continue;
      }
      xy.push(x, y);
      among.push(a);
      own.push(o);
    }
  }
  const box = [2, 2, -1, -1];
  for (let k = 0; k < xy.length; k += 2) {
    box[0] = Math.min(box[0], xy[k]);
    box[1] = Math.min(box[1], xy[k + 1]);
    box[2] = Math.max(box[2], xy[k]);
    box[3] = Math.max(box[3], xy[k + 1]);
  }
  Object.assign(leg, { xy, among, own, box });
}

/* Screen line moved sideways by place * gap pixels: normals averaged at joints, broken at U-turns. */
function offsetLine(xy, places, gap, scale, origin) {
  const n = xy.length / 2, px = [], py = [], line = [];
  for (let i = 0; i < n; i++) {
    px.push(xy[2 * i] * scale - origin.x);
    py.push(xy[2 * i + 1] * scale - origin.y);
  }
  const direction = i => {
    const dx = px[i + 1] - px[i], dy = py[i + 1] - py[i], d = Math.hypot(dx, dy) || 1;
    return [dx / d, dy / d];
  };
  for (let i = 0; i < n; i++) {
    const before = i ? direction(i - 1) : null, after = i < n - 1 ? direction(i) : null, off = places[i] * gap;
    if (before && after && before[0] * after[0] + before[1] * after[1] < -.4) {
      line.push([px[i] - before[1] * off, py[i] + before[0] * off], [px[i] - after[1] * off, py[i] + after[0] * off]);
      continue;
    }
    const one = after || before || [1, 0], dx = before && after ? before[0] + after[0] : one[0], dy = before && after ? before[1] + after[1] : one[1];
    const d = Math.hypot(dx, dy) || 1, nx = dx / d, ny = dy / d;
    const mitre = before && after ? Math.min(1.6, 1 / Math.max(.4, nx * before[0] + ny * before[1])) : 1;
    line.push([px[i] - ny * off * mitre, py[i] + nx * off * mitre]);
  }
  return line;
}

/* A screen line cut at a fraction of its length: what is behind, what is ahead, the point itself. */
function cutLine(line, fraction) {
  if (line.length < 2) return [line, line, line[0]];
  const sums = [0];
  for (let i = 1; i < line.length; i++) sums.push(sums[i - 1] + Math.hypot(line[i][0] - line[i - 1][0], line[i][1] - line[i - 1][1]));
  const at = sums[sums.length - 1] * fraction;
  let i = 1;
  while (i < line.length - 1 && sums[i] < at) i++;
  const u = (at - sums[i - 1]) / (sums[i] - sums[i - 1] || 1), [a, b] = [line[i - 1], line[i]];
  const point = [a[0] + (b[0] - a[0]) * u, a[1] + (b[1] - a[1]) * u];
  return [line.slice(0, i).concat([point]), [point].concat(line.slice(i)), point];
}

/* Teams on site, driving and resting at a planned second of the shift. */
function teamsDoing(second) {
  const doing = { site: 0, drive: 0, rest: 0 };
  for (const team of D.teams) {
    if (second < team.start || second > team.end) continue;
    const stop = team.stops.find(s => s.arrive <= second && second < s.depart);
    doing[!stop ? 'drive' : stop.kind === BREAK ? 'rest' : 'site']++;
  }
  return doing;
}
