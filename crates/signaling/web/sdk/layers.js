// @ts-check
// How a picture is sent: number of encodings, their sizes and bitrates.

/** A 720p picture at 30 frames/s gets this many bits/s; other sizes are scaled from it. */
const BITRATE_720P = 1_700_000;
/** Screens need sharp text: a floor of bits/s for their full layer. */
const SCREEN_BITRATE = 2_500_000;

/** Bits per second that a picture of this size deserves. */
function bitrateFor(width, height) {
  return Math.round(BITRATE_720P * ((width * height) / (1280 * 720)) ** 0.87);
}

/**
 * Encodings for a picture, smallest first. The number follows what browsers accept to encode:
 * three from 960x540, two from 480x270, one below.
 */
export function planEncodings({ width = 640, height = 360 } = {}, options = {}) {
  const { source = 'camera', simulcast = true, codec = 'vp8', maxBitrate, maxFramerate } = options;
  const screen = source === 'screen';
  const pixels = width * height;
  const fit = screen ? (pixels >= 960 * 540 ? 2 : 1) : pixels >= 960 * 540 ? 3 : pixels >= 480 * 270 ? 2 : 1;
  const count = simulcast ? Math.min(fit, options.layers ?? 3) : 1;
  const top = maxBitrate ?? Math.max(bitrateFor(width, height), screen ? SCREEN_BITRATE : 0);
  return Array.from({ length: count }, (_, index) => {
    const scale = 2 ** (count - 1 - index);
    const bitrate = scale === 1 ? top : Math.min(top, bitrateFor(width / scale, height / scale) * (screen ? 2 : 1));
    return {
      ...(count > 1 ? { rid: 'qhf'[index] } : {}),
      scaleResolutionDownBy: scale,
      maxBitrate: bitrate,
      ...(maxFramerate ? { maxFramerate } : {}),
      ...(codec === 'h264' ? {} : { scalabilityMode: options.scalabilityMode ?? (screen ? 'L1T1' : 'L1T3') }),
    };
  });
}
