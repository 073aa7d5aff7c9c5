"""aiortc as WHIP publisher or WHEP player.

aiortc_client.py publish ENDPOINT TOKEN RRGGBB HERTZ
aiortc_client.py play ENDPOINT TOKEN
"""

import asyncio
import math
import sys
from fractions import Fraction

from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack
from av import AudioFrame, VideoFrame
from av.audio.resampler import AudioResampler

from session import Session, Tone, mean_colour, tell, wait_for_end

RATE = 48_000
SAMPLES = RATE // 50
WIDTH, HEIGHT = 320, 180
FRAMES_WANTED = 30
SECONDS_WANTED = 1.5


class Picture(VideoStreamTrack):
    """One colour."""

    def __init__(self, colour):
        super().__init__()
        rgb = bytes.fromhex(colour)
        self.frame = VideoFrame(WIDTH, HEIGHT, "rgb24")
        plane = self.frame.planes[0]
        row = (rgb * WIDTH).ljust(plane.line_size, b"\0")
        plane.update(row * HEIGHT)

    async def recv(self):
        pts, time_base = await self.next_timestamp()
        frame = self.frame.reformat(format="yuv420p")
        frame.pts, frame.time_base = pts, time_base
        return frame


class Sound(AudioStreamTrack):
    """A pure tone."""

    def __init__(self, hertz):
        super().__init__()
        self.step = 2 * math.pi * hertz / RATE
        self.at = 0
        self.start = None

    async def recv(self):
        loop = asyncio.get_running_loop()
        self.start = self.start or loop.time()
        await asyncio.sleep(max(0, self.start + self.at / RATE - loop.time()))
        frame = AudioFrame(format="s16", layout="mono", samples=SAMPLES)
        wave = (round(12_000 * math.sin(self.step * (self.at + i))) for i in range(SAMPLES))
        frame.planes[0].update(b"".join(s.to_bytes(2, "little", signed=True) for s in wave))
        frame.sample_rate, frame.pts = RATE, self.at
        frame.time_base = Fraction(1, RATE)
        self.at += SAMPLES
        return frame


async def open_session(pc, endpoint, token):
    connected = asyncio.Event()

    @pc.on("connectionstatechange")
    def on_change():
        if pc.connectionState == "connected":
            connected.set()

    await pc.setLocalDescription(await pc.createOffer())
    session = Session(endpoint, token)
    answer = await asyncio.to_thread(session.post, pc.localDescription.sdp)
    await pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    await asyncio.wait_for(connected.wait(), 15)
    return session


async def publish(endpoint, token, colour, hertz):
    pc = RTCPeerConnection()
    pc.addTransceiver(Sound(float(hertz)), direction="sendonly")
    pc.addTransceiver(Picture(colour), direction="sendonly")
    session = await open_session(pc, endpoint, token)
    tell(publishing=True)
    await asyncio.to_thread(wait_for_end)
    await asyncio.to_thread(session.delete)
    await pc.close()


async def watch(track):
    colour = None
    for _ in range(FRAMES_WANTED):
        frame = (await track.recv()).reformat(format="rgb24")
        plane = frame.planes[0]
        colour = mean_colour(bytes(plane), plane.line_size, frame.width, frame.height)
    return {"frames": FRAMES_WANTED, "size": [frame.width, frame.height], "colour": colour}


async def listen(track):
    tone = Tone(RATE)
    mono = AudioResampler(format="s16", layout="mono", rate=RATE)
    while tone.seconds() < SECONDS_WANTED:
        for frame in mono.resample(await track.recv()):
            data = bytes(frame.planes[0])[: frame.samples * 2]
            tone.add(memoryview(data).cast("h"))
    return {"frequency": tone.frequency(), "level": tone.level()}


async def play(endpoint, token):
    pc = RTCPeerConnection()
    audio = pc.addTransceiver("audio", direction="recvonly")
    video = pc.addTransceiver("video", direction="recvonly")
    session = await open_session(pc, endpoint, token)
    tracks = [watch(video.receiver.track), listen(audio.receiver.track)]
    seen, heard = await asyncio.wait_for(asyncio.gather(*tracks), 25)
    tell(video=seen, audio=heard)
    await asyncio.to_thread(session.delete)
    await pc.close()


if __name__ == "__main__":
    act = {"publish": publish, "play": play}[sys.argv[1]]
    asyncio.run(act(*sys.argv[2:]))
