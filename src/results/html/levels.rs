//! The prices that the team named.

use serde_json::Value;

use crate::{
    charts::{self, Level, LevelKind},
    domain::Agent,
    llm::Message,
    market::{Bar, PriceCurrency, bars_csv},
    results::JobResult,
};

/// The chart of a result, unless it came without bars; with the prices at which the trader wants in and out, and the
/// portfolio manager's target.
pub fn chart(result: &JobResult) -> Option<maud::Markup> {
    let bars = bars_csv::read(result.bars.as_bytes()).ok()?.bars;
    let bars: Vec<_> = bars.into_iter().map(|bar| bar.bar).collect();
    let currency = result.currency.as_deref().and_then(PriceCurrency::new);
    let subject = currency.map_or(result.ticker.to_string(), |currency| format!("{} in {currency}", result.ticker));
    charts::prices(&subject, &bars, &levels(result, &bars))
}

fn levels(result: &JobResult, bars: &[Bar]) -> Vec<Level> {
    let named = [
        (Agent::Trader, "entry_price", LevelKind::Entry),
        (Agent::Trader, "stop_loss", LevelKind::Stop),
        (Agent::PortfolioManager, "price_target", LevelKind::Target),
    ];
    let (low, high) = range(bars);
    let levels = named.into_iter().filter_map(|(agent, field, kind)| {
        let price = form(result, agent)?.get(field)?.as_f64()?;
        Some(Level { kind, price })
    });
    // A model may name any number; one that is far off would leave nothing of the prices to be seen.
    levels.filter(|level| (low * 0.7..high * 1.3).contains(&level.price)).collect()
}

/// The answer of an agent that filled in a form.
fn form(result: &JobResult, agent: Agent) -> Option<Value> {
    let step = result.steps.iter().rev().find(|step| step.agent == agent)?;
    let Message::Assistant { content, .. } = step.messages.last()? else { return None };
    serde_json::from_str(content).ok()
}

fn range(bars: &[Bar]) -> (f64, f64) {
    let shown = &bars[bars.len().saturating_sub(charts::SHOWN)..];
    shown.iter().fold((f64::MAX, f64::MIN), |(low, high), bar| (low.min(bar.low), high.max(bar.high)))
}
