/* The marks of the map. Each meaning has a second carrier beside colour: shape, outline, character. */

const DASHES = [[], [4, 2.2], [.01, 2], [4.5, 2, .01, 2]];   // in line widths, round caps

function center(g, text, x, y, size, weight = 700) {
  g.font = `${weight} ${size}px ${FONT}`;
  g.textAlign = 'center';
  g.textBaseline = 'middle';
  g.fillText(text, x, y);
}
function polygon(g, x, y, corners) {
  g.beginPath();
  corners.forEach(([dx, dy], i) => g[i ? 'lineTo' : 'moveTo'](x + dx, y + dy));
  g.closePath();
}

/* Number badge; its outline repeats the dash: rectangle, pill, hexagon, two cut corners. */
function drawBadge(g, x, y, team, scale) {
  const text = two(team.no), w = (text.length > 2 ? 17 : 14) * scale, h = 10 * scale;
  if (team.dash === 1) {
    g.beginPath();
    g.arc(x - w + h, y, h, Math.PI / 2, -Math.PI / 2);
    g.arc(x + w - h, y, h, -Math.PI / 2, Math.PI / 2);
    g.closePath();
  } else if (team.dash === 2) {
    polygon(g, x, y, [[-w - 3, 0], [-w + 4, -h], [w - 4, -h], [w + 3, 0], [w - 4, h], [-w + 4, h]]);
  } else if (team.dash === 3) {
    polygon(g, x, y, [[-w, -h], [w - 6, -h], [w, -h + 6], [w, h], [-w + 6, h], [-w, h - 6]]);
  } else {
    polygon(g, x, y, [[-w, -h], [w, -h], [w, h], [-w, h]]);
  }
  g.setLineDash([]);
  g.fillStyle = C.hues[team.hue];
  g.fill();
  g.lineWidth = 1.6;
  g.strokeStyle = C.casing;
  g.stroke();
  g.fillStyle = C.teamink;
  center(g, text, x, y + 1, 13 * scale);
}

/* Venue: red triangle, yellow square, green circle; overdue is a heavy ring of ink around it. */
function drawTier(g, x, y, r, tier, late, character) {
  if (tier === 0) {
    polygon(g, x, y, [[0, -r * 1.25], [r * 1.2, r * .85], [-r * 1.2, r * .85]]);
  } else if (tier === 1) {
    g.beginPath();
    g.rect(x - r * .88, y - r * .88, r * 1.76, r * 1.76);
  } else {
    g.beginPath();
    g.arc(x, y, r * .82, 0, 7);
  }
  g.fillStyle = C.tiers[tier];
  g.fill();
  g.strokeStyle = C.tierline;
  g.lineWidth = r > 3.2 ? 1 : .6;
  g.stroke();
  if (late && r > 3) {
    g.beginPath();
    g.arc(x, y, r * (r > 7 ? 1.25 : 1.45) + 1.2, 0, 7);
    g.strokeStyle = C.ink;
    g.lineWidth = r > 5 ? 2.2 : 1.4;
    g.stroke();
  }
  if (character && r > 7) {
    g.fillStyle = tier === 0 ? C.redink : C.tierink;
    center(g, character, x, y + (tier === 0 ? 2 : .5), tier === 0 ? 10 : 11);
  }
}

/* Unserved: a hollow diamond, light by day and by night: asked for, not planned. */
function drawUnserved(g, x, y, r) {
  polygon(g, x, y, [[0, -r], [r, 0], [0, r], [-r, 0]]);
  g.lineWidth = 5;
  g.strokeStyle = C.diamondhalo;
  g.stroke();
  g.fillStyle = C.diamond;
  g.fill();
  g.lineWidth = 2.2;
  g.strokeStyle = C.diamondline;
  g.stroke();
  if (r > 9) {
    g.fillStyle = C.diamondline;
    center(g, say('mark.unserved'), x, y + 1, 11);
  }
}
function drawStation(g, x, y, r) {
  polygon(g, x, y, [[-r, r], [-r, -r * .35], [0, -r * 1.25], [r, -r * .35], [r, r]]);
  g.fillStyle = C.inv;
  g.fill();
  g.lineWidth = 1.5;
  g.strokeStyle = C.casing;
  g.stroke();
  if (r > 6) {
    g.fillStyle = C.invink;
    center(g, say('mark.station'), x, y + r * .15, Math.round(r * 1.2));
  }
}
function drawPost(g, x, y, r) {
  g.beginPath();
  g.rect(x - r, y - r, 2 * r, 2 * r);
  g.fillStyle = C.inv;
  g.fill();
  g.strokeStyle = C.casing;
  g.lineWidth = 1.6;
  g.stroke();
  g.fillStyle = C.invink;
  center(g, say('mark.post'), x, y + 1, Math.round(r * 1.3));
}
function drawPair(g, x, y, r) {
  for (const side of [-.45, .45]) {
    g.beginPath();
    g.arc(x + side * r, y, r, 0, 7);
    g.fillStyle = C.panel;
    g.fill();
    g.lineWidth = 2.2;
    g.strokeStyle = C.ink;
    g.stroke();
  }
  g.beginPath();
  g.arc(x, y, r * .8, 0, 7);
  g.fillStyle = C.panel;
  g.fill();
  g.fillStyle = C.ink;
  center(g, say('mark.pair'), x, y + 1, Math.round(r * 1.2));
}
