//! Company data of the market: profile and statements, restated for splits ([`shares`](super::shares)).

use super::{
    Frequency, FundamentalSource, Market, MarketError, Period, Profile, Shares, Sourced, Sources, Split, Statement,
    StatementKind,
    calendar::Calendar,
    first,
    guard::{Known, known_by},
    shares::{self, Splits},
};
use crate::domain::{Ticker, TradeDate};

impl Market {
    /// The company in short.
    pub async fn profile(&self, ticker: &Ticker, date: TradeDate) -> Result<Sourced<Profile>, MarketError> {
        let cutoff = Calendar::of(ticker).cutoff(date.day());
        let guarded = |mut profile: Profile, vendor| {
            profile.figures.retain(|(_, value)| !is_no_number(value));
            let what = || format!("profile of {ticker} for {date}");
            let is_known = profile.known_at().is_by(cutoff) && !profile.figures.is_empty();
            if is_known { Ok(profile) } else { Err(MarketError::NoData { vendor, what: what() }) }
        };
        let mut found = first("a profile", &self.profiles, |source| source.profile(ticker, date), guarded).await?;
        if matches!(found.data.shares, Shares::Outstanding { .. })
            && let Some(splits) = self.splits(ticker, date).await
        {
            let notes = Splits::new(&splits, date.day()).restate_count(&mut found.data.shares);
            found.data.notes.extend(notes);
        }
        Ok(found)
    }

    /// A statement with the periods that were known at the close of the analysis date, newest first, and with figures
    /// per share that count the shares of that day.
    pub async fn statement(
        &self,
        ticker: &Ticker,
        kind: StatementKind,
        frequency: Frequency,
        date: TradeDate,
    ) -> Result<Sourced<Statement>, MarketError> {
        let cutoff = Calendar::of(ticker).cutoff(date.day());
        let guarded = |statement: Statement, vendor| {
            let mut periods = known_by::<Period>(statement.periods, cutoff);
            for period in &mut periods {
                period.figures.retain(|figure| figure.value.is_finite());
            }
            periods.retain(|period| !period.figures.is_empty());
            periods.sort_by_key(|period| std::cmp::Reverse(period.end));
            let what = || format!("statements of {ticker} that were filed by {date}");
            if periods.is_empty() {
                return Err(MarketError::NoData { vendor, what: what() });
            }
            Ok(Statement { periods, ..statement })
        };
        let sources = self.statements(kind);
        let mut found =
            first("the statements", sources, |source| source.statement(ticker, kind, frequency, date), guarded).await?;
        if shares::counts_shares(&found.data.periods) {
            match self.splits(ticker, date).await {
                Some(splits) => Splits::new(&splits, date.day()).restate(&mut found.data),
                // Figures of today are restated for all splits.
                None if date.is_now() => {}
                None => shares::without_splits(&mut found.data),
            }
        }
        Ok(found)
    }

    /// All splits that a vendor of prices knows, also those after the analysis date, for figures that a vendor has restated
    /// since; none if no vendor of prices knows splits.
    async fn splits(&self, ticker: &Ticker, date: TradeDate) -> Option<Vec<Split>> {
        for source in self.prices.iter().filter(|source| source.tells_splits()) {
            // The same request as for the bars, so it costs nothing where a cache is kept.
            if let Ok(answer) = source.daily_bars(ticker, date.day()).await {
                return Some(answer.data.splits);
            }
        }
        None
    }

    pub(super) fn statements(&self, kind: StatementKind) -> &Sources<dyn FundamentalSource> {
        match kind {
            StatementKind::BalanceSheet => &self.balance_sheets,
            StatementKind::CashFlow => &self.cash_flows,
            StatementKind::Income => &self.income_statements,
        }
    }
}

/// Whether a vendor wrote NaN or infinity instead of a number.
fn is_no_number(value: &str) -> bool {
    let bare = value.trim_start_matches(['-', '+']).to_lowercase();
    ["nan", "inf", "infinity"].contains(&bare.split(' ').next().unwrap_or_default())
}
