from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ui.made import open_page, words_of
from workbench.errors import DataError, SettingsError
from workbench.ui.files import download
from workbench.ui.files.folders import workspace_from_arguments
from workbench.ui.files.remote_sources import Places, bring, read_places
from workbench.ui.launch import app_command

TABLE = b"age,left\n41,yes\n22,no\n"
MOST = 1000


class Answers(http.server.BaseHTTPRequestHandler):
    """A server of tables that also tries to lead elsewhere."""

    def do_GET(self) -> None:
        if self.path.startswith("/open/away"):
            self.send_response(302)
            self.send_header("Location", "/secret/table.csv")
            self.end_headers()
            return
        if self.path.startswith("/open/round"):
            self.send_response(302)
            self.send_header("Location", self.path)
            self.end_headers()
            return
        if self.path.startswith("/open/moved"):
            self.send_response(301)
            self.send_header("Location", "table.csv")
            self.end_headers()
            return
        if "missing" in self.path:
            self.send_error(404)
            return
        self.send_response(200)
        content = TABLE
        if "large" in self.path:
            content = b"x" * (MOST + 1)
        if "declared" in self.path or "short" in self.path:
            self.send_header("Content-Length", str(10**9 if "declared" in self.path else len(TABLE) + 5))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://localhost:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An allowed folder with a table in it, beside a table that is not for everybody."""
    (tmp_path / "open" / "more").mkdir(parents=True)
    (tmp_path / "open" / "more" / "table.csv").write_bytes(TABLE)
    (tmp_path / "opened").mkdir()
    for place in (tmp_path, tmp_path / "opened"):
        (place / "secret.csv").write_bytes(TABLE)
    (tmp_path / "open" / "link.csv").symlink_to(tmp_path / "secret.csv")
    (tmp_path / "open" / "large.csv").write_bytes(b"x" * (MOST + 1))
    (tmp_path / "open" / "folder.csv").mkdir()
    (tmp_path / "open" / "table.exe").write_bytes(TABLE)
    return tmp_path


def test_a_path_in_an_allowed_folder_is_copied_for_the_session(folder: Path) -> None:
    places = read_places([str(folder / "open")])
    for text in (str(folder / "open" / "more" / "table.csv"), "more/table.csv", " more/../more/table.csv "):
        source = bring(text, places, folder / ".app", "token", MOST)
        assert source.path.read_bytes() == TABLE
        assert source.path.is_relative_to(folder / ".app" / "uploads")
        assert source.name == "table.csv"


@pytest.mark.parametrize(
    "text",
    ["../secret.csv", "{folder}/secret.csv", "{folder}/opened/secret.csv", "link.csv", "no.csv", "folder.csv",
     "", "more/table.csv\0", "large.csv", "table.exe", "/etc/passwd", "~/x.csv", "/dev/zero"],
)  # fmt: skip
def test_a_path_elsewhere_is_refused(folder: Path, text: str) -> None:
    with pytest.raises(DataError):
        bring(text.format(folder=folder), read_places([str(folder / "open")]), folder / ".app", "token", MOST)
    assert not list((folder / ".app").rglob("*.csv"))


def test_what_is_not_allowed_and_what_is_not_there_look_alike(folder: Path) -> None:
    said = []
    for name in ("secret.csv", "nothing.csv"):
        with pytest.raises(DataError) as refused:
            bring(f"../{name}", read_places([str(folder / "open")]), folder / ".app", "token", MOST)
        said.append(str(refused.value).replace(name, ""))
    assert said[0] == said[1]


