"""Show the built site on this machine only."""

from __future__ import annotations

import argparse
import functools
import http.server
import sys

from rareearths.build import HTML


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_) -> None:
        pass


def server(port: int = 0) -> http.server.ThreadingHTTPServer:
    """Give a server of the built site on loopback; port 0 takes any free one."""
    return http.server.ThreadingHTTPServer(("127.0.0.1", port), functools.partial(_Quiet, directory=str(HTML)))


def main(arguments: list[str]) -> int:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m rareearths serve", description="Show the built site.")
    parser.add_argument(
        "--port", type=int, default=8000, help="port on this machine (default: 8000; 0 takes any free one)"
    )
    options = parser.parse_args(arguments)
    if not HTML.is_dir():
        print("there is no site yet: run `make book` first", file=sys.stderr)
        return 1
    try:
        shown = server(options.port)
    except OSError as error:
        print(f"port {options.port}: {error.strerror}; take another with --port", file=sys.stderr)
        return 1
    except OverflowError:
        print(f"port {options.port}: a port is a number from 0 to 65535", file=sys.stderr)
        return 1
    print(f"http://127.0.0.1:{shown.server_port}/  (Ctrl-C ends it)", flush=True)
    shown.serve_forever()
    return 0
