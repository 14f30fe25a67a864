#!/usr/bin/env python3
"""Makes the bundled sample bars, `{TICKER}.csv.gz` beside this file.

    pip install --no-deps bokeh_sampledata==2026.1 arch==8.0.0
    python make.py

The same packages give the same rows. README.md says where they come from, and what is changed and why.
"""

import csv
import gzip
import hashlib
import io
from datetime import datetime
from importlib.metadata import distribution
from pathlib import Path

HERE = Path(__file__).parent
COLUMNS = ["date", "open", "high", "low", "close", "adj_close", "volume"]
STOCKS = ["AAPL", "GOOG", "IBM", "MSFT"]
# The days that the stocks of the sample have; the index has more.
FIRST, LAST = "2000-03-01", "2013-03-01"
# On the first day after a 2:1 split the source counts shares of before the split, though prices are those of after.
SPLIT_DAYS = {("AAPL", "2000-06-21"): 2, ("AAPL", "2005-02-28"): 2, ("MSFT", "2003-02-18"): 2}


def rows(package, version, path, sha256):
    """The rows of a gzipped CSV in an installed package, which is not imported."""
    found = distribution(package)
    assert found.version == version, f"{package} is {found.version}; install {version}"
    packed = Path(found.locate_file(path)).read_bytes()
    assert hashlib.sha256(packed).hexdigest() == sha256, f"{path} of {package} {version} is not the file it was"
    return csv.DictReader(io.StringIO(gzip.decompress(packed).decode()))


def price(text):
    """Four decimals, as quoted."""
    return f"{float(text):.4f}".rstrip("0").rstrip(".")


def bar(ticker, date, row):
    prices = [price(row[column]) for column in ("Open", "High", "Low", "Close")]
    volume = int(row["Volume"]) * SPLIT_DAYS.get((ticker, date), 1)
    # Only ratios of adjusted closes matter: seven digits keep them to 1e-7.
    return [date, *prices, f"{float(row['Adj Close']):.7g}", volume]


def write(ticker, bars):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([COLUMNS, *bars])
    packed = gzip.compress(text.getvalue().encode(), compresslevel=9, mtime=0)
    (HERE / f"{ticker}.csv.gz").write_bytes(packed)
    print(f"{ticker}: {len(bars)} bars, {bars[0][0]} to {bars[-1][0]}, {len(packed)} bytes")


def main():
    stocks = list(
        rows(
            "bokeh_sampledata",
            "2026.1",
            "bokeh_sampledata/_data/stocks.csv.gz",
            "5abadf99b2d394f920120a27de6f0df129859d71d4cfb0bf661bcc99446ab1fd",
        )
    )
    for ticker in STOCKS:
        write(ticker, [bar(ticker, row["Date"], row) for row in stocks if row["Ticker"] == ticker])

    index = [
        bar("^GSPC", datetime.strptime(row["Date"], "%m/%d/%Y").date().isoformat(), row)
        for row in rows(
            "arch",
            "8.0.0",
            "arch/data/sp500/sp500.csv.gz",
            "1e028cbb9c400cc018c816ccc439b33c919387e726c3ed5ca2c05c82746059de",
        )
    ]
    write("GSPC", [row for row in index if FIRST <= row[0] <= LAST])


main()
