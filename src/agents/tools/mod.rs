//! The tools that agents call, and what they answer. An error is an answer too: the agent reads it and goes on.
//!
//! [`prices`] read the price history of the analysis, which ends at its date; [`news`] and [`company`] ask the market,
//! which drops whatever was not known then. No tool can see further.

mod company;
mod news;
mod prices;

use std::sync::LazyLock;

use schemars::{JsonSchema, generate::SchemaSettings};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::evidence::Evidence;
use crate::{
    llm::ToolSpec,
    market::{DataKind, Indicator, MarketError, Sourced, StatementKind},
    telemetry::{Span, SpanKind},
};

/// A tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    StockData,
    Indicators,
    Snapshot,
    News,
    GlobalNews,
    InsiderTransactions,
    MacroIndicators,
    PredictionMarkets,
    /// What people write; it is read before the model is asked, so no model calls it.
    SocialPosts,
    Fundamentals,
    BalanceSheet,
    CashFlow,
    IncomeStatement,
}

/// What a tool found.
pub struct Found {
    pub text: String,
    /// Where it comes from, a line for each source, for the end of the report; none if it was computed from the prices,
    /// whose source is told anyway.
    pub sources: Vec<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NoArguments {}

/// What a model is told of [`Tool::Indicators`].
static INDICATORS: LazyLock<String> = LazyLock::new(|| {
    let names = Indicator::ALL.map(Indicator::name).join(", ");
    format!("Values of technical indicators by day, newest first. Names: {names}.")
});

impl Tool {
    /// The market analyst's tools.
    pub const MARKET: [Self; 3] = [Self::StockData, Self::Indicators, Self::Snapshot];
    /// What the sentiment analyst reads.
    pub const SENTIMENT: [Self; 2] = [Self::News, Self::SocialPosts];
    /// The news analyst's tools.
    pub const NEWS: [Self; 5] =
        [Self::News, Self::GlobalNews, Self::InsiderTransactions, Self::MacroIndicators, Self::PredictionMarkets];
    /// The fundamentals analyst's tools.
    pub const FUNDAMENTALS: [Self; 4] = [Self::Fundamentals, Self::BalanceSheet, Self::CashFlow, Self::IncomeStatement];

    /// The name that models call it by.
    pub fn name(self) -> &'static str {
        match self {
            Self::StockData => "get_stock_data",
            Self::Indicators => "get_indicators",
            Self::Snapshot => "get_verified_market_snapshot",
            Self::News => "get_news",
            Self::GlobalNews => "get_global_news",
            Self::InsiderTransactions => "get_insider_transactions",
            Self::MacroIndicators => "get_macro_indicators",
            Self::PredictionMarkets => "get_prediction_markets",
            Self::SocialPosts => "get_social_posts",
            Self::Fundamentals => "get_fundamentals",
            Self::BalanceSheet => "get_balance_sheet",
            Self::CashFlow => "get_cashflow",
            Self::IncomeStatement => "get_income_statement",
        }
    }

    /// The tool as a model is told of it.
    pub fn spec(self) -> ToolSpec {
        let (description, parameters) = match self {
            Self::StockData => (
                "Daily bars of the instrument as CSV: date, open, high, low, close, volume.",
                schema::<prices::StockDataArguments>(),
            ),
            Self::Indicators => (INDICATORS.as_str(), schema::<prices::IndicatorArguments>()),
            Self::Snapshot => ("The verified figures at the analysis date.", schema::<NoArguments>()),
            Self::News => ("Articles on the instrument, newest first.", schema::<news::NewsArguments>()),
            Self::GlobalNews => {
                ("Articles on the markets and the economy, newest first.", schema::<news::GlobalNewsArguments>())
            }
            Self::InsiderTransactions => {
                ("What the company's insiders bought and sold of late.", schema::<NoArguments>())
            }
            Self::MacroIndicators => (
                "A macro-economic series as it was published at the analysis date: fed_funds_rate, 2y_treasury, \
                 10y_treasury, yield_curve, cpi, core_cpi, core_pce, unemployment, payrolls, initial_claims, real_gdp, \
                 retail_sales, consumer_sentiment, housing_starts, m2, vix, dollar_index, or an id of FRED.",
                schema::<news::MacroArguments>(),
            ),
            Self::PredictionMarkets => {
                ("What prediction markets expect of coming events.", schema::<news::PredictionArguments>())
            }
            Self::SocialPosts => ("What people write about the instrument.", schema::<NoArguments>()),
            Self::Fundamentals => (
                "The company in short: profile, and multiples of the close computed from filed figures.",
                schema::<NoArguments>(),
            ),
            Self::BalanceSheet => ("Balance sheets by period, newest first.", schema::<company::StatementArguments>()),
            Self::CashFlow => ("Cash flows by period, newest first.", schema::<company::StatementArguments>()),
            Self::IncomeStatement => {
                ("Income statements by period, newest first.", schema::<company::StatementArguments>())
            }
        };
        ToolSpec { name: self.name(), description, parameters }
    }

