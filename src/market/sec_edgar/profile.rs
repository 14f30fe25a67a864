//! The company profile: its name and the figures on the cover pages of its reports.

use chrono::{Days, NaiveDate};

use super::{
    super::{Profile, Shares},
    facts::{Company, Value},
    known::KnownFacts,
};

/// Maximum age of a cover page in days: a year, and the time that an annual report takes. Older numbers of shares are
/// stale: companies that issue a second class of shares stop giving one number for all.
const OLDEST: u64 = 365 + 120;

/// The profile as of a date; `symbols` are all that the SEC lists for the company.
pub fn profile(company: &Company, known: &KnownFacts, symbol: &str, symbols: &[String], date: NaiveDate) -> Profile {
    let mut figures = vec![("Name", company.entity_name.clone())];
    if let Some((_, value)) = newest(known, "dei", "EntityPublicFloat", date) {
        let (worth, day) = (value.val.unwrap_or_default(), value.end);
        figures.push(("Value of shares that are not insiders'", format!("{worth:.0} USD on {day}")));
    }
    let shares = foreign(known)
        .or_else(|| other_security(symbol, symbols))
        .or_else(|| outstanding(known, date))
        .unwrap_or(Shares::Unknown);
    Profile { known: date, figures, shares, notes: Vec::new() }
}

/// The number of shares on the cover of the latest report, or on its balance sheet.
fn outstanding(known: &KnownFacts, date: NaiveDate) -> Option<Shares> {
    let tags = [("dei", "EntityCommonStockSharesOutstanding"), ("us-gaap", "CommonStockSharesOutstanding")];
    let (_, value) = tags.into_iter().find_map(|(taxonomy, tag)| newest(known, taxonomy, tag, date))?;
    let count = value.val?;
    Some(Shares::Outstanding { count, on: value.end, filed: value.filed, as_filed: count })
}

/// The newest value of a tag, if it is not too old to be that of today.
fn newest<'a>(known: &KnownFacts<'a>, taxonomy: &str, tag: &str, date: NaiveDate) -> Option<(&'a str, &'a Value)> {
    let oldest = date.checked_sub_days(Days::new(OLDEST))?;
    let values = known.values(taxonomy, tag).filter(|(_, value)| {
        value.end >= oldest && value.end <= date && value.val.is_some_and(|val| val.is_finite() && val > 0.0)
    });
    values.max_by_key(|(_, value)| (value.end, value.filed, &value.accn))
}

/// Shares of a foreign company trade in the United States as depositary shares as a rule.
fn foreign(known: &KnownFacts) -> Option<Shares> {
    let tags = [("us-gaap", "Assets"), ("ifrs-full", "Assets"), ("dei", "EntityCommonStockSharesOutstanding")];
    let values = tags.into_iter().flat_map(|(taxonomy, tag)| known.values(taxonomy, tag));
    let annual = values.map(|(_, value)| value).filter(|value| value.is_of_annual_report());
    let latest = annual.max_by_key(|value| (value.filed, &value.accn))?;
    latest.is_of_foreign_report().then(|| {
        Shares::OtherThanPriced(
            "the company files form 20-F, so what trades may be depositary shares that stand for another number of its \
             shares than one, which no filed figure says"
                .into(),
        )
    })
}

/// Symbols of other securities than the common share that reports count: classes such as `BRK-A` and `BRK-B`, one of which
/// may be worth many of the other, and preferred shares, warrants, units and rights.
fn other_security(symbol: &str, symbols: &[String]) -> Option<Shares> {
    if let Some((company, suffix)) = symbol.split_once('-') {
        if suffix.len() > 1 {
            return Some(not_common(symbol));
        }
        let is_sibling =
            |other: &&String| other.split_once('-').is_some_and(|(stem, class)| stem == company && class.len() == 1);
        let mut classes: Vec<_> = symbols.iter().filter(is_sibling).cloned().collect();
        classes.sort();
        return Some(Shares::OtherThanPriced(format!(
            "the company has classes of shares ({}) that may differ in worth, and filings count them together",
            classes.join(", ")
        )));
    }
    // Nasdaq marks warrants, rights, units and preferred shares by one more letter.
    let stem = symbol.strip_suffix(['W', 'R', 'U', 'P', 'O', 'N', 'M', 'Z'])?;
    symbols.iter().any(|other| other == stem).then(|| not_common(symbol))
}

fn not_common(symbol: &str) -> Shares {
    Shares::OtherThanPriced(format!(
        "{symbol} is a preferred share, warrant, unit or right, and the filed number of shares is that of common shares"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_common_shares_are_multiplied_by_the_filed_number() {
        let symbols = |all: &[&str]| all.iter().map(|symbol| (*symbol).to_owned()).collect::<Vec<_>>();
        let why = |symbol: &str, all: &[&str]| match other_security(symbol, &symbols(all)) {
            Some(Shares::OtherThanPriced(why)) => why,
            _ => String::new(),
        };
        assert!(why("BRK-B", &["BRK-B", "BRK-A"]).contains("(BRK-A, BRK-B)"));
        assert!(why("BAC-PL", &["BAC", "BAC-PL"]).starts_with("BAC-PL is a preferred share"));
        assert!(why("LUCYW", &["LUCY", "LUCYW"]).starts_with("LUCYW is a"));
        assert_eq!(["GOOGL", "GOOG", "SNOW"].map(|symbol| why(symbol, &["GOOG", "GOOGL", "SNOW"])), ["", "", ""]);
    }
}