def test_a_url_in_an_allowed_place_is_fetched(base: str, tmp_path: Path) -> None:
    places = Places(urls=(f"{base}/open",), private=True)
    for path in ("table.csv", "more/a%20b.csv?key=1&x=%2F", "moved.csv"):
        source = bring(f"{base}/open/{path}", places, tmp_path, "token", MOST)
        assert source.path.read_bytes() == TABLE
    assert bring(f"{base}/open/Ümlaut.csv", places, tmp_path, "token", MOST).name == "Ümlaut.csv"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/secret/table.csv", "expected a URL below"),
        ("/opened.csv", "expected a URL below"),
        ("/open/../secret/table.csv", "expected a URL below"),
        ("/open/%2e%2e/secret/table.csv", "expected a URL below"),
        ("/open/%252e%252e/secret/table.csv", "expected a URL below"),
        ("/open/..\\secret\\table.csv", "expected a URL below"),
        ("/open/table.csv\r\nX: y", "expected a URL below"),
        ("/open/away.csv", "an allowed URL"),
        ("/open/round.csv", "more than 3 redirects"),
        ("/open/large.csv", "too large"),
        ("/open/declared.csv", "too large"),
        ("/open/short.csv", r"(?i)interrupted|incompleteread"),
        ("/open/missing.csv", "404"),
        ("/open/table.exe", "ends in"),
        ("/open/", "ends in"),
    ],
)
def test_a_url_that_leads_astray_is_refused(base: str, tmp_path: Path, path: str, reason: str) -> None:
    places = Places(urls=(f"{base}/open",), private=True)
    with pytest.raises(DataError, match=reason):
        bring(f"{base}{path}", places, tmp_path, "token", MOST)
    assert not list(tmp_path.rglob("*.csv"))


def test_a_private_address_is_refused_unless_it_is_allowed(base: str, tmp_path: Path) -> None:
    places = Places(urls=(f"{base}/open",))
    with pytest.raises(DataError, match="not an address of the public internet"):
        bring(f"{base}/open/table.csv", places, tmp_path, "token", MOST)


def test_a_name_with_one_private_address_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def both(*args: object, **kwargs: object) -> list[object]:
        return [(2, 1, 6, "", (address, 443)) for address in ("93.184.216.34", "10.0.0.1")]

    monkeypatch.setattr(download.socket, "getaddrinfo", both)
    places = Places(urls=("https://data.example.com",))
    with pytest.raises(DataError, match="not an address of the public internet"):
        bring("https://data.example.com/x.csv", places, tmp_path, "token", MOST)


def test_nobody_answers(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{holder.getsockname()[1]}"
        with pytest.raises(DataError, match="cannot be fetched"):
            bring(f"{url}/x.csv", Places(urls=(url,), private=True), tmp_path, "token", MOST)


@pytest.mark.parametrize(
    "place",
    ["/no/such/folder", "ftp://data.example.com", "https://", "https://a:b@example.com", "http://x/../y"],
)
def test_a_place_that_makes_no_sense_is_refused_at_the_start(place: str) -> None:
    with pytest.raises(SettingsError, match="allow: found"):
        read_places([place])


def test_the_places_reach_the_app(folder: Path) -> None:
    command = app_command(
        "runs", 8600, True, allow=[str(folder / "open"), "https://x.org/"], allow_private=True
    )
    workspace = workspace_from_arguments(command[command.index("--") + 1 :])
    assert workspace.places == Places((folder / "open",), ("https://x.org",), private=True)
    assert workspace_from_arguments([]).places == Places()


def test_the_page_offers_it_only_where_something_is_allowed(folder: Path) -> None:
    options = open_page(folder, "data").segmented_control(key="source").options
    assert "A path or an address" not in options
    settings: dict[str, object] = {"places": read_places([str(folder / "open")])}
    app = open_page(folder, "data", settings=settings, state={"source": "A path or an address"})
    app.text_input(key="bring_text").set_value("more/table.csv")
    app.button[0].click().run()
    assert not app.exception
    assert "table\\.csv" in words_of(app)
    app.text_input(key="bring_text").set_value("../secret.csv")
    app.button[0].click().run()
    assert "expected a file in an allowed folder" in app.error[0].value
