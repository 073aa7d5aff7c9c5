// @ts-check
// Statistics, condensed.

const milliseconds = (seconds) => (seconds === undefined ? null : Math.round(seconds * 1000));

/** Bits per second since the previous report, or null at the first. */
function bitrateOf(report, bytes, previous) {
  const before = previous.get(report.id);
  previous.set(report.id, { at: report.timestamp, bytes });
  if (!before || report.timestamp <= before.at) return null;
  return Math.max(0, Math.round(((bytes - before.bytes) * 8000) / (report.timestamp - before.at)));
}

export function condense(reports, slots, publications, previous) {
  const all = [...reports.values()];
  const pair = all.find((r) => r.type === 'candidate-pair' && r.nominated && r.state === 'succeeded');
  const codecOf = (report) => reports.get(report?.codecId)?.mimeType?.split('/')[1]?.toLowerCase() ?? null;
  const loss = (r) => (r?.packetsReceived ? Math.max(0, r.packetsLost) / (r.packetsReceived + Math.max(0, r.packetsLost)) : 0);
  return {
    rtt: milliseconds(pair?.currentRoundTripTime),
    availableOutgoing: pair?.availableOutgoingBitrate ?? null,
    slots: slots.map((slot) => {
      const r = all.find((report) => report.type === 'inbound-rtp' && report.mid === slot.mid);
      const { publication, participant, layer, reason } = slot.binding;
      return {
        mid: slot.mid, kind: slot.kind, publication: publication?.id ?? null, participant: participant?.id ?? null, layer, reason,
        codec: codecOf(r), width: r?.frameWidth ?? null, height: r?.frameHeight ?? null, fps: r?.framesPerSecond ?? null,
        bitrate: r ? bitrateOf(r, r.bytesReceived, previous) : null,
        loss: loss(r), jitter: milliseconds(r?.jitter), rtt: milliseconds(pair?.currentRoundTripTime),
        framesDecoded: r?.framesDecoded ?? 0, freezes: r?.freezeCount ?? 0,
        audioLevel: r?.audioLevel ?? null, audioEnergy: r?.totalAudioEnergy ?? 0,
      };
    }),
    publications: publications.map((publication) => ({
      publication: publication.id, source: publication.source, kind: publication.kind, muted: publication.muted,
      encodings: all.filter((r) => r.type === 'outbound-rtp' && r.mid !== undefined && r.mid === publication._transceiver?.mid)
        .map((r) => {
          const remote = reports.get(r.remoteId);
          return {
            rid: r.rid ?? null, codec: codecOf(r), active: r.active ?? true, width: r.frameWidth ?? null, height: r.frameHeight ?? null,
            fps: r.framesPerSecond ?? null, bitrate: bitrateOf(r, r.bytesSent, previous), targetBitrate: r.targetBitrate ?? null,
            limitedBy: r.qualityLimitationReason ?? null, loss: remote?.fractionLost ?? null, rtt: milliseconds(remote?.roundTripTime),
          };
        })
        .sort((a, b) => (a.width ?? 0) - (b.width ?? 0)),
    })),
  };
}
