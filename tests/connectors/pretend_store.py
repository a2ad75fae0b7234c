"""A server that answers like S3 as far as a reader needs it: list, head, get, and a closed door."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape


class Store(ThreadingHTTPServer):
    """Serves a folder as the bucket of any name."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder = folder

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Store
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._file(body=False)

    def do_GET(self) -> None:
        if "list-type" in parse_qs(urlsplit(self.path).query):
            self._list()
        else:
            self._file(body=True)

    def _list(self) -> None:
        prefix = parse_qs(urlsplit(self.path).query).get("prefix", [""])[0]
        found = []
        for path in sorted(self.server.folder.rglob("*")):
            key = path.relative_to(self.server.folder).as_posix()
            if path.is_file() and key.startswith(prefix):
                at = datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="milliseconds")
                found.append(
                    f"<Contents><Key>{escape(key)}</Key>"
                    f"<LastModified>{at.replace('+00:00', 'Z')}</LastModified>"
                    f'<ETag>"{path.stat().st_mtime_ns}"</ETag><Size>{path.stat().st_size}</Size></Contents>'
                )
        body = f"<ListBucketResult><IsTruncated>false</IsTruncated>{''.join(found)}</ListBucketResult>"
        self._answer(200, body.encode(), {"Content-Type": "application/xml"})

    def _file(self, *, body: bool) -> None:
        _, _, key = unquote(urlsplit(self.path).path).lstrip("/").partition("/")
        path = self.server.folder / key
        if not path.is_file():
            self._answer(404, b"", {})
            return
        whole = path.read_bytes()
        at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        headers = {
            "Last-Modified": at.strftime("%a, %d %b %Y %H:%M:%S GMT"),
            "ETag": f'"{path.stat().st_mtime_ns}"',
        }
        if not body:
            self._answer(200, whole, headers, told=False)
            return
        if wanted := self.headers.get("Range"):
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            start = int(first) if first else len(whole) - int(last)
            end = int(last) if first and last else len(whole) - 1
            part = whole[start : end + 1]
            headers["Content-Range"] = f"bytes {start}-{start + len(part) - 1}/{len(whole)}"
            self._answer(206, part, headers)
            return
        self._answer(200, whole, headers)

    def _answer(self, status: int, body: bytes, headers: dict[str, str], *, told: bool = True) -> None:
        if self.server.folder.with_name("closed").exists():
            status, body = 403, b"<Error><Code>AccessDenied</Code></Error>"
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if told:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The address of a store in a process of its own: its clients wait for it without letting others run.

    It is closed to everybody while there is a file `closed` beside the folder.
    """
    command = [sys.executable, "-m", "tests.connectors.pretend_store", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


if __name__ == "__main__":
    with Store(Path(sys.argv[1])) as store:
        print(store.url, flush=True)
        store.serve_forever()
