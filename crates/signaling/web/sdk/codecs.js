// @ts-check
// Which codecs an m-line offers, and in which order.

/** Codecs in the order wanted, without those that only make the SDP longer. */
function orderedCodecs(capabilities, preferred) {
  const wanted = (codec) => {
    const name = codec.mimeType.toLowerCase().split('/')[1];
    const fmtp = codec.sdpFmtpLine ?? '';
    if (name === 'vp9') return !/profile-id=[1-9]/.test(fmtp);
    if (name === 'h264') return /packetization-mode=1/.test(fmtp);
    if (name === 'av1') return !/profile=[1-9]/.test(fmtp);
    return ['vp8', 'rtx', 'opus'].includes(name);
  };
  const first = (codec) => codec.mimeType.toLowerCase().endsWith('/' + preferred);
  const codecs = (capabilities?.codecs ?? []).filter(wanted);
  return [...codecs.filter(first), ...codecs.filter((codec) => !first(codec))];
}

export function preferCodecs(transceiver, side, kind, preferred) {
  try {
    transceiver.setCodecPreferences(orderedCodecs(side.getCapabilities(kind), preferred));
  } catch { /* An older browser: its own order does as well. */ }
}
