#!/usr/bin/env python3
"""Draws docs/analyze.svg: what a terminal shows of the README's first command.

    pip install pyte
    docs/picture.py

Runs the program in a terminal of its own, in a folder of its own, and draws the last screen.
"""

import os
import pty
import subprocess
import tempfile
from html import escape
from pathlib import Path

import pyte

ROOT = Path(__file__).parent.parent
COMMAND = ["analyze", "AAPL", "--date", "2012-09-19", "--offline"]
COLUMNS, LINES = 92, 24
CELL, LINE, MARGIN = 8.4, 19, 16
COLOURS = {"green": "#3fb950", "red": "#f85149", "cyan": "#39c5cf", "brown": "#d29922", "default": "#e6edf3"}


def screen():
    """The last screen of the command."""
    program = ROOT / "target/release/tradingagents"
    subprocess.run(["cargo", "build", "--release", "--quiet"], cwd=ROOT, check=True)
    terminal = pyte.Screen(COLUMNS, LINES)
    stream = pyte.ByteStream(terminal)
    stream.feed(f"$ tradingagents {' '.join(COMMAND)}\r\n".encode())
    with tempfile.TemporaryDirectory() as folder:
        child, output = pty.fork()
        if child == 0:
            os.chdir(folder)
            os.execve(program, [program, *COMMAND], {"TERM": "xterm-256color", "COLUMNS": str(COLUMNS)})
        import fcntl
        import struct
        import termios

        fcntl.ioctl(output, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        try:
            while data := os.read(output, 65536):
                stream.feed(data)
        except OSError:
            pass  # The terminal's end.
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    return terminal


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


def main():
    terminal = screen()
    used = max(i for i in range(LINES) if terminal.display[i].strip()) + 1
    width, height = COLUMNS * CELL + 2 * MARGIN, used * LINE + 2 * MARGIN
    lines = []
    for i in range(used):
        text = "".join(tspan(run, *look) for run, look in spans(terminal.buffer[i]))
        lines.append(f'<text x="{MARGIN}" y="{MARGIN + LINE * (i + 0.75):.0f}" xml:space="preserve">{text}</text>')
    (ROOT / "docs/analyze.svg").write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" font-family="monospace" '
        f'font-size="14"><rect width="100%" height="100%" rx="8" fill="#0d1117"/>\n' + "\n".join(lines) + "\n</svg>\n"
    )


main()
