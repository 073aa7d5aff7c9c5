// Where the tiles go. Pure functions from a number of tiles and an area to rectangles.

/** Space between tiles, in CSS pixels. */
const GAP = 10;
/** A tile narrower than this shows nobody; those that do not fit are left out, in CSS pixels. */
const MIN_WIDTH = 132;
/** Tiles are between these shapes: upright areas (phones) take upright tiles, wide ones do not. */
const UPRIGHT_RATIOS = [3 / 5, 16 / 9];
const WIDE_RATIOS = [4 / 3, 16 / 9];

/** Tiles of the rows below a large one, in CSS pixels. */
const STRIP_WIDTH = 108;
const STRIP_WIDTH_MAX = 220;

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/** The largest tiles of an allowed shape for `cols` columns. */
function fit(cols, rows, width, height) {
  const cellWidth = (width - GAP * (cols - 1)) / cols;
  const cellHeight = (height - GAP * (rows - 1)) / rows;
  const ratio = clamp(cellWidth / cellHeight, ...(height > width ? UPRIGHT_RATIOS : WIDE_RATIOS));
  const w = Math.min(cellWidth, cellHeight * ratio);
  return { cols, rows, width: w, height: w / ratio };
}

/** All tiles alike and as large as possible. Returns one rectangle per tile that fits. */
export function gridLayout(count, width, height) {
  if (count < 1 || width < 1 || height < 1) return [];
  let best = null;
  for (let cols = 1; cols <= count; cols += 1) {
    const option = fit(cols, Math.ceil(count / cols), width, height);
    const legible = option.width >= MIN_WIDTH || !best || best.width < MIN_WIDTH;
    if (!best || (legible && option.width * option.height > best.width * best.height)) best = option;
  }
  if (best.width < MIN_WIDTH && count > 1) return gridLayout(count - 1, width, height);
  const top = (height - best.rows * best.height - GAP * (best.rows - 1)) / 2;
  return Array.from({ length: count }, (_, index) => {
    const row = Math.floor(index / best.cols);
    const inRow = Math.min(best.cols, count - row * best.cols);
    const left = (width - inRow * best.width - GAP * (inRow - 1)) / 2;
    return {
      x: left + (index % best.cols) * (best.width + GAP), y: top + row * (best.height + GAP),
      width: best.width, height: best.height,
    };
  });
}

/** The first tile large, the others in a column beside it (wide areas) or in rows below it (tall areas). */
export function stageLayout(count, width, height) {
  if (count < 1 || width < 1 || height < 1) return [];
  if (count === 1) return [{ x: 0, y: 0, width, height }];
  return width > height * 1.2 ? besideLayout(count - 1, width, height) : belowLayout(count - 1, width, height);
}

function besideLayout(others, width, height) {
  const w = clamp(width * 0.19, 130, 260);
  const h = (w * 9) / 16;
  const shown = Math.min(others, Math.max(1, Math.floor((height + GAP) / (h + GAP))));
  const start = (height - shown * (h + GAP) + GAP) / 2;
  const main = { x: 0, y: 0, width: width - w - GAP, height };
  return [main, ...Array.from({ length: shown }, (_, index) => ({ x: main.width + GAP, y: start + index * (h + GAP), width: w, height: h }))];
}

/** As many rows as leave the first tile half of the height, or a picture of 4:3 its place. */
function belowLayout(others, width, height) {
  const cols = Math.max(1, Math.min(others, Math.floor((width + GAP) / (STRIP_WIDTH + GAP))));
  const w = Math.min(STRIP_WIDTH_MAX, (width - GAP * (cols - 1)) / cols);
  const h = (w * 9) / 16;
  const spare = height - Math.max(height / 2, (width * 3) / 4);
  const rows = clamp(Math.floor(spare / (h + GAP)), 1, Math.ceil(others / cols));
  const main = { x: 0, y: 0, width, height: height - rows * (h + GAP) };
  return [main, ...Array.from({ length: Math.min(others, rows * cols) }, (_, index) => {
    const row = Math.floor(index / cols);
    const inRow = Math.min(cols, others - row * cols);
    return { x: (width - inRow * (w + GAP) + GAP) / 2 + (index % cols) * (w + GAP), y: main.height + GAP + row * (h + GAP), width: w, height: h };
  })];
}
