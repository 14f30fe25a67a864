//! A backtest as one document: what was decided when, and how each strategy did.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{Baseline, Performance, Signal, chart, equity, positions, report, table};
use crate::{
    domain::{Decision, Rating, Ticker, TradeDate},
    jobs::JobId,
    market::PriceHistory,
};

/// The name of the strategy that follows the firm's decisions.
const FIRM: &str = "TradingAgents";

/// A backtest that is done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Backtest {
    pub ticker: Ticker,
    /// The first close and the last.
    pub from: NaiveDate,
    pub to: NaiveDate,
    /// Trading days from one decision to the next.
    pub every_days: usize,
    /// What a change of position costs, hundredths of a percent of the whole.
    pub cost_basis_points: f64,
    /// The vendor of the prices.
    pub vendor: String,
    /// The firm first, then the baselines.
    pub strategies: Vec<Strategy>,
    pub decisions: Vec<Judgement>,
    /// The days of the strategies' `equity`.
    pub dates: Vec<NaiveDate>,
}

/// A strategy that was followed through.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Strategy {
    pub name: String,
    /// When it is in and when out.
    pub rule: String,
    #[serde(flatten)]
    pub performance: Performance,
    /// Closes after which it was in.
    pub days_held: usize,
    /// Changes of position.
    pub trades: usize,
    /// What 1 was worth at each close.
    pub equity: Vec<f64>,
}

/// What the firm said of one day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    pub date: TradeDate,
    pub job_id: JobId,
    /// None if the job failed, which leaves the position as it was.
    pub decision: Option<Decision>,
    pub rating: Option<Rating>,
    pub error: Option<String>,
}

impl Backtest {
    /// Follows the decisions and the baselines through the closes of `history` from the bar numbered `first` on.
    pub fn new(
        history: &PriceHistory,
        first: usize,
        every_days: usize,
        cost_basis_points: f64,
        decisions: Vec<Judgement>,
    ) -> Self {
        let span = &history.bars[first..];
        let dates: Vec<_> = span.iter().map(|bar| bar.date).collect();
        let closes: Vec<_> = span.iter().map(|bar| bar.close).collect();
        let follow = |name: &str, rule: String, signals: &[Signal]| {
            Strategy::follow(name, rule, &closes, signals, cost_basis_points / 10_000.0)
        };
        let said = dates.iter().map(|day| signal_of(&decisions, *day)).collect::<Vec<_>>();
        let rule = format!("in after BUY, out after SELL; {}", rhythm(every_days));
        let baselines = Baseline::ALL.map(|it| follow(it.name(), it.rule(), &it.signals(&history.bars)[first..]));
        Self {
            ticker: history.ticker.clone(),
            from: dates[0],
            to: dates[dates.len() - 1],
            every_days,
            cost_basis_points,
            vendor: history.vendor.to_owned(),
            strategies: std::iter::once(follow(FIRM, rule, &said)).chain(baselines).collect(),
            decisions,
            dates,
        }
    }

    /// What it is of, in a line.
    pub fn title(&self) -> String {
        let Self { ticker, from, to, every_days, .. } = self;
        format!("{ticker}, {from} to {to}, {}", rhythm(*every_days))
    }

    /// The strategies and their figures for people, as Markdown that is also readable as it stands.
    pub fn table(&self) -> String {
        table::of(self)
    }

    /// The whole report for people, as Markdown with the chart beside it.
    pub fn report(&self) -> String {
        report::of(self)
    }

    /// What each strategy was worth from day to day, as SVG.
    pub fn chart(&self) -> String {
        chart::of(self)
    }
}

impl Strategy {
    /// Follows the signals at the closes; that of the last close comes too late.
    fn follow(name: &str, rule: String, closes: &[f64], signals: &[Signal], cost: f64) -> Self {
        let days = closes.len() - 1;
        let held = positions(signals.iter().copied().take(days));
        let equity = equity(closes, &held, cost);
        let before = std::iter::once(&false).chain(&held);
        Self {
            name: name.into(),
            rule,
            performance: Performance::of(&equity),
            days_held: held.iter().filter(|held| **held).count(),
            trades: before.zip(&held).filter(|(before, after)| before != after).count(),
            equity,
        }
    }
}

/// How often there is a decision.
fn rhythm(every_days: usize) -> String {
    match every_days {
        1 => "a decision every trading day".into(),
        days => format!("a decision every {days} trading days"),
    }
}

fn signal_of(decisions: &[Judgement], day: NaiveDate) -> Signal {
    let said = decisions.iter().find(|judgement| judgement.date.day() == day);
    said.and_then(|judgement| judgement.decision).map_or(Signal::Keep, Signal::from)
}
