"""Janus as it is measured: nothing switched on that the load does not need.

ICE lite, as Plenum; no logs beyond errors; the video room alone; a WebSocket for signaling. With
`event_loops` Janus shares threads between connections; without, each connection has its own.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

from runner.server import Server

PORT = 8188
PLUGIN = "libjanus_videoroom.so"
TRANSPORT = "libjanus_websockets.so"
ERRORS = 1


class Janus(Server):
    """Janus with a configuration of its own, which goes when it ends."""

    def __init__(self, host, cores, event_loops):
        self.configuration = Path(tempfile.mkdtemp(prefix="plenum-janus-"))
        write_configuration(self.configuration, host, event_loops)
        core = self.configuration / "janus.jcfg"
        name = f"janus-{event_loops or 'no'}-loops"
        super().__init__(name, ["janus", "-C", core, "-F", self.configuration],
                         (host, PORT), cores)

    def __exit__(self, *exception):
        super().__exit__(*exception)
        shutil.rmtree(self.configuration, ignore_errors=True)


def version():
    """Of the installed package."""
    query = ["dpkg-query", "--show", "--showformat=${Version}", "janus"]
    return subprocess.run(query, capture_output=True, text=True, check=True).stdout


def folder(kind):
    """Where Debian puts modules of a kind."""
    found = sorted(Path("/usr/lib").glob(f"*/janus/{kind}"))
    if not found:
        raise SystemExit(f"no /usr/lib/*/janus/{kind}: is the Debian package janus installed?")
    return found[0]


def others(directory, wanted):
    """All modules of a folder but one."""
    return ",".join(sorted({path.name.split(".so")[0] + ".so" for path in directory.iterdir()} - {wanted}))


def write_configuration(directory, host, event_loops):
    plugins, transports = folder("plugins"), folder("transports")
    loops = f"event_loops = {event_loops}" if event_loops else ""
    (directory / "janus.jcfg").write_text(f"""
general: {{
  configs_folder = "{directory}"
  plugins_folder = "{plugins}"
  transports_folder = "{transports}"
  events_folder = "{directory}"
  loggers_folder = "{directory}"
  debug_level = {ERRORS}
  debug_colors = false
  {loops}
}}
media: {{
  ipv6 = false
  rtp_port_range = "20000-60000"
}}
nat: {{
  ice_enforce_list = "{host}"
  ice_lite = true
  ice_tcp = false
}}
plugins: {{ disable = "{others(plugins, PLUGIN)}" }}
transports: {{ disable = "{others(transports, TRANSPORT)}" }}
events: {{ broadcast = false }}
""")
    (directory / "janus.transport.websockets.jcfg").write_text(f"""
general: {{
  json = "compact"
  ws = true
  ws_ip = "{host}"
  ws_port = {PORT}
  wss = false
}}
admin: {{ admin_ws = false }}
""")
    (directory / "janus.plugin.videoroom.jcfg").write_text("""
general: {
  string_ids = true
  events = false
}
""")
