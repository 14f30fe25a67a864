#!/usr/bin/env python3
"""Draws docs/analyze.svg: what a terminal shows of `analyze` while the team works, and at its end.

    tests/browser/run    # builds the program, and installs what the pictures of the pages want too
    target/browser/tools/bin/pip install pyte
    target/browser/tools/bin/python docs/picture.py

Runs the program in a terminal of its own, in a folder of its own, with a model server that keeps to a script.
"""

import copy
import fcntl
import os
import pty
import re
import struct
import tempfile
import termios
from html import escape
from pathlib import Path

import pyte
from scripted import Team  # first: it says where the stage is
from stage import PROGRAM, environment, slow

COMMAND = ["analyze", "AAPL", "--date", "2012-09-19"]
COLUMNS, LINES = 92, 30
CELL, LINE, MARGIN = 8.4, 19, 16
# Midway the first analyst has reported, and the other three are at work.
TOLD, AT_WORK = ["Sentiment Analyst done", " 1 turn,", "get_indicators"], re.compile(r"^  [⠁-⣿] \w+ Analyst", re.MULTILINE)
COLOURS = {"green": "#3fb950", "red": "#f85149", "cyan": "#39c5cf", "brown": "#d29922", "default": "#e6edf3"}


def screens():
    """The screen midway, and the last one."""
    terminal = pyte.Screen(COLUMNS, LINES)
    stream = pyte.ByteStream(terminal)
    stream.feed(f"$ tradingagents {' '.join(COMMAND)}\r\n".encode())
    midway = None
    with tempfile.TemporaryDirectory() as folder:
        settings = environment(slow(Team()) | {"LLM_CONCURRENCY": 4}) | {"TERM": "xterm-256color"}
        child, output = pty.fork()
        if child == 0:
            os.chdir(folder)
            os.execve(PROGRAM, [PROGRAM, *COMMAND], settings)
        fcntl.ioctl(output, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        try:
            while data := os.read(output, 65536):
                stream.feed(data)
                text = "\n".join(terminal.display)
                if midway is None and all(words in text for words in TOLD) and len(AT_WORK.findall(text)) == 3:
                    midway = copy.deepcopy(terminal.buffer)
        except OSError:
            pass  # The terminal's end.
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert midway, "the program was done before its screen was seen"
    return midway, terminal.buffer


def spans(row):
    """Runs of cells that look the same."""
    text, look = "", None
    for column in range(COLUMNS):
        cell = row[column]
        if (cell.fg, cell.bold) != look and text:
            yield text, look
            text = ""
        text, look = text + cell.data, (cell.fg, cell.bold)
    yield text, look


def tspan(text, colour, bold):
    weight = ' font-weight="bold"' if bold else ""
    return f'<tspan fill="{COLOURS.get(colour, COLOURS["default"])}"{weight}>{escape(text)}</tspan>'


def drawn(screen, top):
    """A window with the screen, and its height."""
    rows = [[(text, *look) for text, look in spans(screen[i])] for i in range(LINES)]
    used = max(i for i, row in enumerate(rows) if "".join(text for text, *_ in row).strip()) + 1
    width, height = COLUMNS * CELL + 2 * MARGIN, used * LINE + 2 * MARGIN
    lines = [f'<rect y="{top}" width="{width:.0f}" height="{height:.0f}" rx="8" fill="#0d1117"/>']
    for i, row in enumerate(rows[:used]):
        text = "".join(tspan(*run) for run in row).rstrip()
        y = top + MARGIN + LINE * (i + 0.75)
        lines.append(f'<text x="{MARGIN}" y="{y:.0f}" xml:space="preserve">{text}</text>')
    return lines, height


def main():
    midway, end = screens()
    above, height = drawn(midway, 0)
    below, rest = drawn(end, height + MARGIN)
    width = COLUMNS * CELL + 2 * MARGIN
    (Path(__file__).resolve().parent / "analyze.svg").write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height + MARGIN + rest:.0f}" '
        f'font-family="monospace" font-size="14">\n' + "\n".join(above + below) + "\n</svg>\n"
    )


main()