    /// Whether there is anything behind it.
    pub fn is_there(self, evidence: &Evidence) -> bool {
        let kind = match self {
            Self::StockData | Self::Indicators | Self::Snapshot => return true,
            Self::News => DataKind::News,
            Self::GlobalNews => DataKind::GlobalNews,
            Self::InsiderTransactions => DataKind::InsiderTrades,
            Self::MacroIndicators => DataKind::MacroSeries,
            Self::PredictionMarkets => DataKind::Predictions,
            Self::SocialPosts => DataKind::Posts,
            Self::Fundamentals => DataKind::Profile,
            Self::BalanceSheet => DataKind::Statement(StatementKind::BalanceSheet),
            Self::CashFlow => DataKind::Statement(StatementKind::CashFlow),
            Self::IncomeStatement => DataKind::Statement(StatementKind::Income),
        };
        evidence.market.has(kind)
    }

    /// The calls whose answers an agent gets in its prompt that can't make any itself.
    pub fn prefetched(self, evidence: &Evidence) -> Vec<Value> {
        match self {
            Self::StockData => vec![prices::last_month(evidence)],
            Self::Indicators => vec![json!({"indicator": "close_10_ema,macdh,rsi,atr", "look_back_days": 14})],
            // It is in every prompt already.
            Self::Snapshot => Vec::new(),
            Self::MacroIndicators => {
                ["fed_funds_rate", "10y_treasury", "cpi", "unemployment"].map(|name| json!({"indicator": name})).into()
            }
            Self::PredictionMarkets => vec![json!({"topic": "Fed rate"}), json!({"topic": "recession"})],
            // Quarters show a turn early; of some vendors they have gaps, which the years have not.
            Self::BalanceSheet | Self::CashFlow | Self::IncomeStatement => {
                ["quarterly", "annual"].map(|freq| json!({"freq": freq})).into()
            }
            _ => vec![json!({})],
        }
    }

    /// Answers a call.
    async fn call(self, arguments: &Value, evidence: &Evidence) -> Result<Found, String> {
        match self {
            Self::StockData => prices::stock_data(&parse(arguments)?, evidence).map(computed),
            Self::Indicators => prices::indicators(&parse(arguments)?, evidence).map(computed),
            Self::Snapshot => parse(arguments).map(|NoArguments {}| computed(evidence.snapshot())),
            Self::News => news::ticker(parse(arguments)?, evidence).await,
            Self::GlobalNews => news::global(parse(arguments)?, evidence).await,
            Self::InsiderTransactions => {
                let NoArguments {} = parse(arguments)?;
                news::insiders(evidence).await
            }
            Self::MacroIndicators => news::series(parse(arguments)?, evidence).await,
            Self::PredictionMarkets => news::odds(parse(arguments)?, evidence).await,
            Self::SocialPosts => news::posts(evidence).await,
            Self::Fundamentals => {
                let NoArguments {} = parse(arguments)?;
                company::profile(evidence).await
            }
            Self::BalanceSheet => company::statement(StatementKind::BalanceSheet, &parse(arguments)?, evidence).await,
            Self::CashFlow => company::statement(StatementKind::CashFlow, &parse(arguments)?, evidence).await,
            Self::IncomeStatement => company::statement(StatementKind::Income, &parse(arguments)?, evidence).await,
        }
    }
}

/// Answers a call by name.
pub async fn call(name: &str, arguments: &Value, offered: &[Tool], evidence: &Evidence) -> Result<Found, String> {
    let tool = offered.iter().find(|tool| tool.name() == name);
    let names = || offered.iter().map(|tool| tool.name()).collect::<Vec<_>>().join(", ");
    let tool = tool.ok_or_else(|| format!("there is no tool {name}; there are: {}", names()))?;
    let span = Span::begin(SpanKind::Internal, || format!("execute_tool {}", tool.name()));
    span.set("gen_ai.operation.name", "execute_tool");
    span.set("gen_ai.tool.name", tool.name());
    let answer = span.around(tool.call(arguments, evidence)).await;
    if answer.is_err() {
        span.fail("tool_error");
    }
    answer
}

fn computed(text: String) -> Found {
    Found { text, sources: Vec::new() }
}

/// What a vendor has, as a text with its source; or why it has nothing.
fn found<T>(
    answer: Result<Sourced<T>, MarketError>,
    what: &str,
    window: &str,
    render: impl FnOnce(&T) -> String,
) -> Result<Found, String> {
    let answer = answer.map_err(|error| error.for_agents(what))?;
    let at = answer.at.format("%Y-%m-%d %H:%M:%S UTC");
    let source = format!("*{what}: vendor {}, {window}, retrieved at {at}.*", answer.vendor);
    let text = format!("## {what}, {window} (vendor {})\n\n{}", answer.vendor, render(&answer.data));
    Ok(Found { text, sources: vec![source] })
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
