// Statistics of a call as rows of text for the tiles.

const REASONS = {
  best: 'best there is', viewport: 'enough for this size', bandwidth: 'limited by the network',
  layerInactive: 'not sent now', waitingForKeyframe: 'waiting for a keyframe', muted: 'muted',
  notVisible: 'not visible', noSource: 'no source', off: 'off', codecNotNegotiated: 'codec not supported',
};

const bits = (value) => (value === null ? '–' : value >= 1e6 ? `${(value / 1e6).toFixed(1)} Mbit/s` : `${Math.round(value / 1000)} kbit/s`);
const size = ({ width, height }) => (width ? `${width} × ${height}` : '–');
const rate = ({ fps }) => (fps ? `${Math.round(fps)} fps` : '–');
const percent = (value) => (value === null ? '–' : `${(value * 100).toFixed(1)} %`);

/** What a remote picture is shown with. */
export function remoteFigures(slot, rtt) {
  if (!slot) return [['Picture', 'no slot']];
  return [
    ['Picture', `${size(slot)} · ${rate(slot)}`],
    ['Bitrate', `${bits(slot.bitrate)} · ${slot.codec ?? '–'}`],
    ['Layer', `${slot.layer ? `${slot.layer.spatial} / ${slot.layer.temporal}` : '–'} · ${REASONS[slot.reason] ?? slot.reason}`],
    ['Loss', `${percent(slot.loss)} · jitter ${slot.jitter ?? '–'} ms`],
    ['Round trip', rtt === null ? '–' : `${rtt} ms`],
  ];
}

/** What the own picture is sent with: one row per encoding. */
export function localFigures(publication, rtt) {
  const rows = (publication?.encodings ?? []).map((encoding) => [
    encoding.rid ? `Layer ${encoding.rid}` : 'Sends',
    encoding.active && encoding.fps ? `${size(encoding)} · ${rate(encoding)} · ${bits(encoding.bitrate)}` : 'paused',
  ]);
  const limit = publication?.encodings.find((encoding) => encoding.limitedBy && encoding.limitedBy !== 'none');
  if (limit) rows.push(['Limited by', limit.limitedBy]);
  rows.push(['Round trip', rtt === null ? '–' : `${rtt} ms`]);
  return rows;
}
