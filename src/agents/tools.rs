//! The tools that agents call, and what they answer. An error is an answer too: the agent reads it and goes on.
//!
//! All of them read the price history of the analysis, which ends at its date: no tool can see further.

use std::fmt::Write;

use chrono::{Days, NaiveDate};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::evidence::{Evidence, figure};
use crate::{llm::ToolSpec, market::Indicator};

/// Calendar days that a tool looks back at most.
const LONGEST_LOOK_BACK: u64 = 400;

/// A tool of the market analyst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    StockData,
    Indicators,
    Snapshot,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct StockDataArguments {
    /// First day, YYYY-MM-DD
    start_date: NaiveDate,
    /// Last day, YYYY-MM-DD; that day is included
    end_date: NaiveDate,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct IndicatorArguments {
    /// One name, or several with commas between
    indicator: String,
    /// Calendar days to look back from the analysis date
    #[serde(default = "month")]
    look_back_days: u64,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NoArguments {}

fn month() -> u64 {
    30
}

impl Tool {
    /// The market analyst's tools.
    pub const MARKET: [Self; 3] = [Self::StockData, Self::Indicators, Self::Snapshot];

    /// The name that models call it by.
    pub fn name(self) -> &'static str {
        match self {
            Self::StockData => "get_stock_data",
            Self::Indicators => "get_indicators",
            Self::Snapshot => "get_verified_market_snapshot",
        }
    }

    /// The tool as a model is told of it.
    pub fn spec(self) -> ToolSpec {
        let (description, parameters) = match self {
            Self::StockData => (
                "Daily bars of the instrument as CSV: date, open, high, low, close, volume.",
                schema::<StockDataArguments>(),
            ),
            Self::Indicators => (
                "Values of technical indicators by day, newest first. Names: close_50_sma, close_200_sma, \
                 close_10_ema, macd, macds, macdh, rsi, boll, boll_ub, boll_lb, atr, vwma, mfi.",
                schema::<IndicatorArguments>(),
            ),
            Self::Snapshot => ("The verified figures at the analysis date.", schema::<NoArguments>()),
        };
        ToolSpec { name: self.name(), description, parameters }
    }

    /// What an agent that can't call tools gets in its prompt.
    pub fn prefetched(evidence: &Evidence) -> Vec<(Self, Value)> {
        let end = evidence.last().date;
        let start = end.checked_sub_days(Days::new(30)).unwrap_or(end);
        let indicators = "close_10_ema,macdh,rsi,atr";
        vec![
            (Self::StockData, json!({"start_date": start, "end_date": end})),
            (Self::Indicators, json!({"indicator": indicators, "look_back_days": 14})),
        ]
    }

    /// Answers a call.
    pub fn call(self, arguments: &Value, evidence: &Evidence) -> Result<String, String> {
        match self {
            Self::StockData => stock_data(&parse(arguments)?, evidence),
            Self::Indicators => indicators(&parse(arguments)?, evidence),
            Self::Snapshot => parse(arguments).map(|NoArguments {}| evidence.snapshot()),
        }
    }
}

/// Answers a call by name.
pub fn call(name: &str, arguments: &Value, offered: &[Tool], evidence: &Evidence) -> Result<String, String> {
    let tool = offered.iter().find(|tool| tool.name() == name);
    let names = || offered.iter().map(|tool| tool.name()).collect::<Vec<_>>().join(", ");
    tool.ok_or_else(|| format!("there is no tool {name}; there are: {}", names()))?.call(arguments, evidence)
}

fn stock_data(asked: &StockDataArguments, evidence: &Evidence) -> Result<String, String> {
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
    let mut text = format!("# {} from {start} to {}, {} bars\n", evidence.history.ticker, asked.end_date, wanted.len());
    text.push_str("Date,Open,High,Low,Close,Volume\n");
    for bar in wanted {
        let [open, high, low, close] = [bar.open, bar.high, bar.low, bar.close].map(figure);
        // Writing to a String can't fail.
        let _ = writeln!(text, "{},{open},{high},{low},{close},{:.0}", bar.date, bar.volume);
    }
    Ok(text)
}

fn indicators(asked: &IndicatorArguments, evidence: &Evidence) -> Result<String, String> {
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
            let _ = writeln!(text, "{}: {}", bar.date, value.map_or("n/a".into(), figure));
        }
    }
    Ok(text)
}

fn parse<T: DeserializeOwned>(arguments: &Value) -> Result<T, String> {
    serde_json::from_value(arguments.clone())
        .map_err(|error| format!("the arguments {arguments} can't be used: {error}"))
}

/// A JSON schema without references, which some model servers don't follow.
pub(super) fn schema<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    if let Some(object) = schema.as_object_mut() {
        object.remove("title");
        object.remove("description");
    }
    schema
}
