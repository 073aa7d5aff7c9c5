// Statistics of a call as rows of text for the tiles.

const REASONS = {
  best: 'best there is', limited: 'limited by the token', viewport: 'enough for this size', bandwidth: 'limited by the network',
  layerInactive: 'not sent now', waitingForKeyframe: 'waiting for a keyframe', muted: 'muted',
  notVisible: 'not visible', noSource: 'no source', off: 'off', codecNotNegotiated: 'codec not supported',
};

const bits = (value) => (value === null ? '–' : value >= 1e6 ? `${(value / 1e6).toFixed(1)} Mbit/s` : `${Math.round(value / 1000)} kbit/s`);
const size = ({ width, height }) => (width ? `${width} × ${height}` : '–');
const rate = ({ fps }) => (fps ? `${Math.round(fps)} fps` : '–');
const percent = (value) => (value === null ? '–' : `${(value * 100).toFixed(1)} %`);

const layerName = (layer) => (layer ? `${layer.spatial} / ${layer.temporal}` : 'nothing');
const ago = (ms) => (ms < 1000 ? 'just now' : ms < 120_000 ? `${Math.round(ms / 1000)} s ago` : `${Math.round(ms / 60_000)} min ago`);

/** What the server says of the way to this client, and of its newest decision on a slot. */
function explanationFigures(explanation, mid) {
  if (!explanation) return [];
  const { estimate, allocated, wanted } = explanation.network;
  const rows = [['Network', `${bits(estimate)} · ${bits(allocated)} used of ${bits(wanted)}`]];
  const decision = explanation.slots.find((slot) => slot.mid === mid)?.decisions[0];
  if (decision) rows.push(['Decided', `${layerName(decision.given)} of ${layerName(decision.wanted)} at ${bits(decision.estimate)}, ${ago(decision.age)}`]);
  return rows;
}

/** What stands on a tile whose picture the server has paused, if there is something to say. */
export function pauseNote({ layer, reason }) {
  return !layer && reason === 'bandwidth' ? 'Picture paused: the network is too slow' : '';
}

/** What a remote picture is shown with. */
export function remoteFigures(slot, rtt, explanation) {
  if (!slot) return [['Picture', 'no slot']];
  return [
    ['Picture', `${size(slot)} · ${rate(slot)}`],
    ['Bitrate', `${bits(slot.bitrate)} · ${slot.codec ?? '–'}`],
    ['Layer', `${slot.layer ? layerName(slot.layer) : '–'} · ${REASONS[slot.reason] ?? slot.reason}`],
    ...explanationFigures(explanation, slot.mid),
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
