// People of one page: each a room of the SDK that publishes a painted picture.

/** Runs in the page: joins as `name` with what the options say. */
async function enter({ token, name, hue, camera, microphone, screen }) {
  const { Room } = await import('/plenum.js');
  const room = await Room.join({ token, name, playAudio: false });
  const paint = (width, height, draw) => {
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    const context = canvas.getContext('2d');
    let frame = 0;
    const timer = setInterval(() => draw(context, width, height, frame++), 200);
    const [track] = canvas.captureStream(5).getVideoTracks();
    room.on('closed', () => clearInterval(timer));
    return track;
  };
  const person = (c, w, h, frame) => {
    const wall = c.createLinearGradient(0, 0, w, h);
    wall.addColorStop(0, `hsl(${hue} 35% 62%)`);
    wall.addColorStop(1, `hsl(${hue + 30} 30% 38%)`);
    c.fillStyle = wall;
    c.fillRect(0, 0, w, h);
    c.fillStyle = `hsl(${hue + 180} 30% 30%)`;
    c.beginPath(); c.ellipse(w / 2, h * 1.1, w * 0.27, h * 0.45, 0, 0, 7); c.fill();
    c.fillStyle = 'hsl(25 45% 68%)';
    c.beginPath(); c.ellipse(w / 2 + Math.sin(frame / 5) * 4, h * 0.43, h * 0.19, h * 0.24, 0, 0, 7); c.fill();
  };
  const slide = (c, w, h, frame) => {
    c.fillStyle = '#fff';
    c.fillRect(0, 0, w, h);
    c.fillStyle = '#223';
    c.font = `${h / 9}px sans-serif`;
    c.fillText('Quarterly figures', w * 0.06, h * 0.16);
    for (let i = 0; i < 9; i += 1) c.fillRect(w * (0.08 + i * 0.1), h * (0.9 - 0.06 * (i + ((frame + i) % 3))), w * 0.06, h);
  };
  if (camera) await room.publish(paint(640, 360, person), { source: 'camera' });
  if (microphone) {
    const sound = new AudioContext().createMediaStreamDestination().stream.getAudioTracks()[0];
    await room.publish(sound, { source: 'microphone', muted: microphone === 'muted' });
  }
  if (screen) await room.publish(paint(1280, 720, slide), { source: 'screen' });
  (window.crowd ??= new Map()).set(name, room);
}

/** Somebody from the list joins through the page, one after the other. */
export class Crowd {
  #hue = 0;

  static async open(browser, server, room) {
    const crowd = new Crowd();
    Object.assign(crowd, { server, room, page: await browser.newPage() });
    await crowd.page.goto(`${server.url}/docs`);
    return crowd;
  }

  async enter(name, { camera = true, microphone = true, screen = false } = {}) {
    this.#hue += 67;
    const identity = name.toLowerCase().replaceAll(/[^a-z]/g, '').slice(0, 20) || 'somebody';
    const token = this.server.token(this.room, identity, ['--name', name]);
    await this.page.evaluate(enter, { token, name, hue: this.#hue, camera, microphone, screen });
  }

  say(name, text) { return this.page.evaluate(([who, words]) => window.crowd.get(who).sendData(words, { topic: 'chat' }), [name, text]); }

  leave(name) { return this.page.evaluate((who) => window.crowd.get(who).leave(), name); }
}
