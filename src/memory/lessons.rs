//! What a job may learn from the log.

use chrono::NaiveDate;

use super::{Entry, Settlement};

/// Lessons of the same ticker that a job is told, with what was decided.
pub const OWN: usize = 5;

/// Lessons of other tickers that a job is told.
pub const OTHERS: usize = 3;

/// The last of a ticker's entries that were settled by the end of `date`, oldest first.
pub fn own(entries: &[Entry], date: NaiveDate) -> Vec<&Entry> {
    newest(entries.iter().filter(|entry| is_latest(entry, entries) && settled_by(entry, date)).collect(), OWN)
}

/// The last lessons that were drawn from other tickers' entries and settled by the end of `date`, oldest first.
pub fn of_others(entries: &[Entry], date: NaiveDate) -> Vec<&Entry> {
    let drawn = |entry: &&Entry| lesson(entry).is_some() && settled_by(entry, date);
    newest(entries.iter().filter(drawn).collect(), OTHERS)
}

/// Whether no later job decided on the same ticker and day: what was decided again is not learned twice.
pub fn is_latest(entry: &Entry, entries: &[Entry]) -> bool {
    let this = &entry.decision;
    !entries.iter().map(|entry| &entry.decision).any(|other| {
        other.ticker == this.ticker
            && other.date == this.date
            && (other.made_at, other.job_id) > (this.made_at, this.job_id)
    })
}

/// The lesson of an entry, if somebody drew one.
pub fn lesson(entry: &Entry) -> Option<&str> {
    entry.settlement.as_ref()?.reflection.as_deref()
}

fn settled_by(entry: &Entry, date: NaiveDate) -> bool {
    entry.settlement.as_ref().is_some_and(|settlement| settlement.settled_on <= date)
}

fn newest(mut entries: Vec<&Entry>, count: usize) -> Vec<&Entry> {
    let settled = |entry: &Entry| entry.settlement.as_ref().map(|Settlement { settled_on, .. }| *settled_on);
    entries.sort_by_key(|entry| (settled(entry), entry.decision.date, entry.decision.made_at));
    entries.split_off(entries.len().saturating_sub(count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::Rating, jobs::JobId, memory::Decision};

    fn entry(ticker: &str, date: &str, settled_on: Option<&str>) -> Entry {
        let ticker = ticker.parse().unwrap();
        let decision = Decision::new(JobId::new(), ticker, date.parse().unwrap(), Rating::Buy, "Rating: Buy");
        let settlement = settled_on.map(|settled_on| Settlement {
            job_id: decision.job_id,
            settled_on: settled_on.parse().unwrap(),
            return_percent: 1.0,
            alpha_percent: 1.0,
            benchmark: "SPY".parse().unwrap(),
            reflection: Some(format!("The lesson of {date}.")),
        });
        Entry { decision, settlement }
    }

    fn dates(entries: &[&Entry]) -> Vec<String> {
        entries.iter().map(|entry| entry.decision.date.to_string()).collect()
    }

    #[test]
    fn nothing_that_was_settled_after_the_analysis_date_is_learned() {
        let entries = [
            entry("NVDA", "2024-05-01", Some("2024-05-08")),
            entry("NVDA", "2024-05-02", Some("2024-05-09")),
            entry("NVDA", "2024-05-03", Some("2024-05-10")),
            entry("NVDA", "2024-05-06", None),
        ];
        let on = |date: &str| dates(&own(&entries, date.parse().unwrap()));
        assert_eq!(on("2024-05-07"), [""; 0]);
        assert_eq!(on("2024-05-09"), ["2024-05-01", "2024-05-02"]);
        assert_eq!(on("2024-06-01"), ["2024-05-01", "2024-05-02", "2024-05-03"]);
        assert_eq!(dates(&of_others(&entries, "2024-05-08".parse().unwrap())), ["2024-05-01"]);
    }

    #[test]
    fn the_last_five_of_the_ticker_and_three_of_others_are_told() {
        let days = ["01", "02", "03", "06", "07", "08", "09"];
        let entries = days.map(|day| {
            entry("NVDA", &format!("2024-05-{day}"), Some(&format!("2024-05-{}", 10 + day.parse::<u32>().unwrap())))
        });
        let date = "2024-06-01".parse().unwrap();
        assert_eq!(dates(&own(&entries, date))[0], "2024-05-03");
        assert_eq!(dates(&of_others(&entries, date)), ["2024-05-07", "2024-05-08", "2024-05-09"]);
    }

    #[test]
    fn a_day_that_was_decided_again_teaches_once() {
        let entries = ["2024-05-08", "2024-05-08"].map(|settled| entry("NVDA", "2024-05-01", Some(settled)));
        let learned = own(&entries, "2024-06-01".parse().unwrap());
        assert_eq!(learned, [&entries[1]]);
    }
}
