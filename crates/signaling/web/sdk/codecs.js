// @ts-check
// Which codecs an m-line offers, and in which order.

/** Codecs in the order wanted, without those that only make the SDP longer. */
function orderedCodecs(capabilities, preferred, alone) {
  const wanted = (codec) => {
    const name = codec.mimeType.toLowerCase().split('/')[1];
    const fmtp = codec.sdpFmtpLine ?? '';
    if (name === 'vp9') return !/profile-id=[1-9]/.test(fmtp);
    if (name === 'h264') return /packetization-mode=1/.test(fmtp);
    if (name === 'av1') return !/profile=[1-9]/.test(fmtp);
    return ['vp8', 'rtx', 'opus'].includes(name);
  };
  const first = (codec) => codec.mimeType.toLowerCase().endsWith('/' + preferred);
  const mayBe = (codec) => !alone || first(codec) || codec.mimeType.toLowerCase().endsWith('/rtx');
  const codecs = (capabilities?.codecs ?? []).filter(wanted).filter(mayBe);
  return [...codecs.filter(first), ...codecs.filter((codec) => !first(codec))];
}

/** `alone`: no other codec is offered. */
export function preferCodecs(transceiver, side, kind, preferred, alone = false) {
  try {
    transceiver.setCodecPreferences(orderedCodecs(side.getCapabilities(kind), preferred, alone));
  } catch { /* An older browser: its own order does as well. */ }
}

const DEPENDENCY_DESCRIPTOR = 'https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension';

/** Offers to read Dependency Descriptors, without which layers within an AV1 stream cannot be told apart. */
export function acceptDependencyDescriptors(transceiver) {
  try {
    const extensions = transceiver.getHeaderExtensionsToNegotiate();
    for (const extension of extensions) if (extension.uri === DEPENDENCY_DESCRIPTOR) extension.direction = 'sendrecv';
    transceiver.setHeaderExtensionsToNegotiate(extensions);
  } catch { /* A browser that has no say in this offers what it can read. */ }
}
