"""Answers every request with an event."""

import os
from http.server import BaseHTTPRequestHandler, HTTPServer

from events import pack

RELEASE = "working copy"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(pack("asked", path=self.path, release=RELEASE).encode() + b"\n")


HTTPServer(("", int(os.environ.get("API_PORT", "8000"))), Handler).serve_forever()
