// Runs in the page: a client made from PROTOCOL.md alone, without the SDK. Connects with one data
// channel and one slot, and returns what came of it.

async ({ url, token }) => {
  /** How long each step may take, in ms. */
  const PATIENCE_MS = 15_000;
  const inTime = (what, promise) => Promise.race([
    promise, new Promise((_, reject) => { setTimeout(() => reject(new Error(`not in time: ${what}`)), PATIENCE_MS); }),
  ]);

  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/v1/ws`, ['plenum.v1', `token.${token}`]);
  const heard = [];
  const hear = (type) => inTime(type, new Promise((resolve, reject) => {
    const look = () => {
      const message = heard.find((m) => m.type === type);
      if (message) resolve(message);
      const error = heard.find((m) => m.type === 'error');
      if (error) reject(new Error(JSON.stringify(error)));
    };
    socket.addEventListener('message', look);
    look();
  }));
  socket.addEventListener('message', ({ data }) => heard.push(JSON.parse(data)));
  const say = (message) => socket.send(JSON.stringify(message));
  await inTime('open', new Promise((resolve, reject) => { socket.onopen = resolve; socket.onerror = () => reject(new Error('no WebSocket')); }));

  say({ type: 'join', sdk: 'raw' });
  const joined = await hear('joined');
  const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle', iceServers: joined.iceServers });
  const channel = pc.createDataChannel('x');
  const opened = new Promise((resolve) => { channel.onopen = resolve; });
  const slot = pc.addTransceiver('video', { direction: 'recvonly' });
  await pc.setLocalDescription();
  say({ type: 'offer', id: 1, sdp: pc.localDescription.sdp, slots: [{ mid: slot.mid, policy: 'off' }] });
  const answer = await hear('answer');
  await pc.setRemoteDescription({ type: 'answer', sdp: answer.sdp });
  await inTime('the data channel', opened);
  const connection = await hear('connection');

  const reports = [...(await pc.getStats()).values()];
  const { dtlsState, dtlsCipher, srtpCipher } = reports.find((report) => report.type === 'transport');
  const outcome = {
    protocol: socket.protocol, identity: joined.participant.identity, answerId: answer.id, connection: connection.state,
    slot: slot.currentDirection, channel: channel.readyState, dtlsState, dtlsCipher, srtpCipher,
  };
  say({ type: 'leave' });
  outcome.closing = (await hear('closing')).reason;
  pc.close();
  return outcome;
}
