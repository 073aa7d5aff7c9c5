"""A WHIP or WHEP session over plain HTTP (RFC 9725), for clients in Python."""

import json
import sys
import urllib.error
import urllib.request
from urllib.parse import urljoin


class Session:
    """Opened by `post`, ended by `delete`."""

    def __init__(self, endpoint, token):
        self.endpoint = endpoint
        self.token = token
        self.url = None

    def _request(self, method, url, headers=None, body=None):
        headers = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        request = urllib.request.Request(url, method=method, headers=headers, data=body)
        return urllib.request.urlopen(request, timeout=10)

    def post(self, offer):
        """Exchanges the offer for the answer."""
        headers = {"Content-Type": "application/sdp"}
        try:
            answer = self._request("POST", self.endpoint, headers, offer.encode())
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{error.code}: {error.read().decode()}\n{offer}") from error
        with answer:
            assert answer.status == 201, answer.status
            assert answer.headers["ETag"].startswith('"'), answer.headers["ETag"]
            self.url = urljoin(self.endpoint, answer.headers["Location"])
            return answer.read().decode()

    def delete(self):
        """Ends the session; a second time finds none."""
        with self._request("DELETE", self.url) as answer:
            assert answer.status == 200, answer.status
        try:
            self._request("DELETE", self.url)
        except urllib.error.HTTPError as error:
            assert error.code == 404, error.code
        else:
            raise AssertionError("the session was there after DELETE")


def tell(**what):
    """One line for the test that runs this client."""
    print(json.dumps(what), flush=True)


def wait_for_end():
    """Blocks until the test closes our standard input."""
    sys.stdin.read()


class Tone:
    """The pitch of mono samples by their zero crossings: enough for a pure tone."""

    def __init__(self, rate):
        self.rate = rate
        self.samples = []

    def add(self, samples):
        self.samples.extend(samples)

    def seconds(self):
        return len(self.samples) / self.rate

    def frequency(self):
        """Of the last half second."""
        tail = self.samples[-self.rate // 2 :]
        rising = sum(1 for a, b in zip(tail, tail[1:]) if a < 0 <= b)
        return rising * self.rate / max(len(tail), 1)

    def level(self):
        """Root mean square of 16-bit samples, 0 to 1."""
        tail = self.samples[-self.rate // 2 :]
        return (sum(s * s for s in tail) / max(len(tail), 1)) ** 0.5 / 32768


def mean_colour(data, stride, width, height):
    """Of the upper left quarter of an RGB picture, every eighth pixel."""
    sums, count = [0, 0, 0], 0
    for y in range(0, height // 2, 8):
        for x in range(0, width // 2, 8):
            at = y * stride + x * 3
            for channel in range(3):
                sums[channel] += data[at + channel]
            count += 1
    return [round(total / max(count, 1)) for total in sums]
