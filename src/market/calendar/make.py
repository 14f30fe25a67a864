#!/usr/bin/env python3
"""Writes exchanges.txt from the Python package exchange_calendars (Apache-2.0).

    pip install exchange_calendars 'pandas<3' && ./make.py > exchanges.txt

Each exchange has a line with its time zone, its trading week and its closing time (a later rule follows as DATE=TIME),
then a line for each year that the package covers: the days of the trading week without a session (MMDD), sessions
outside it (+MMDD) and sessions with another close (MMDD@HHMM). Exchanges that the package lacks have the first line
only.
"""

import datetime
from importlib.metadata import version

import exchange_calendars as calendars

FIRST, LAST = 2000, 2027
DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]

# Those of which a Yahoo suffix is known.
NAMES = """XNYS XTSE BVMF XMEX XBUE XSGO XBOG XLIM XLON XDUB XPAR XAMS XBRU XLIS XMIL XMAD XETR XFRA XSWX XWBO XSTO XOSL
XCSE XHEL XICE XTAL XRIS XLIT XWAR XPRA XBUD ASEX XBSE XIST XTAE XSAU XJSE XTKS XHKG XSHG XKRX XTAI XSES XKLS XIDX XBKK
XPHS XKAR XBOM XASX XNZE XMOS CMES""".split()

# Their close moves with the daylight saving time of the United States; the earlier one loses an hour and borrows none.
EARLIER_OF_TWO = {"BVMF": "17:00", "XSGO": "16:00"}

# By the exchanges' own web sites, in 2026.
BY_HAND = [
    "XQAT Asia/Qatar Sun-Thu 13:15",
    "XKUW Asia/Kuwait Sun-Thu 12:40",
    "XDFM Asia/Dubai Mon-Fri 14:00",
    "XCAI Africa/Cairo Sun-Thu 14:30",
    "XSTC Asia/Ho_Chi_Minh Mon-Fri 14:45",
    "XCAR America/Caracas Mon-Fri 13:00",
    "XCOL Asia/Colombo Mon-Fri 14:30",
    "FX America/New_York Mon-Fri 17:00",
    "CRYPTO UTC Mon-Sun 24:00",
]


def span(mask):
    """A trading week such as Mon-Fri or Sun-Thu from a mask such as 1111100."""
    first = next(day for day in range(7) if mask[day] == "1" and mask[day - 1] == "0")
    return f"{DAYS[first]}-{DAYS[(first + mask.count('1') - 1) % 7]}"


def calendar(name):
    """The calendar of an exchange over all the years that it has."""
    kind = type(calendars.get_calendar(name))
    start, end = kind.bound_min(), kind.bound_max()
    first = max(datetime.date(FIRST, 1, 1), start.date() if start else datetime.date.min)
    last = min(datetime.date(LAST, 12, 31), end.date() if end else datetime.date.max)
    return kind(start=first.isoformat(), end=last.isoformat()), first, last


def lines(name):
    kept, first, last = calendar(name)
    zone, mask = kept.tz, kept.weekmask
    if name == "CMES":
        # The day of futures ends at 17:00 in New York.
        zone = "America/New_York"
    rules = [(datetime.date.min if at is None else at.date(), close) for at, close in kept.close_times]
    if name in EARLIER_OF_TWO:
        rules = [(datetime.date.min, datetime.time.fromisoformat(EARLIER_OF_TWO[name]))]
    if name == "CMES":
        rules = [(datetime.date.min, datetime.time(17))]
    begun = [rule for rule in rules if rule[0] <= first]
    rules = [begun[-1], *(rule for rule in rules if first < rule[0] <= last)]
    later = "".join(f" {at}={close:%H:%M}" for at, close in rules[1:])
    yield f"{name} {zone} {span(mask)} {rules[0][1]:%H:%M}{later}"
    closes = {at.date(): close.tz_convert(zone).time() for at, close in kept.schedule["close"].items()}
    usual = {close for _, close in kept.close_times}
    for year in range(first.year, last.year + 1):
        marks, day = [], datetime.date(year, 1, 1)
        while day.year == year:
            close, expected = closes.get(day), mask[day.weekday()] == "1"
            if first <= day <= last:
                regular = [rule for at, rule in rules if at <= day][-1]
                if close is None and expected:
                    marks.append(f"{day:%m%d}")
                elif close is not None:
                    differs = close != regular and close not in usual and (name != "CMES" or close < regular)
                    mark = f"{day:%m%d}" + (f"@{close:%H%M}" if differs else "")
                    if not expected:
                        marks.append(f"+{mark}")
                    elif differs:
                        marks.append(mark)
            day += datetime.timedelta(days=1)
        yield f"{name} {year} {' '.join(marks)}".rstrip()


def main():
    print(f"# Made by make.py from exchange_calendars {version('exchange_calendars')} on {datetime.date.today()}.")
    print(f"# The years {FIRST} to {LAST}, as far as that package covers an exchange.")
    for name in NAMES:
        for line in lines(name):
            print(line)
    for line in BY_HAND:
        print(line)


main()
