/* "Synthetic" across the map, faint, so that no crop can lose it. */
function drawWatermark() {
  const canvas = byId('watermark');
  canvas.hidden = !D.meta.synthetic;
  if (canvas.hidden) return;
  const { x: width, y: height } = map.getSize(), g = sizeCanvas(canvas, width, height);
  canvas.style.width = width + 'px';
  canvas.style.height = height + 'px';
  g.fillStyle = C.ink;
  g.globalAlpha = .055;
  g.font = `600 20px ${FONT}`;
  g.textAlign = 'center';
  for (let y = 60, row = 0; y < height + 100; y += 170, row++) {
    for (let x = row % 2 ? 60 : 240; x < width + 200; x += 400) {
      g.save();
      g.translate(x, y);
      g.rotate(-.42);
      g.fillText(say('watermark'), 0, 0);
      g.restore();
    }
  }
}
