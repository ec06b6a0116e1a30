"""What Tornado's own web_test leaves open about static files."""

import os

import pytest
from serving import answers, request
from tornado.web import Application, RequestHandler, StaticFileHandler


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "root"
    (root / "dir").mkdir(parents=True)
    (root / "a.txt").write_bytes(b"0123456789")
    (root / "empty").write_bytes(b"")
    (root / "big").write_bytes(os.urandom(200_000))
    (root / "dir" / "index.html").write_bytes(b"index")
    (tmp_path / "root-private").mkdir()
    (tmp_path / "root-private" / "secret").write_bytes(b"secret")
    os.mkfifo(root / "fifo")
    StaticFileHandler.reset()
    return root


def ask(root, *requests, **settings):
    return answers(Application(static_path=str(root), **settings), *requests)


def test_a_file_comes_whole_in_pieces(root):
    [answer] = ask(root, request("/static/big"))
    assert answer.code == 200 and answer.body == (root / "big").read_bytes()
    assert answer.headers["Content-Length"] == "200000" and answer.headers["Accept-Ranges"] == "bytes"
    assert "Cache-Control" not in answer.headers


@pytest.mark.parametrize(
    "field, code, body, content_range",
    [
        ("bytes=2-4", 206, b"234", "bytes 2-4/10"),
        ("bytes=8-99", 206, b"89", "bytes 8-9/10"),
        ("bytes=-3", 206, b"789", "bytes 7-9/10"),
        ("bytes=0-9", 200, b"0123456789", None),
        ("bytes=-10", 200, b"0123456789", None),
        ("bytes=0-0", 206, b"0", "bytes 0-0/10"),
        ("bytes=10-", 416, b"", "bytes */10"),
        ("bytes=1-2,4-5", 200, b"0123456789", None),
        ("lines=1-2", 200, b"0123456789", None),
    ],
)
def test_one_range_is_served(root, field, code, body, content_range):
    [answer] = ask(root, request("/static/a.txt", Range=field))
    assert (answer.code, answer.body, answer.headers.get("Content-Range")) == (code, body, content_range)


def test_no_range_of_an_empty_file_can_be_had(root):
    whole, part = ask(root, request("/static/empty"), request("/static/empty", Range="bytes=0-"))
    assert (whole.code, whole.body, whole.headers["Content-Length"]) == (200, b"", "0")
    assert (part.code, part.headers["Content-Range"]) == (416, "bytes */0")


@pytest.mark.parametrize(
    "path, code",
    [
        ("/static/../root-private/secret", 403),
        ("/static/%2e%2e/root-private/secret", 403),
        ("/static//etc/passwd", 403),
        ("/static/dir", 403),
        ("/static/fifo", 403),
        ("/static/none", 404),
        ("/static/a.txt/x", 404),
        ("/static/a%00.txt", 404),
        ("/static/dir/../a.txt", 200),
    ],
)
def test_nothing_outside_of_the_directory_is_served_nor_what_is_no_file(root, path, code):
    assert ask(root, request(path))[0].code == code


def test_a_post_is_not_allowed(root):
    assert ask(root, request("/static/a.txt", method="POST", body=b"x"))[0].code == 405


def test_what_the_client_has_already_is_not_sent_again(root):
    [first] = ask(root, request("/static/a.txt"))
    etag, date = first.headers["Etag"], first.headers["Last-Modified"]
    same, weak, dated, both, other = ask(
        root,
        request("/static/a.txt", If_None_Match=f'"x", {etag}'),
        request("/static/a.txt", If_None_Match=f"W/{etag}"),
        request("/static/a.txt", If_Modified_Since=date),
        request("/static/a.txt", If_None_Match='"x"', If_Modified_Since=date),
        request("/static/a.txt", If_Modified_Since="Mon, 01 Jan 0001 00:00:00 +2300"),
    )
    assert [each.code for each in (same, weak, dated, both, other)] == [304, 304, 304, 200, 200]
    assert same.body == b"" and same.headers["Etag"] == etag and "Content-Length" not in same.headers


def test_a_version_stays_until_the_cache_is_off(root):
    class Url(RequestHandler):
        def get(self):
            self.write(self.static_url("a.txt"))

    def url(**settings):
        app = Application([("/url", Url)], static_path=str(root), **settings)
        return answers(app, request("/url"))[0].body

    first = url()
    assert first.startswith(b"/static/a.txt?v=") and len(first) == len("/static/a.txt?v=") + 128
    (root / "a.txt").write_bytes(b"other")
    assert url() == first
    assert url(static_hash_cache=False) != first


def test_the_two_files_at_the_root_and_a_prefix_of_one_s_own(root):
    (root / "robots.txt").write_bytes(b"robots")
    (root / "favicon.ico").write_bytes(b"icon")
    found = ask(
        root, request("/robots.txt"), request("/favicon.ico"), request("/s.t/a.txt"), request("/sxt/a.txt"),
        static_url_prefix="/s.t/",
    )  # fmt: skip
    assert [each.code for each in found] == [200, 200, 200, 404]
    assert [each.body for each in found[:2]] == [b"robots", b"icon"]


def test_the_arguments_of_the_application_are_left_as_they_were(root):
    arguments = {"default_filename": "index.html"}
    [answer] = ask(root, request("/static/dir/"), static_handler_args=arguments)
    assert answer.body == b"index" and arguments == {"default_filename": "index.html"}
