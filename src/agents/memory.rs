//! What the firm remembers: earlier decisions that are settled by now, and the lessons that the portfolio manager is
//! told.
//!
//! Nothing here fails a job. Without prices, a benchmark or a readable log there is no lesson.

use std::{fmt::Write, io};

use super::{AgentError, Analysis, StepRecord, case::Case};
use crate::{
    domain::{Decision, Ticker, TradeDate},
    market::{self, PriceHistory},
    memory::{
        Entry, Settlement,
        holding::{self, Window},
        lessons,
    },
};

/// Settles what can be, and writes down what the portfolio manager is told of earlier decisions.
pub async fn recall(case: &Case<'_>, analysis: &mut Analysis) {
    if analysis.lessons.is_some() {
        return;
    }
    if let Err(error) = settle(case, analysis).await {
        tracing::warn!(%error, folder = %case.firm.memory.folder().display(), "can't use the decision log; check MEMORY_DIR");
    }
    let (log, ticker, date) = (case.firm.memory.clone(), analysis.brief.ticker.clone(), analysis.brief.date.day());
    let told = blocking(move || {
        let own = log.entries(&ticker)?;
        let others = log.recent_of_others(&ticker)?;
        Ok(told(&ticker, &lessons::own(&own, date), &lessons::of_others(&others, date)))
    });
    analysis.lessons = Some(told.await.unwrap_or_default());
    case.note(analysis).await;
}

/// Reckons what came of the ticker's pending decisions, and lets the reflector draw a lesson from the newest of them.
///
/// Each settlement goes into the analysis, whose checkpoint holds it with the reflector's turn, and only then into the
/// log, where the first is right: so a job that goes on after a crash asks no model twice, writes nothing twice, and ends
/// with the same result.
async fn settle(case: &Case<'_>, analysis: &mut Analysis) -> io::Result<()> {
    let (log, ticker) = (case.firm.memory.clone(), analysis.brief.ticker.clone());
    let entries = blocking(move || log.entries(&ticker)).await?;
    let due = due(case, analysis, &entries);
    if let Some(benchmark) = benchmark(case, analysis, &due).await {
        let newest = due.len().saturating_sub(lessons::OWN);
        for (number, (entry, window)) in due.into_iter().enumerate() {
            let Some(mut settlement) = settlement(entry, &window, &benchmark) else { continue };
            let worth_a_lesson = number >= newest && lessons::is_latest(entry, &entries) && !case.observer.must_hurry();
            if !worth_a_lesson {
                analysis.settlements.push(settlement);
                continue;
            }
            match reflect(case, analysis, entry, &settlement).await {
                Ok((reflection, step)) => {
                    settlement.reflection = Some(reflection);
                    analysis.settlements.push(settlement);
                    case.keep(analysis, step).await;
                }
                // It stays pending, and the next job tries again.
                Err(error) => analysis.warnings.push(format!("no lesson from {}: {error}", entry.decision.date)),
            }
        }
    }
    let (log, ticker) = (case.firm.memory.clone(), analysis.brief.ticker.clone());
    let settlements = analysis.settlements.clone();
    blocking(move || settlements.into_iter().try_for_each(|settlement| log.settle(&ticker, settlement))).await
}

/// The pending entries whose window is over, oldest first.
fn due<'a>(case: &Case<'_>, analysis: &Analysis, entries: &'a [Entry]) -> Vec<(&'a Entry, Window)> {
    let settled = |entry: &Entry| {
        entry.settlement.is_some() || analysis.settlements.iter().any(|it| it.job_id == entry.decision.job_id)
    };
    let bars = &case.evidence.history.bars;
    let pending = entries.iter().filter(|entry| !settled(entry));
    let mut due: Vec<_> =
        pending.filter_map(|entry| Some((entry, holding::window(bars, entry.decision.date.day())?))).collect();
    // Of a day that still lasts the last price is no close.
    due.retain(|(_, window)| !TradeDate::from(window.to).is_now());
    due.sort_by_key(|(entry, _)| (entry.decision.date, entry.decision.made_at));
    due
}

