// Runs in the page: looks at the pixels and listens to the sound that reached it.

window.probe = (() => {
  /** Part of the picture that is averaged: the upper left, where the moving bar never is. */
  const SAMPLE = 16;
  let audio = null;

  const person = (name) => [...(window.plenum?.room?.participants.values() ?? [])].find((p) => p.name === name);

  function colourOf(video) {
    if (!video.videoWidth) return null;
    const canvas = new OffscreenCanvas(SAMPLE, SAMPLE);
    const context = canvas.getContext('2d', { willReadFrequently: true });
    context.drawImage(video, 0, 0, video.videoWidth / 4, video.videoHeight / 4, 0, 0, SAMPLE, SAMPLE);
    const { data } = context.getImageData(0, 0, SAMPLE, SAMPLE);
    const sums = [0, 0, 0];
    for (let i = 0; i < data.length; i += 4) for (let c = 0; c < 3; c += 1) sums[c] += data[i + c];
    return sums.map((sum) => Math.round(sum / (SAMPLE * SAMPLE)));
  }

  async function picture(name, kind) {
    const publication = person(name)?.publication(kind);
    const key = `${person(name)?.identity}`;
    const tile = document.querySelector(`.tile[data-identity="${CSS.escape(key)}"][data-kind="${kind}"]:not(.own)`);
    if (!publication || !tile) return null;
    const slot = (await window.plenum.room.getStats()).remotes.find((s) => s.publication === publication.id);
    const video = tile.querySelector('video');
    return {
      playing: tile.classList.contains('playing') && !tile.classList.contains('no-picture'),
      main: tile.classList.contains('main'), colour: colourOf(video), width: video.videoWidth, height: video.videoHeight,
      framesDecoded: slot?.framesDecoded ?? 0, layer: slot?.layer ?? null, reason: slot?.reason ?? null,
    };
  }

  /** Loudness (root mean square, 0 to 1) and the loudest frequency. */
  async function sound(name) {
    const publication = person(name)?.publication('microphone');
    if (!publication?.track) return null;
    audio ??= new AudioContext();
    const source = audio.createMediaStreamSource(new MediaStream([publication.track]));
    const analyser = new AnalyserNode(audio, { fftSize: 4096, smoothingTimeConstant: 0 });
    source.connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const bins = new Float32Array(analyser.frequencyBinCount);
    let best = { level: 0, frequency: 0 };
    for (let i = 0; i < 10; i += 1) {
      await new Promise((resolve) => setTimeout(resolve, 120));
      analyser.getFloatTimeDomainData(samples);
      analyser.getFloatFrequencyData(bins);
      const level = Math.sqrt(samples.reduce((sum, s) => sum + s * s, 0) / samples.length);
      const peak = bins.indexOf(Math.max(...bins));
      if (level > best.level) best = { level, frequency: Math.round((peak * audio.sampleRate) / analyser.fftSize) };
    }
    source.disconnect();
    return best;
  }

  const watched = new Map();

  /** From now on notes for each remote picture how long it stood still, pauses left out. */
  function watchFreezes() {
    for (const tile of document.querySelectorAll('.tile:not(.own)[data-kind="camera"]')) {
      const video = tile.querySelector('video');
      const state = { last: performance.now(), longest: 0, paused: false };
      watched.set(tile.dataset.identity, state);
      const frame = () => {
        const now = performance.now();
        if (!state.paused) state.longest = Math.max(state.longest, now - state.last);
        [state.last, state.paused] = [now, false];
        video.requestVideoFrameCallback(frame);
      };
      video.requestVideoFrameCallback(frame);
    }
    window.plenum.room.on('slotChanged', ({ participant, kind, layer }) => {
      for (const [identity, state] of watched) {
        const mine = kind === 'video' && participant?.identity === identity;
        if (!mine || layer || state.paused) continue;
        state.longest = Math.max(state.longest, performance.now() - state.last);
        state.paused = true;
      }
    });
  }

  /** Longest freeze of each, in ms. */
  const freezes = () => Object.fromEntries([...watched].map(([identity, { longest }]) => [identity, Math.round(longest)]));

  return { picture, sound, watchFreezes, freezes };
})();
