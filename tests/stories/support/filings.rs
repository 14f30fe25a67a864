//! Filings of a company at the SEC, as a test writes them down.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::vendors::{FakeVendors, Reply};

/// A filing: its form, filing date, time of acceptance and figures.
pub struct Filing {
    form: &'static str,
    filed: &'static str,
    accepted: Option<&'static str>,
    facts: Vec<Fact>,
}

/// A figure: taxonomy and tag, unit, start (empty for a moment), end and value.
type Fact = (&'static str, &'static str, &'static str, &'static str, f64);

impl Filing {
    pub fn new(form: &'static str, filed: &'static str) -> Self {
        Self { form, filed, accepted: None, facts: Vec::new() }
    }

    /// When EDGAR accepted it, UTC.
    pub fn accepted(mut self, time: &'static str) -> Self {
        self.accepted = Some(time);
        self
    }

    /// A figure of a span, or of a moment if `start` is empty; the tag is written `us-gaap:Assets`.
    pub fn has(
        mut self,
        tag: &'static str,
        unit: &'static str,
        start: &'static str,
        end: &'static str,
        value: f64,
    ) -> Self {
        self.facts.push((tag, unit, start, end, value));
        self
    }

    fn accession(&self) -> String {
        format!("{}-{}", self.filed, self.form)
    }
}

/// Puts the filings of a company into the place of the SEC's.
pub fn file(fake: &FakeVendors, ticker: &str, filings: &[Filing]) {
    let listed = json!({"0": {"cik_str": 7, "ticker": ticker, "title": "Example"}});
    fake.answers("www.sec.gov/files/company_tickers.json", Reply::Json(listed))
        .answers("data.sec.gov/api/xbrl/companyfacts/CIK0000000007.json", Reply::Json(facts(filings)))
        .answers("data.sec.gov/submissions/CIK0000000007.json", Reply::Json(submissions(filings)));
}

fn facts(filings: &[Filing]) -> Value {
    let mut tree: BTreeMap<&str, BTreeMap<&str, BTreeMap<&str, Vec<Value>>>> = BTreeMap::new();
    for filing in filings {
        for (name, unit, start, end, val) in &filing.facts {
            let (taxonomy, tag) = name.split_once(':').unwrap();
            let mut value = json!({"end": end, "val": val, "accn": filing.accession(), "form": filing.form,
                                   "filed": filing.filed, "fy": 2024, "fp": "FY"});
            if !start.is_empty() {
                value["start"] = json!(start);
            }
            tree.entry(taxonomy).or_default().entry(tag).or_default().entry(unit).or_default().push(value);
        }
    }
    let facts: BTreeMap<_, BTreeMap<_, _>> = tree
        .into_iter()
        .map(|(taxonomy, tags)| {
            (taxonomy, tags.into_iter().map(|(tag, units)| (tag, json!({"units": units}))).collect())
        })
        .collect();
    json!({"cik": 7, "entityName": "Example", "facts": facts})
}

fn submissions(filings: &[Filing]) -> Value {
    let accepted: Vec<_> = filings.iter().filter(|filing| filing.accepted.is_some()).collect();
    let column = |of: fn(&Filing) -> String| accepted.iter().map(|filing| of(filing)).collect::<Vec<_>>();
    json!({"cik": "7", "filings": {"files": [], "recent": {
        "accessionNumber": column(Filing::accession),
        "filingDate": column(|filing| filing.filed.into()),
        "acceptanceDateTime": column(|filing| filing.accepted.unwrap_or_default().into()),
        "form": column(|filing| filing.form.into())
    }}})
}
