// Runs in the page before its own scripts: replaces camera, microphone and screen by a canvas of
// one colour with a moving bar and by a tone, so that a test knows whose picture and sound it got.

(config) => {
  const { colour, screenColour, tone, width = 320, height = 180, frameRate = 15, deny, noise = 0 } = config;
  const devices = navigator.mediaDevices;

  function picture([red, green, blue], w, h) {
    const canvas = Object.assign(document.createElement('canvas'), { width: w, height: h });
    const context = canvas.getContext('2d');
    let frame = 0;
    const draw = () => {
      context.fillStyle = `rgb(${red}, ${green}, ${blue})`;
      context.fillRect(0, 0, w, h);
      context.fillStyle = '#fff';
      context.fillRect((frame * 7) % w, h * 0.8, w * 0.06, h * 0.2);
      // Something to encode, outside of the part whose colour is looked at.
      for (let i = 0; i < noise; i += 1) {
        context.fillStyle = `hsl(${Math.random() * 360} 80% 50%)`;
        context.fillRect(w * (0.3 + 0.7 * Math.random()), h * 0.75 * Math.random(), w / 24, h / 24);
      }
      frame += 1;
    };
    draw();
    const timer = setInterval(draw, 1000 / frameRate);
    const [track] = canvas.captureStream(frameRate).getVideoTracks();
    const stop = track.stop.bind(track);
    track.stop = () => { clearInterval(timer); stop(); };
    return track;
  }

  function sound() {
    const context = new AudioContext();
    const oscillator = new OscillatorNode(context, { frequency: tone });
    const gain = new GainNode(context, { gain: 0.4 });
    const output = context.createMediaStreamDestination();
    oscillator.connect(gain).connect(output);
    oscillator.start();
    return output.stream.getAudioTracks()[0];
  }

  devices.getUserMedia = async ({ video, audio }) => {
    if (deny) throw new DOMException('refused by the test', deny);
    return new MediaStream([...(video ? [picture(colour, width, height)] : []), ...(audio ? [sound()] : [])]);
  };
  devices.getDisplayMedia = async () => new MediaStream([picture(screenColour, 640, 360)]);
}
