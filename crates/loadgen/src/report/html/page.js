// Reading a plot: the values at the time under the pointer.
for (const figure of document.querySelectorAll("figure")) {
  const svg = figure.querySelector("svg");
  const data = JSON.parse(svg.dataset.values);
  const cursor = document.createElementNS(svg.namespaceURI, "path");
  cursor.setAttribute("class", "cursor");
  const reading = document.createElement("div");
  reading.className = "reading";
  const hide = () => { cursor.remove(); reading.remove(); };
  svg.addEventListener("pointerleave", hide);
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width * data.width;
    const second = (x - data.left) / (data.right - data.left) * data.seconds;
    const nearest = data.times.reduce((best, at, n) =>
      Math.abs(at - second) < Math.abs(data.times[best] - second) ? n : best, 0);
    if (data.times.length === 0) return hide();
    const at = data.times[nearest];
    const place = data.left + at / data.seconds * (data.right - data.left);
    cursor.setAttribute("d", `M${place} ${data.top}V${data.bottom}`);
    svg.append(cursor);
    const values = data.lines.map(([name, values]) =>
      `${name} ${values[nearest] === null ? "–" : values[nearest].toLocaleString("en")}`);
    reading.textContent = [`${at.toFixed(0)} s`, ...values].join("  ·  ");
    figure.append(reading);
    const half = place > data.width / 2;
    reading.style.left = half ? "auto" : `${place / data.width * box.width + 28}px`;
    reading.style.right = half ? `${(1 - place / data.width) * box.width + 28}px` : "auto";
  });
}
