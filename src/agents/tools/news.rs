//! What is going on: articles, insiders, the economy, odds, posts.

use std::fmt::Write;

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Found, found};
use crate::{
    agents::evidence::{Evidence, figure},
    domain::TradeDate,
    market::{Article, InsiderTrade, Mood, Odds, Post, Series, Window, calendar::Calendar},
};

/// Articles of a call at most, whatever the agent asks for; the settings allow as many.
const MOST_ARTICLES: usize = 100;
/// Questions of a prediction market at most.
const MOST_QUESTIONS: usize = 20;
/// Posts of a place at most.
const MOST_POSTS: usize = 40;
/// Values of a series at most.
const MOST_VALUES: usize = 40;
/// Trades of insiders at most.
const MOST_TRADES: usize = 25;
/// How far back articles are looked for at most, days.
const LONGEST_LOOK_BACK: u64 = 90;
/// How much of an article's summary is shown, characters.
const SUMMARY: usize = 400;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewsArguments {
    /// First day, YYYY-MM-DD; some days before the last if absent
    #[serde(default)]
    start_date: Option<NaiveDate>,
    /// Last day, YYYY-MM-DD, the analysis date if absent
    #[serde(default)]
    end_date: Option<NaiveDate>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GlobalNewsArguments {
    /// Calendar days to look back from the analysis date
    #[serde(default)]
    look_back_days: Option<u64>,
    /// How many articles
    #[serde(default)]
    limit: Option<usize>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MacroArguments {
    /// A name such as cpi, or an id of FRED such as DGS10
    indicator: String,
    /// Calendar days to look back from the analysis date
    #[serde(default)]
    look_back_days: Option<u64>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PredictionArguments {
    /// What the questions are about, in one or two words
    topic: String,
    /// How many questions
    #[serde(default = "six")]
    limit: usize,
}

fn six() -> usize {
    6
}

/// Articles on the instrument.
pub async fn ticker(asked: NewsArguments, evidence: &Evidence) -> Result<Found, String> {
    let date = evidence.date;
    let last = asked.end_date.unwrap_or(date.day()).min(date.day());
    let first = asked.start_date.unwrap_or(TradeDate::from(last).minus_days(evidence.reading.news_days));
    let window = Window::between(evidence.calendar(), first.max(date.minus_days(LONGEST_LOOK_BACK)), last, date);
    if window.first > window.last {
        return Err(format!("the window from {first} to {last} has no day; the analysis date is {date}"));
    }
    let answer = evidence.market.news(evidence.ticker(), window).await;
    let what = format!("News on {}", evidence.ticker());
    found(answer, &what, &window.to_string(), |articles| {
        list(articles, evidence.reading.news_articles, evidence.calendar())
    })
}

/// Articles on the markets.
pub async fn global(asked: GlobalNewsArguments, evidence: &Evidence) -> Result<Found, String> {
    let reading = &evidence.reading;
    let window = evidence.window(asked.look_back_days.unwrap_or(reading.global_news_days).clamp(1, LONGEST_LOOK_BACK));
    let answer = evidence.market.global_news(window, &reading.global_news_queries).await;
    let limit = asked.limit.unwrap_or(reading.global_news_articles).clamp(1, MOST_ARTICLES);
    found(answer, "News on the markets", &window.to_string(), |articles| list(articles, limit, evidence.calendar()))
}

/// What insiders did.
pub async fn insiders(evidence: &Evidence) -> Result<Found, String> {
    let window = evidence.window(evidence.reading.insider_days);
    let answer = evidence.market.insider_trades(evidence.ticker(), window).await;
    found(answer, "Insider transactions", &window.to_string(), |trades| trade_rows(trades))
}

/// A series.
pub async fn series(asked: MacroArguments, evidence: &Evidence) -> Result<Found, String> {
    let window = evidence.window(asked.look_back_days.unwrap_or(evidence.reading.macro_days).clamp(30, 3650));
    let answer = evidence.market.series(&asked.indicator, window).await;
    let what = format!("Macro series {}", answer.as_ref().map_or(&asked.indicator, |found| &found.data.id));
    found(answer, &what, &window.to_string(), values)
}

/// Odds.
pub async fn odds(asked: PredictionArguments, evidence: &Evidence) -> Result<Found, String> {
    let answer = evidence.market.odds(&asked.topic, evidence.date).await;
    let limit = asked.limit.clamp(1, MOST_QUESTIONS);
    // Odds are those of the moment, which may lie after the close: the reader sees of which.
    let window = match &answer {
        Ok(found) => format!("at {}, as of {}", evidence.date, found.at.format("%Y-%m-%d %H:%M UTC")),
        Err(_) => format!("at {}", evidence.date),
    };
    found(answer, &format!("Prediction markets on {}", asked.topic), &window, |odds| questions(odds, limit))
}

/// What people write, wherever something came back.
pub async fn posts(evidence: &Evidence) -> Result<Found, String> {
    let window = evidence.window(evidence.reading.news_days);
    let answers = evidence.market.posts(evidence.ticker(), window).await;
    let answers = answers
        .into_iter()
        .map(|answer| found(answer, "Posts", &window.to_string(), |posts| written(posts, evidence.calendar())));
    let (good, bad): (Vec<_>, Vec<_>) = answers.partition(Result::is_ok);
    let errors: Vec<_> = bad.into_iter().filter_map(Result::err).collect();
    if good.is_empty() {
        return Err(errors.join("\n\n"));
    }
    let (mut texts, mut sources) = (Vec::new(), Vec::new());
    for place in good.into_iter().flatten() {
        texts.push(place.text);
        sources.extend(place.sources);
    }
    texts.extend(errors);
    Ok(Found { text: texts.join("\n\n"), sources })
}

/// Articles as a list, dated by the calendar of the instrument's exchange.
fn list(articles: &[Article], limit: usize, calendar: Calendar) -> String {
    let lines = articles.iter().take(limit).map(|article| {
        let Article { published, title, publisher, summary, tone, .. } = article;
        let by: Vec<_> =
            [Some(publisher), tone.as_ref()].into_iter().flatten().filter(|text| !text.is_empty()).collect();
        let by = by.into_iter().map(String::as_str).collect::<Vec<_>>().join(", tone: ");
        let summary: String = one_line(summary).chars().take(SUMMARY).collect();
        let rest = if summary.is_empty() { summary } else { format!(": {summary}") };
        format!("- {} **{}** ({by}){rest}", calendar.day_of(*published), one_line(title))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A vendor's text, which can't begin a line of its own in a prompt.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn trade_rows(trades: &[InsiderTrade]) -> String {
    let mut text = String::from("Date,Who,Role,What,Shares,Value\n");
    let number = |value: Option<f64>| value.map_or(String::new(), |value| format!("{value:.0}"));
    for trade in trades.iter().take(MOST_TRADES) {
        let [who, role, action] = [&trade.who, &trade.role, &trade.action].map(|text| text.replace(',', ";"));
        // Writing to a String can't fail.
        let _ = writeln!(text, "{},{who},{role},{action},{},{}", trade.date, number(trade.shares), number(trade.value));
    }
    text
}

fn values(series: &Series) -> String {
    let known = &series.observations;
    let [first, last] = [known.first(), known.last()].map(|value| value.map_or(f64::NAN, |value| value.value));
    let mut text = format!(
        "{}; {}; {}. Latest {}, {} since the first value of the window.\n\nDate,Value\n",
        series.title,
        series.units,
        series.frequency.to_lowercase(),
        figure(last),
        if last >= first { format!("up {}", figure(last - first)) } else { format!("down {}", figure(first - last)) },
    );
    for value in known.iter().rev().take(MOST_VALUES) {
        let _ = writeln!(text, "{},{}", value.date, figure(value.value));
    }
    text
}

fn questions(odds: &[Odds], limit: usize) -> String {
    let lines = odds.iter().take(limit).map(|odds| {
        let resolves = odds.resolves.map_or("without a date".into(), |day| format!("resolves {day}"));
        let change = odds.week_change.map_or(String::new(), |by| format!(", {:+.1} points in a week", by * 100.0));
        format!(
            "- {}: {} {:.1} %{change} ({resolves}, {:.0} US dollars traded)",
            odds.question,
            odds.outcome,
            odds.probability * 100.0,
            odds.volume
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn written(posts: &[Post], calendar: Calendar) -> String {
    let count = |mood| posts.iter().filter(|post| post.mood == Some(mood)).count();
    let mut text = format!(
        "{} posts; declared bullish {}, declared bearish {}.\n",
        posts.len(),
        count(Mood::Bullish),
        count(Mood::Bearish)
    );
    for post in posts.iter().take(MOST_POSTS) {
        let mood = match post.mood {
            Some(Mood::Bullish) => " [bullish]",
            Some(Mood::Bearish) => " [bearish]",
            None => "",
        };
        let _ = write!(text, "\n- {} {}{mood}: {}", calendar.day_of(post.written), post.place, one_line(&post.text));
    }
    text
}
