//! Bars and indicators.

use std::fmt::Write;

use chrono::{Days, NaiveDate};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{agents::evidence::Evidence, market::Indicator};

/// Calendar days that a tool looks back at most.
const LONGEST_LOOK_BACK: u64 = 400;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StockDataArguments {
    /// First day, YYYY-MM-DD
    start_date: NaiveDate,
    /// Last day, YYYY-MM-DD; that day is included
    end_date: NaiveDate,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IndicatorArguments {
    /// One name, or several with commas between
    indicator: String,
    /// Calendar days to look back from the analysis date
    #[serde(default = "month")]
    look_back_days: u64,
}

fn month() -> u64 {
    30
}

/// The arguments that ask for the bars of the last month.
pub fn last_month(evidence: &Evidence) -> Value {
    let end = evidence.last().date;
    let start = end.checked_sub_days(Days::new(month())).unwrap_or(end);
    json!({"start_date": start, "end_date": end})
}

pub fn stock_data(asked: &StockDataArguments, evidence: &Evidence) -> Result<String, String> {
    let bars = &evidence.history.bars;
    let (first, last) = (bars[0].date, evidence.last().date);
    let earliest = asked.end_date.checked_sub_days(Days::new(LONGEST_LOOK_BACK)).unwrap_or(first);
    let start = asked.start_date.max(earliest);
    let wanted: Vec<_> = bars.iter().filter(|bar| (start..=asked.end_date).contains(&bar.date)).collect();
    if wanted.is_empty() {
        return Err(format!(
            "no bars from {} to {}; there are bars from {first} to {last}",
            asked.start_date, asked.end_date
        ));
    }
    let currency =
        evidence.history.currency.as_ref().map_or(String::new(), |currency| format!(", prices in {currency}"));
    let (ticker, end, count) = (evidence.ticker(), asked.end_date, wanted.len());
    let mut text = format!("# {ticker} from {start} to {end}, {count} bars{currency}\n");
    text.push_str("Date,Open,High,Low,Close,Volume\n");
    for bar in wanted {
        let [open, high, low, close] = [bar.open, bar.high, bar.low, bar.close].map(|price| evidence.figure(price));
        // Writing to a String can't fail.
        let _ = writeln!(text, "{},{open},{high},{low},{close},{:.0}", bar.date, bar.volume);
    }
    Ok(text)
}

pub fn indicators(asked: &IndicatorArguments, evidence: &Evidence) -> Result<String, String> {
    let names = asked.indicator.split(',').map(str::trim).filter(|name| !name.is_empty());
    let chosen: Vec<Indicator> = names.map(|n| n.parse().map_err(|e| format!("{e}"))).collect::<Result<_, _>>()?;
    if chosen.is_empty() {
        return Err("name at least one indicator, such as rsi".into());
    }
    let bars = &evidence.history.bars;
    let days = Days::new(asked.look_back_days.clamp(1, LONGEST_LOOK_BACK));
    let start = evidence.last().date.checked_sub_days(days).unwrap_or(bars[0].date);
    let mut text = String::new();
    for indicator in chosen {
        let _ = writeln!(text, "## {} since {start}, newest first ({})", indicator.name(), indicator.meaning());
        let series = indicator.series(bars);
        for (bar, value) in bars.iter().zip(series).rev().take_while(|(bar, _)| bar.date >= start) {
            let _ = writeln!(text, "{}: {}", bar.date, value.map_or("n/a".into(), |value| evidence.figure(value)));
        }
    }
    Ok(text)
}
