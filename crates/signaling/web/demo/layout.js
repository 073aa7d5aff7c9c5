// Where the tiles go. Pure functions from a number of tiles and an area to rectangles.

/** Space between tiles, in CSS pixels. */
const GAP = 10;
/** A tile narrower than this shows nobody; those that do not fit are left out, in CSS pixels. */
const MIN_WIDTH = 132;
/** Tiles are between these shapes: upright areas (phones) take upright tiles, wide ones do not. */
const UPRIGHT_RATIOS = [3 / 4, 16 / 9];
const WIDE_RATIOS = [4 / 3, 16 / 9];

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
    if (!best || option.width * option.height > best.width * best.height) best = option;
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

/** The first tile large, the others in a strip beside it (wide areas) or below it (tall areas). */
export function stageLayout(count, width, height) {
  if (count < 1 || width < 1 || height < 1) return [];
  if (count === 1) return [{ x: 0, y: 0, width, height }];
  const beside = width > height * 1.2;
  const small = beside
    ? { width: clamp(width * 0.19, 130, 260), height: 0 }
    : { width: clamp(width * 0.3, 104, 220), height: 0 };
  small.height = (small.width * 9) / 16;
  const main = beside
    ? { x: 0, y: 0, width: width - small.width - GAP, height }
    : { x: 0, y: 0, width, height: height - small.height - GAP };
  const room = beside ? (height + GAP) / (small.height + GAP) : (width + GAP) / (small.width + GAP);
  const shown = Math.min(count - 1, Math.max(1, Math.floor(room)));
  const used = beside ? shown * (small.height + GAP) - GAP : shown * (small.width + GAP) - GAP;
  const start = ((beside ? height : width) - used) / 2;
  const strip = Array.from({ length: shown }, (_, index) => (beside
    ? { x: main.width + GAP, y: start + index * (small.height + GAP), ...small }
    : { x: start + index * (small.width + GAP), y: main.height + GAP, ...small }));
  return [main, ...strip];
}