/// The history of the first benchmark that a vendor has; none is asked for where nothing is due.
async fn benchmark(case: &Case<'_>, analysis: &Analysis, due: &[(&Entry, Window)]) -> Option<PriceHistory> {
    if due.is_empty() {
        return None;
    }
    let brief = &analysis.brief;
    let chosen = case.firm.benchmark.clone().map(|ticker| vec![ticker]);
    for symbol in chosen.unwrap_or_else(|| market::benchmark(&brief.ticker)) {
        match case.firm.market.price_history(&symbol, brief.date).await {
            Ok(history) => return Some(history),
            Err(error) => tracing::debug!(%symbol, %error, "no prices of the benchmark"),
        }
    }
    tracing::info!(ticker = %brief.ticker, "no vendor has the benchmark, so earlier decisions stay unsettled");
    None
}

fn settlement(entry: &Entry, window: &Window, benchmark: &PriceHistory) -> Option<Settlement> {
    let market = holding::return_between(&benchmark.bars, window.from, window.to)?;
    Some(Settlement {
        job_id: entry.decision.job_id,
        settled_on: window.to,
        return_percent: rounded(window.return_percent),
        alpha_percent: rounded(window.return_percent - market),
        benchmark: benchmark.ticker.clone(),
        reflection: None,
    })
}

/// A percentage with the four digits that are kept, so that what is read from the log is what was written.
fn rounded(percent: f64) -> f64 {
    (percent * 1e4).round() / 1e4
}

/// The reflector's turn. It is told of the decision and its outcome alone: what it writes may be read by an analysis of
/// any date from the settlement on, so the prices of today must not be in it.
async fn reflect(
    case: &Case<'_>,
    analysis: &Analysis,
    entry: &Entry,
    settlement: &Settlement,
) -> Result<(String, StepRecord), AgentError> {
    let decision = &entry.decision;
    let context = format!(
        include_str!("prompts/reflector.md"),
        ticker = decision.ticker,
        date = decision.date,
        rating = decision.rating.as_str(),
        settled_on = settlement.settled_on,
        benchmark = settlement.benchmark,
        direction = direction(decision.rating.decision()),
        gain = settlement.return_percent,
        alpha = settlement.alpha_percent,
        language = analysis.brief.output_language,
    );
    let mut turn = case.look_back(decision.job_id, &context).await;
    let lesson = turn.answer(format!("# The decision\n\n{}", decision.summary)).await?;
    Ok((lesson.trim().to_owned(), turn.end().await))
}

fn direction(decision: Decision) -> i8 {
    match decision {
        Decision::Buy => 1,
        Decision::Hold => 0,
        Decision::Sell => -1,
    }
}

/// What the portfolio manager is told; nothing if there is nothing.
fn told(ticker: &Ticker, own: &[&Entry], others: &[&Entry]) -> String {
    let mut text = String::new();
    // Writing to a String can't fail.
    if !own.is_empty() {
        let _ = write!(text, "# Earlier decisions on {ticker}, and what came of them\n\n");
    }
    for entry in own {
        let _ = write!(text, "## {}\n\n{}\n\n", headline(entry), entry.decision.summary);
        if let Some(lesson) = lessons::lesson(entry) {
            let _ = write!(text, "Lesson: {lesson}\n\n");
        }
    }
    if !others.is_empty() {
        text.push_str("# Lessons from other instruments\n\n");
    }
    for entry in others {
        let lesson = lessons::lesson(entry).unwrap_or_default();
        let _ = write!(text, "- {} {}: {lesson}\n\n", entry.decision.ticker, headline(entry));
    }
    text
}

fn headline(entry: &Entry) -> String {
    let (date, rating) = (entry.decision.date, entry.decision.rating.as_str());
    entry.settlement.as_ref().map_or_else(
        String::new,
        |Settlement { settled_on, return_percent, alpha_percent, benchmark, .. }| {
            format!(
                "{date}, {rating}: {return_percent:+.2} % until {settled_on}, {alpha_percent:+.2} against {benchmark}"
            )
        },
    )
}

/// Runs what touches the disk where it does not hold up other tasks.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|panic| Err(io::Error::other(panic)))
}
