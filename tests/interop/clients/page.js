// Runs in a page of another origin than the server: WHIP and WHEP by plain fetch.

window.client = (() => {
  const PATIENCE_MS = 20_000;
  const [WIDTH, HEIGHT] = [640, 360];
  const RATE = 48_000;

  const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

  async function until(what, probe) {
    for (const deadline = Date.now() + PATIENCE_MS; ;) {
      const found = await probe();
      if (found) return found;
      if (Date.now() > deadline) throw new Error(`not in time: ${what}`);
      await sleep(50);
    }
  }

  /** Opens a session without waiting for candidates: they follow by PATCH (RFC 9725 §4.3.2). */
  async function open(pc, endpoint, token) {
    const authorization = { Authorization: `Bearer ${token}` };
    const candidates = [];
    pc.onicecandidate = ({ candidate }) => { if (candidate?.candidate) candidates.push(candidate.candidate); };
    await pc.setLocalDescription();
    const [early] = pc.localDescription.sdp.match(/a=candidate:.*/) ?? [];
    const answer = await fetch(endpoint, {
      method: 'POST', headers: { ...authorization, 'Content-Type': 'application/sdp' }, body: pc.localDescription.sdp,
    });
    if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
    const session = {
      url: new URL(answer.headers.get('Location'), endpoint).href, tag: answer.headers.get('ETag'), early: early ?? null,
      async patch(condition, lines) {
        const response = await fetch(session.url, {
          method: 'PATCH', body: `${lines.join('\r\n')}\r\n`,
          headers: { ...authorization, 'Content-Type': 'application/trickle-ice-sdpfrag', 'If-Match': condition },
        });
        const text = await response.text();
        return { status: response.status, tag: response.headers.get('ETag'), text };
      },
      async end() { return (await fetch(session.url, { method: 'DELETE', headers: authorization })).status; },
    };
    await pc.setRemoteDescription({ type: 'answer', sdp: await answer.text() });
    await until('candidates', () => pc.iceGatheringState === 'complete');
    const lines = [...credentials(pc), ...candidates.map((candidate) => `a=${candidate}`), 'a=end-of-candidates'];
    const trickled = await session.patch(session.tag, lines);
    if (trickled.status !== 204 || trickled.tag) throw new Error(`trickle: ${JSON.stringify(trickled)}`);
    await until('a connection', () => pc.connectionState === 'connected').catch((error) => {
      throw new Error(`${error.message}: ICE ${pc.iceConnectionState}, all ${pc.connectionState}, candidates ${candidates}`);
    });
    return session;
  }

  const value = (sdp, key) => new RegExp(`^a=${key}:(.*)$`, 'm').exec(sdp)[1].trim();

  function credentials(pc) {
    const { sdp } = pc.localDescription;
    return [`a=ice-ufrag:${value(sdp, 'ice-ufrag')}`, `a=ice-pwd:${value(sdp, 'ice-pwd')}`];
  }

  /** Restarts ICE by PATCH (RFC 9725 §4.3.3): the answer is the old one with the new credentials. */
  async function restart(pc, session) {
    const before = pc.remoteDescription.sdp;
    pc.restartIce();
    await pc.setLocalDescription();
    const restarted = await session.patch('*', credentials(pc));
    if (restarted.status !== 200) throw new Error(`restart: ${JSON.stringify(restarted)}`);
    const sdp = ['ice-ufrag', 'ice-pwd'].reduce(
      (text, key) => text.replaceAll(new RegExp(`^a=${key}:.*$`, 'gm'), `a=${key}:${value(restarted.text, key)}`), before,
    );
    await pc.setRemoteDescription({ type: 'answer', sdp });
    await until('ICE after the restart', () => ['connected', 'completed'].includes(pc.iceConnectionState));
    if (restarted.tag === session.tag) throw new Error('the restart kept its ETag');
    session.tag = restarted.tag;
  }

  function picture(colour) {
    const canvas = Object.assign(document.createElement('canvas'), { width: WIDTH, height: HEIGHT });
    const context = canvas.getContext('2d');
    let frame = 0;
    setInterval(() => {
      context.fillStyle = `#${colour}`;
      context.fillRect(0, 0, WIDTH, HEIGHT);
      context.fillStyle = '#fff';
      context.fillRect((frame * 7) % WIDTH, HEIGHT * 0.8, WIDTH * 0.06, HEIGHT * 0.2);
      frame += 1;
    }, 66);
    return canvas.captureStream(15).getVideoTracks()[0];
  }

  /** Without a pitch, what the browser has for a microphone. */
  async function sound(hertz) {
    if (!hertz) return (await navigator.mediaDevices.getUserMedia({ audio: true })).getAudioTracks()[0];
    const context = new AudioContext();
    const output = context.createMediaStreamDestination();
    const oscillator = new OscillatorNode(context, { frequency: hertz });
    oscillator.connect(new GainNode(context, { gain: 0.4 })).connect(output);
    oscillator.start();
    return output.stream.getAudioTracks()[0];
  }

  let published = null;

  /** `rids` are the encodings of the picture, smallest first; none: one without a name. */
  async function publish(endpoint, token, { colour, hertz, rids }) {
    const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    const stream = new MediaStream([await sound(hertz), picture(colour)]);
    const encodings = rids.map((rid, index) => ({ rid, scaleResolutionDownBy: 2 ** (rids.length - 1 - index) }));
    for (const track of stream.getTracks()) {
      const sendEncodings = track.kind === 'video' && rids.length ? { sendEncodings: encodings } : {};
      pc.addTransceiver(track, { direction: 'sendonly', streams: [stream], ...sendEncodings });
    }
    published = { pc, session: await open(pc, endpoint, token) };
    await until('every encoding', async () => {
      const reports = [...(await pc.getStats()).values()].filter(({ type, kind }) => type === 'outbound-rtp' && kind === 'video');
      return reports.length === Math.max(rids.length, 1) && reports.every(({ framesEncoded }) => framesEncoded > 0);
    });
  }

  async function unpublish() {
    const { pc, session } = published;
    const statuses = [await session.end(), await session.end()];
    // DTLS ends with the session, without a word of ours.
    await until('the end of DTLS', () => [...pc.getSenders()].every(({ transport }) => transport.state === 'closed'));
    pc.close();
    return statuses;
  }

  function colourOf(video) {
    const canvas = Object.assign(document.createElement('canvas'), { width: 16, height: 16 });
    const context = canvas.getContext('2d', { willReadFrequently: true });
    context.drawImage(video, 0, 0, video.videoWidth / 2, video.videoHeight / 2, 0, 0, 16, 16);
    const { data } = context.getImageData(0, 0, 16, 16);
    const sums = [0, 0, 0];
    for (let i = 0; i < data.length; i += 4) for (let c = 0; c < 3; c += 1) sums[c] += data[i + c];
    return sums.map((sum) => Math.round(sum / 256));
  }

  /** Records and decodes, because an AudioContext needs a sound card in Firefox. */
  async function listen(track) {
    const recorder = new MediaRecorder(new MediaStream([track]));
    const recorded = new Promise((resolve) => { recorder.ondataavailable = ({ data }) => resolve(data); });
    recorder.start();
    await sleep(1_500);
    recorder.stop();
    const encoded = await (await recorded).arrayBuffer();
    const sound = await new OfflineAudioContext(1, 1, RATE).decodeAudioData(encoded);
    const samples = sound.getChannelData(0).slice(-RATE / 2);
    const rising = samples.filter((sample, at) => sample >= 0 && samples[at - 1] < 0).length;
    const level = Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
    return { level, frequency: (rising * RATE) / samples.length };
  }

  const framesDecoded = async (pc) => [...(await pc.getStats()).values()]
    .find((report) => report.type === 'inbound-rtp' && report.kind === 'video')?.framesDecoded ?? 0;

  async function play(endpoint, token) {
    const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    const tracks = ['audio', 'video'].map((kind) => pc.addTransceiver(kind, { direction: 'recvonly' }).receiver.track);
    const session = await open(pc, endpoint, token);
    const video = Object.assign(document.createElement('video'), { autoplay: true, muted: true, srcObject: new MediaStream(tracks) });
    document.body.append(video);
    await until('thirty pictures', async () => await framesDecoded(pc) >= 30);
    const audio = await listen(tracks[0]);
    const seen = { frames: await framesDecoded(pc), size: [video.videoWidth, video.videoHeight], colour: colourOf(video) };
    await restart(pc, session);
    await until('pictures after the restart', async () => await framesDecoded(pc) >= seen.frames + 15);
    const ended = await session.end();
    pc.close();
    video.remove();
    return { video: seen, audio, ended, early: session.early };
  }

  return { publish, unpublish, play };
})();
