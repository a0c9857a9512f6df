from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from report import browser
from report.parts import exchange, judgement, record
from report.records import ALL, HOSTILE, clean, failing, hostile
from report.test_github import with_clients
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from metaio_verify.record import (
    Clock,
    Exchange,
    Failure,
    Finding,
    Received,
    RunRecord,
    StreamEvent,
)
from metaio_verify.report.html import render
from metaio_verify.report.json import decode, encode
from metaio_verify.report.timeline import course, latencies
from metaio_verify.verdict import Verdict

chromium = pytest.mark.skipif(browser.CHROMIUM is None, reason="there is no Chromium here")


class Page(SingleFileSnapshotExtension):
    """A whole page in a file of its own."""

    file_extension = "html"
    _write_mode = WriteMode.TEXT


class Tags(HTMLParser):
    """The tags of a page, with their attributes, in order; and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.values: list[tuple[str, str, str]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append((tag, tuple(name for name, _ in attrs)))
        self.values += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.text += data


def content(page: str) -> str:
    """Return the page without what is the same on each: its style, script and policy."""
    page = re.sub(r"(?s)<style>.*?</style>", "<style>…</style>", page)
    page = re.sub(r"(?s)<script>.*?</script>", "<script>…</script>", page)
    return re.sub(r"sha256-[\w+/=]+", "sha256-…", page)


def streaming(events: list[StreamEvent], **fields: object) -> Exchange:
    """Return an exchange that was answered with these events."""
    answer = Received(
        status=200, http_version="HTTP/1.1", headers=[("content-type", "text/event-stream")]
    )
    one = replace(
        exchange("stream"),
        response=answer,
        events=events,
        timing=Clock(headers=0.2, total=1.2, chunks=[(0.2, 10), (1.2, 20)]),
    )
    return replace(one, **fields)


@pytest.mark.parametrize("make", [with_clients, ALL["two-models"], ALL["refused"]])
def test_whole_page(make: Callable[[], RunRecord], snapshot: SnapshotAssertion) -> None:
    """The verdict, the clients, the findings, the checks, and each exchange."""
    assert content(render(make())) == snapshot.use_extension(Page)


@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
def test_a_page_loads_nothing(make: Callable[[], RunRecord]) -> None:
    """No attribute makes a browser fetch or run anything; links are plain web addresses."""
    found = Tags(render(make()))
    assert {tag for tag, _ in found.tags} <= {
        *("html", "head", "meta", "title", "style", "script", "body", "header", "nav", "main"),
        *("section", "article", "details", "summary", "footer", "div", "span", "p", "h1", "h2"),
        *("h3", "h4", "ul", "li", "dl", "dt", "dd", "table", "thead", "tbody", "tr", "th", "td"),
        *("a", "code", "pre", "strong", "br", "form", "fieldset", "legend", "label", "input"),
        *("output", "button", "svg", "line", "rect", "circle", "text"),
    }
    for tag, name, value in found.values:
        assert not name.startswith("on"), (tag, name)
        assert name not in ("src", "style", "srcset", "action", "data", "poster"), (tag, name)
        if name == "href":
            assert re.fullmatch(r"#\w+|https?://\S+", value), value
    style = re.search(r"(?s)<style>(.*?)</style>", render(make()))
    assert style is not None
    assert "url(" not in style[1]
    assert "@import" not in style[1]


def test_the_policy_allows_only_the_pages_own_style_and_script() -> None:
    """The hashes are those of what stands between the tags; everything else is forbidden."""
    page = render(hostile())
    policy = next(value for tag, _, value in Tags(page).values if "default-src" in value)
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for name in ("style", "script"):
        (inside,) = re.findall(rf"(?s)<{name}>(.*?)</{name}>", page)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy


def said(text: str) -> RunRecord:
    """Return a run in which a text stands wherever a server or user may put one."""
    finding = Finding(expected=text, actual=text, where=text, exchange="evil")
    evil = streaming(
        [
            StreamEvent(at=0.3, event=text, data={"type": text}),
            StreamEvent(at=1, event=None, data=text),
        ],
        id="evil",
        probe=text,
        leaks=[text],
        failure=Failure(kind="reset", detail=text),
    )
    plain = replace(
        exchange("plain"),
        response=Received(status=200, http_version="HTTP/1.1", headers=[(text, text)], text=text),
    )
    run = record(
        [judgement("auth.bearer", Verdict.FAIL, finding, reason=text, exchanges=["evil"])],
        models=[text, "other"],
        areas={"auth": text},
        notices=[text],
        more=[evil, plain],
    )
    info = replace(
        run.checks["auth.bearer"],
        title=text,
        fix=text,
        workaround=text,
        breaks={text: text},
        sources=[text],
        file=text,
    )
    return replace(run, checks={**run.checks, "auth.bearer": info})


@settings(max_examples=15, deadline=None)
@given(
    text=st.text(min_size=1, max_size=30)
    | st.text(alphabet="<>&\"'=/ \u2028\u0000\u0085\n\rscript!-", min_size=1, max_size=30)
)
def test_no_text_becomes_a_tag(text: str) -> None:
    """Whatever stands in every string, the page has the tags of a harmless one, and no others."""
    text = "x" + text.replace("`", "")
    assert Tags(render(said(text))).tags == Tags(render(said("x"))).tags


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "</script><script>alert(1)</script>",
        "</style><style>*{display:none}",
        '" onmouseover="alert(1)',
        "' autofocus onfocus='alert(1)",
        "--><!--",
        "<![CDATA[x]]>",
        "javascript:alert(1)",
        "{{ 7 * 7 }}{% raw %}",
        "line\u2028separator\u2029and\u0085more\x00\x1b[31m\u202e",
        HOSTILE,
    ],
)
def test_hostile_text_is_text(text: str) -> None:
    """It is shown, and nothing of it is obeyed; what cannot be seen is written out."""
    found = Tags(render(said(text)))
    # Backquotes mark code in prose; they add no other tag.
    tags = [tag for tag in found.tags if tag != ("code", ())]
    assert tags == [tag for tag in Tags(render(said("x"))).tags if tag != ("code", ())]
    page = render(said(text))
    assert all(line.isprintable() for line in page.split("\n"))


def test_large_bodies_are_cut_with_a_note() -> None:
    """The page stays readable; the record has all of it."""
    large = replace(exchange("large"), response=replace(failing_answer(), text="y" * 100_000))
    page = render(record(more=[large]))
    assert "94,000 more characters in the run record" in page
    assert len(page) < 100_000


def failing_answer() -> Received:
    """Return an answer of 500."""
    return Received(status=500, http_version="HTTP/1.1", headers=[])


def test_a_huge_run_makes_no_huge_page() -> None:
    """When the page is full, exchanges keep their line and lose their bodies; findings do not."""
    text = "z" * 5000
    many = [
        replace(exchange("much", id_=f"much/{n}"), response=replace(failing_answer(), text=text))
        for n in range(900)
    ]
    shown = Finding(expected="a", actual="b", exchange="much/899")
    fails = judgement("auth.bearer", Verdict.FAIL, shown, exchanges=["much/899"])
    page = render(record([fails], more=many))
    assert len(page) < 6_000_000
    assert page.count("The page is full") > 300
    last = page[page.index(">much/899</span>") :]
    assert text in last


def test_a_body_that_is_no_text_is_shown_as_bytes() -> None:
    """An image or broken UTF-8 does not become letters."""
    raw = base64.b64encode(b"\x89PNG\xff" * 20).decode()
    answer = Received(status=200, http_version="HTTP/1.1", headers=[], base64=raw)
    page = render(record(more=[replace(exchange("image"), response=answer)]))
    assert "89 50 4e 47 ff" in page
    assert "100 bytes that are no UTF-8 text" in page


def test_json_is_indented_and_not_changed() -> None:
    """A key that comes twice and a number of many digits stay as they came."""
    answer = replace(failing_answer(), text='{"a":1.0000000000000000001,"a":{"b":[1]}}')
    page = render(record(more=[replace(exchange("twice"), response=answer)]))
    assert "{\n  &#34;a&#34;: 1.0000000000000000001,\n  &#34;a&#34;: {" in page


def test_a_bottomless_answer_is_no_trouble() -> None:
    """Nesting without end is shown as it came, an event of it in a sentence."""
    deep: object = "x"
    for _ in range(5000):
        deep = [deep]
    answer = replace(failing_answer(), text="[" * 50_000)
    event = StreamEvent(at=0.3, event="x", data=deep)
    page = render(record(more=[replace(exchange("deep"), response=answer), streaming([event])]))
    assert "nested too deeply to be shown" in page


def test_the_course_of_a_stream_has_a_lane_for_each_block() -> None:
    """Blocks in the order of their numbers, from their first event to their last."""

    def event(at: float, kind: str, index: int | None = None) -> StreamEvent:
        data = {"type": kind} | ({} if index is None else {"index": index})
        return StreamEvent(at=at, event=kind, data=data)

    lanes = course(
        streaming(
            [
                event(0.2, "message_start"),
                event(0.4, "content_block_start", 1),
                event(0.45, "content_block_start", 0),
                event(0.7, "content_block_delta", 0),
                event(0.9, "content_block_stop", 0),
                event(0.9, "ping"),
                event(1.0, "error"),
                event(1.2, "message_stop"),
            ]
        )
    )
    labels = [lane.label for lane in lanes]
    assert labels == ["bytes", "message", "block 0", "block 1", "ping", "other"]
    span, *ticks = lanes[2].marks
    assert (span.kind, round(span.x), round(span.width)) == ("span", 25, 45)
    assert [tick.kind for tick in ticks] == ["start", "delta", "stop"]
    assert [mark.kind for mark in lanes[-1].marks] == ["error"]
    assert all(0 <= mark.x <= 100 for lane in lanes for mark in lane.marks)


def test_a_stream_of_very_many_events_is_drawn_with_a_bound() -> None:
    """Ten thousand marks would be one black bar; as many are drawn as can be told apart."""
    events = [StreamEvent(at=n / 1000, event="ping", data={"type": "ping"}) for n in range(9000)]
    (lane,) = [lane for lane in course(streaming(events)) if lane.label == "ping"]
    assert len(lane.marks) < 300
    assert lane.marks[-1].title.startswith("event 8999:")


def test_the_latency_plot_has_the_slowest_first_on_round_marks() -> None:
    """Each request is a dot between two marks of the axis; one without an answer is marked."""
    timings = {"fast": 0.012, "slow": 3.1, "medium": 0.4}
    more = [
        replace(exchange(name), timing=Clock(headers=total / 2, total=total))
        for name, total in timings.items()
    ]
    gone = replace(
        exchange("gone"),
        response=None,
        failure=Failure(kind="reset", detail="x"),
        timing=Clock(total=0.0),
    )
    found = latencies(replace(record(), exchanges=[*more, gone]))
    assert [row.probe for row in found.rows] == ["slow", "medium", "fast", "gone"]
    assert found.axis[0].title == "1 ms"
    assert found.axis[-1].title == "5 s"
    assert [mark.kind for mark in found.rows[-1].marks] == ["failed"]
    assert all(0 <= mark.x <= 100 for row in found.rows for mark in row.marks)


def test_a_saved_record_gives_the_same_page() -> None:
    """Nothing on the page depends on what is not in the record."""
    assert render(decode(encode(failing()), "run.json")) == render(failing())


@chromium
def test_the_page_follows_the_readers_colours(tmp_path: Path) -> None:
    """In a browser it is light or dark, its style is applied, and its verdict is in sight."""
    page = tmp_path / "page.html"
    page.write_text(render(with_clients()), encoding="utf-8")
    light = browser.pixels(browser.screenshot(page, dark=False))
    dark = browser.pixels(browser.screenshot(page, dark=True))
    assert light[2][2] == (0xB3, 0x26, 0x1E)  # the stripe of a failed run
    assert light[-1][2] == (0xFF, 0xFF, 0xFF)
    assert dark[-1][2] == (0x17, 0x1B, 0x21)
    letters = sum(sum(pixel) < 3 * 0x60 for row in light[20:] for pixel in row)
    assert letters > 500


@chromium
def test_the_page_works_in_a_browser(tmp_path: Path) -> None:
    """Its script is allowed to run by its policy; a link to an exchange opens it."""
    page = tmp_path / "page.html"
    page.write_text(render(failing()), encoding="utf-8")
    shown = browser.document(page, "#x2")
    assert '<form class="filter" role="search">' in shown
    assert re.search(r'<details class="exchange item" id="x2"[^>]* open=""', shown)
    assert not re.search(r'<details class="exchange item" id="x1"[^>]* open=""', shown)


@chromium
def test_the_filter_shows_what_was_asked_for(tmp_path: Path) -> None:
    """By verdict and by words; what does not match is hidden, headings too."""
    acts = """
      const form = document.querySelector(".filter");
      form.querySelector("input[value=fail]").checked = true;
      form.elements.text.value = "Bearer 401";
      form.dispatchEvent(new Event("input"));
    """
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", render(failing()))
    page = tmp_path / "page.html"
    page.write_text(text.replace("</body>", f"<script>{acts}</script></body>"), encoding="utf-8")
    shown = browser.document(page)
    articles = re.findall(r"<article[^>]*>", shown)
    assert [("hidden" in tag) for tag in articles] == [False, True, True, True]
    assert re.search(r"<output>\d+ of \d+ shown</output>", shown)
    assert '<section id="clients"' not in shown or '<section id="clients" hidden' in shown


@chromium
@pytest.mark.parametrize(
    "make", [hostile, lambda: said("</script><script>document.title='taken'</script>")]
)
def test_a_hostile_page_runs_nothing(make: Callable[[], RunRecord], tmp_path: Path) -> None:
    """What a server wrote stays text in a real browser."""
    page = tmp_path / "page.html"
    page.write_text(render(make()), encoding="utf-8")
    shown = browser.document(page)
    title = re.search(r"<title>(.*?)</title>", shown)
    assert title is not None
    assert title[1] != "taken"
    assert shown.count("<script>") == 1


def test_a_clean_page_has_no_findings() -> None:
    """What there is nothing to say about has no heading."""
    assert 'id="findings"' not in render(clean())
