"""GStreamer's webrtcbin as WHIP publisher or WHEP player.

gstreamer.py check
gstreamer.py publish ENDPOINT TOKEN RRGGBB HERTZ
gstreamer.py play ENDPOINT TOKEN
"""

import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import Gst, GstSdp, GstWebRTC  # noqa: E402

from session import Session, Tone, mean_colour, tell, wait_for_end  # noqa: E402

FRAMES_WANTED = 30
SECONDS_WANTED = 1.5
PATIENCE_S = 25
RATE = 48_000

VIDEO = "application/x-rtp,media=video,encoding-name=VP8,payload=96,clock-rate=90000"
AUDIO = "application/x-rtp,media=audio,encoding-name=OPUS,payload=97,clock-rate=48000"

PUBLISH = """
    webrtcbin name=peer bundle-policy=max-bundle
    audiotestsrc is-live=true wave=sine freq={hertz} volume=0.4
        ! audioconvert ! opusenc ! rtpopuspay pt=97 ! {audio} ! peer.
    videotestsrc is-live=true pattern=solid-color foreground-color=0xff{colour}
        ! video/x-raw,width=320,height=180,framerate=15/1 ! videoconvert
        ! vp8enc deadline=1 keyframe-max-dist=300 ! rtpvp8pay pt=96 picture-id-mode=15-bit
        ! {video} ! peer.
"""
ELEMENTS = (
    "webrtcbin vp8enc vp8dec opusenc opusdec rtpvp8pay rtpvp8depay rtpopuspay rtpopusdepay "
    "nicesink dtlsdec srtpenc appsink videoconvert audioconvert audioresample"
).split()


def check():
    missing = [name for name in ELEMENTS if Gst.ElementFactory.find(name) is None]
    if missing:
        sys.exit(f"GStreamer lacks {', '.join(missing)}")


class Peer:
    """A pipeline around webrtcbin that has offered and been answered."""

    def __init__(self, pipeline):
        self.pipeline = pipeline
        self.bin = pipeline.get_by_name("peer")
        self.gathered = threading.Event()
        self.connected = threading.Event()
        self.failure = None
        self.bin.connect("notify::ice-gathering-state", self.on_gathering)
        self.bin.connect("notify::connection-state", self.on_connection)
        bus = pipeline.get_bus()
        threading.Thread(target=self.watch_bus, args=(bus,), daemon=True).start()

    def watch_bus(self, bus):
        while message := bus.timed_pop_filtered(Gst.CLOCK_TIME_NONE, Gst.MessageType.ERROR):
            error, details = message.parse_error()
            print(error, details, file=sys.stderr)

    def on_gathering(self, element, _):
        if element.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            self.gathered.set()

    def on_connection(self, element, _):
        state = element.get_property("connection-state")
        if state == GstWebRTC.WebRTCPeerConnectionState.CONNECTED:
            self.connected.set()

    def ask(self, signal, *arguments):
        promise = Gst.Promise.new()
        self.bin.emit(signal, *arguments, promise)
        promise.wait()
        return promise.get_reply()

    def open(self, endpoint, token):
        reply = self.ask("create-offer", None)
        self.ask("set-local-description", reply.get_value("offer"))
        assert self.gathered.wait(10), "no candidates were gathered"
        offer = self.bin.get_property("local-description").sdp.as_text()
        session = Session(endpoint, token)
        _, message = GstSdp.SDPMessage.new_from_text(session.post(offer))
        answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
        self.ask("set-remote-description", answer)
        assert self.connected.wait(15), "the transport did not connect"
        return session


def publish(endpoint, token, colour, hertz):
    text = PUBLISH.format(colour=colour, hertz=hertz, audio=AUDIO, video=VIDEO)
    pipeline = Gst.parse_launch(text)
    peer = Peer(pipeline)
    needed = threading.Event()
    peer.bin.connect("on-negotiation-needed", lambda _: needed.set())
    pipeline.set_state(Gst.State.PLAYING)
    assert needed.wait(10), "webrtcbin has no media"
    index = 0
    while transceiver := peer.bin.emit("get-transceiver", index):
        transceiver.set_property("direction", GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY)
        index += 1
    session = peer.open(endpoint, token)
    tell(publishing=True)
    wait_for_end()
    session.delete()
    pipeline.set_state(Gst.State.NULL)


class Player:
    """Decodes what comes until there is enough of both."""

    def __init__(self, pipeline):
        self.pipeline = pipeline
        self.tone = Tone(RATE)
        self.frames = 0
        self.video = None
        self.heard = threading.Event()
        self.seen = threading.Event()

    def on_pad(self, _, pad):
        if pad.get_direction() != Gst.PadDirection.SRC:
            return
        kind = pad.get_current_caps().get_structure(0).get_string("media")
        decode = {
            "video": "rtpvp8depay ! vp8dec ! videoconvert ! video/x-raw,format=RGB",
            "audio": "rtpopusdepay ! opusdec ! audioconvert ! audioresample"
            f" ! audio/x-raw,format=S16LE,channels=1,rate={RATE}",
        }[kind]
        sink = " ! appsink name=sink sync=false emit-signals=true"
        branch = Gst.parse_bin_from_description(f"queue ! {decode}{sink}", True)
        handler = {"video": self.on_picture, "audio": self.on_sound}[kind]
        branch.get_by_name("sink").connect("new-sample", handler)
        self.pipeline.add(branch)
        branch.sync_state_with_parent()
        pad.link(branch.get_static_pad("sink"))

    def on_picture(self, sink):
        sample = sink.emit("pull-sample")
        caps = sample.get_caps().get_structure(0)
        width, height = caps.get_value("width"), caps.get_value("height")
        self.frames += 1
        if self.frames == FRAMES_WANTED:
            buffer = sample.get_buffer()
            data = buffer.extract_dup(0, buffer.get_size())
            colour = mean_colour(data, (width * 3 + 3) // 4 * 4, width, height)
            self.video = {"frames": self.frames, "size": [width, height], "colour": colour}
            self.seen.set()
        return Gst.FlowReturn.OK

    def on_sound(self, sink):
        buffer = sink.emit("pull-sample").get_buffer()
        data = buffer.extract_dup(0, buffer.get_size())
        self.tone.add(memoryview(data).cast("h"))
        if self.tone.seconds() >= SECONDS_WANTED:
            self.heard.set()
        return Gst.FlowReturn.OK


def play(endpoint, token):
    pipeline = Gst.Pipeline()
    element = Gst.ElementFactory.make("webrtcbin", "peer")
    element.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
    pipeline.add(element)
    peer = Peer(pipeline)
    player = Player(pipeline)
    peer.bin.connect("pad-added", player.on_pad)
    pipeline.set_state(Gst.State.PLAYING)
    for caps in (AUDIO, VIDEO):
        direction = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
        peer.bin.emit("add-transceiver", direction, Gst.Caps.from_string(caps))
    session = peer.open(endpoint, token)
    assert player.seen.wait(PATIENCE_S), f"only {player.frames} pictures came"
    assert player.heard.wait(PATIENCE_S), f"only {player.tone.seconds()} s of sound came"
    audio = {"frequency": player.tone.frequency(), "level": player.tone.level()}
    tell(video=player.video, audio=audio)
    session.delete()
    pipeline.set_state(Gst.State.NULL)


if __name__ == "__main__":
    Gst.init(None)
    act = {"check": check, "publish": publish, "play": play}[sys.argv[1]]
    act(*sys.argv[2:])
