//! What all agents of an analysis know: the price history, the snapshot of its figures, and whom to ask for more.

use std::fmt::Write;

use super::ReadingLimits;
use crate::{
    domain::{Ticker, TradeDate, shown},
    market::{Bar, Indicator, Market, MarketError, PriceHistory, Window, calendar::Calendar},
};

/// Trading days of a year, by convention.
const YEAR: usize = 252;

/// Closes that the snapshot lists.
const LAST_CLOSES: usize = 10;

/// Bars that a result keeps: a year, and before it what the mean of 200 days wants.
const KEPT: usize = YEAR + 200;

/// The price history up to the analysis date, and the market at that date.
pub struct Evidence {
    pub history: PriceHistory,
    pub market: Market,
    pub date: TradeDate,
    pub reading: ReadingLimits,
}

impl Evidence {
    /// Gets the prices; without any there is nothing to analyse.
    pub async fn gather(
        market: &Market,
        reading: &ReadingLimits,
        ticker: &Ticker,
        date: TradeDate,
    ) -> Result<Self, MarketError> {
        let history = market.price_history(ticker, date).await?;
        Ok(Self { history, market: market.clone(), date, reading: reading.clone() })
    }

    /// The instrument.
    pub fn ticker(&self) -> &Ticker {
        &self.history.ticker
    }

    /// The calendar of its exchange.
    pub fn calendar(&self) -> Calendar {
        Calendar::of(self.ticker())
    }

    /// The days up to the close of the analysis date, and `days` before it.
    pub fn window(&self, days: u64) -> Window {
        Window::up_to(self.calendar(), self.date, days)
    }

    /// The last bar: that of the analysis date, or of the last trading day before.
    pub fn last(&self) -> &Bar {
        self.history.bars.last().expect("a price history has at least one bar")
    }

    /// The last bars, for the charts of the result.
    pub fn recent(&self) -> &[Bar] {
        &self.history.bars[self.history.bars.len().saturating_sub(KEPT)..]
    }

    /// The figures at the last bar as a Markdown table of names and values, and the last closes. The rules model reads
    /// its figures from here too.
    pub fn snapshot(&self) -> String {
        let mut text = format!(
            "Row of {}, {} bars since {}.{}\n\n| figure | value |\n| --- | --- |\n",
            self.last().date,
            self.history.bars.len(),
            self.history.bars[0].date,
            self.history.currency.as_ref().map_or(String::new(), |currency| format!(" Prices in {currency}."))
        );
        for (name, value) in self.figures() {
            let value = value.map_or("n/a".into(), |value| self.figure(value));
            // Writing to a String can't fail.
            let _ = writeln!(text, "| {name} | {value} |");
        }
        let recent = self.history.bars.iter().rev().take(LAST_CLOSES);
        let closes: Vec<_> = recent.map(|bar| format!("{} {}", bar.date, self.figure(bar.close))).collect();
        let _ = write!(text, "\nLast closes, newest first: {}.", closes.join(", "));
        for warning in &self.history.warnings {
            let _ = write!(text, "\n\nNote: {warning}.");
        }
        text
    }

    /// A figure in the scale of the prices: of an instrument that costs less than 1, six significant digits.
    pub fn figure(&self, value: f64) -> String {
        let is_small = self.last().close < 1.0 && value.abs() < 1.0;
        if is_small { shown::significant(value, 6) } else { figure(value) }
    }

    /// The currency of the prices, as texts name it.
    pub fn currency(&self) -> String {
        let named = self.history.currency.as_ref().map(ToString::to_string);
        named.unwrap_or_else(|| "the instrument's own currency".into())
    }

    fn figures(&self) -> Vec<(&'static str, Option<f64>)> {
        let (bars, last) = (&self.history.bars, self.last());
        let mut figures = vec![
            ("open", Some(last.open)),
            ("high", Some(last.high)),
            ("low", Some(last.low)),
            ("close", Some(last.close)),
            ("volume", Some(last.volume)),
        ];
        figures.extend(
            Indicator::ALL.map(|indicator| (indicator.name(), indicator.series(bars).last().copied().flatten())),
        );
        let year = &bars[bars.len().saturating_sub(YEAR)..];
        let high = year.iter().map(|bar| bar.high).fold(f64::MIN, f64::max);
        let low = year.iter().map(|bar| bar.low).fold(f64::MAX, f64::min);
        figures.extend([
            ("return_21d_percent", self.percent_since(21)),
            ("return_63d_percent", self.percent_since(63)),
            ("return_252d_percent", self.percent_since(YEAR)),
            ("high_252d", Some(high)),
            ("low_252d", Some(low)),
        ]);
        figures
    }

    /// The return of the last `days` bars, percent.
    fn percent_since(&self, days: usize) -> Option<f64> {
        let bars = &self.history.bars;
        let then = bars.len().checked_sub(days + 1)?;
        Some((self.last().close / bars[then].close - 1.0) * 100.0).filter(|percent| percent.is_finite())
    }

    /// Where the prices come from, for the end of a report.
    pub fn provenance(&self) -> String {
        let PriceHistory { vendor, bars, currency, retrieved_at, .. } = &self.history;
        format!(
            "*Prices: vendor {vendor}, daily bars of {} to {}{}, retrieved at {}.*",
            bars[0].date,
            self.last().date,
            currency.as_ref().map_or(String::new(), |currency| format!(" in {currency}")),
            retrieved_at.format("%Y-%m-%d %H:%M:%S UTC")
        )
    }
}

/// A figure as reports write it: two digits after the point, four if it is small.
pub fn figure(value: f64) -> String {
    if !value.is_finite() {
        "n/a".into()
    } else if value.abs() >= 1e5 {
        format!("{value:.0}")
    } else if value.abs() >= 10.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.4}")
    }
}
