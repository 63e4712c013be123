"""Receives webhooks of wagate: verified by the official library, each event once, also over restarts.

    WEBHOOK_SECRET=whsec_… python3 receiver.py
"""

import json
import os
import sqlite3
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook, WebhookVerificationError

WEBHOOK = Webhook(os.environ["WEBHOOK_SECRET"])
PORT = int(os.environ.get("PORT", "9000"))
SEEN_FILE = os.environ.get("SEEN_FILE", "seen.db")
MAX_BYTES = 1 << 20


def handle(event):
    """Your own work. What it raises is answered with 500, and the event comes again."""
    print(event["event_id"], event["event"], json.dumps(event.get("text", "")), flush=True)


def database():
    return closing(sqlite3.connect(SEEN_FILE))


def receive(headers, body):
    """The status to answer with."""
    try:
        event = WEBHOOK.verify(body, headers)
    except (WebhookVerificationError, ValueError):  # a signature that is no base64, a body that is no text
        return 401
    # The id and what handle() would write here are committed together, or not at all.
    with database() as db, db:
        fresh = db.execute("INSERT OR IGNORE INTO seen (id) VALUES (?)", (headers["webhook-id"],))
        if fresh.rowcount:
            handle(event)
    return 204


class Receiver(BaseHTTPRequestHandler):
    timeout = 15  # seconds without a byte

    def do_POST(self):
        self.send_response(self.status())
        self.send_header("Content-Length", "0")
        self.end_headers()

    def status(self):
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            return 411
        if int(length) > MAX_BYTES:
            return 413
        try:
            return receive({name.lower(): value for name, value in self.headers.items()}, self.rfile.read(int(length)))
        except Exception as error:
            print(f"not handled: {error!r}", flush=True)
            return 500

    def log_message(self, *_):
        """handle() says what matters."""


if __name__ == "__main__":
    with database() as db, db:
        db.execute("CREATE TABLE IF NOT EXISTS seen (id TEXT PRIMARY KEY, at TEXT DEFAULT CURRENT_TIMESTAMP)")
    server = ThreadingHTTPServer(("127.0.0.1", PORT), Receiver)
    print(f"receiver listens on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
