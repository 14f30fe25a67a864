//! The wire format of the SEC's `companyfacts`: every figure that a company ever tagged, in every filing that has it.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Deserialize;

/// The answer for one company. Maps are sorted, so that two runs read the same in the same order.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Company {
    #[serde(default)]
    pub entity_name: String,
    /// By taxonomy (`us-gaap`, `ifrs-full`, `dei`) and tag.
    #[serde(default)]
    facts: BTreeMap<String, BTreeMap<String, Concept>>,
}

#[derive(Deserialize)]
struct Concept {
    /// By unit: `USD`, `USD/shares`, `shares`.
    #[serde(default)]
    units: BTreeMap<String, Vec<Value>>,
}

/// One figure in one filing.
#[derive(Debug, Clone, Deserialize)]
pub struct Value {
    /// None for figures of a moment, such as those of a balance sheet.
    pub start: Option<NaiveDate>,
    pub end: NaiveDate,
    /// None where the filing says that there is nothing to report.
    pub val: Option<f64>,
    /// The SEC's filing date: the day of acceptance, or the next business day for filings accepted after 17:30.
    pub filed: NaiveDate,
    /// Accession number of the filing.
    #[serde(default)]
    pub accn: String,
    /// `10-K`, `10-Q`, `20-F`.
    pub form: Option<String>,
}

impl Company {
    /// All values of a tag, each with its unit.
    pub fn values(&self, taxonomy: &str, tag: &str) -> impl Iterator<Item = (&str, &Value)> {
        let concept = self.facts.get(taxonomy).and_then(|tags| tags.get(tag));
        let units = concept.into_iter().flat_map(|concept| &concept.units);
        units.flat_map(|(unit, values)| values.iter().map(move |value| (unit.as_str(), value)))
    }
}

impl Company {
    /// The filings of these days, by accession number and filing date.
    pub fn filings_between(&self, first: NaiveDate, last: NaiveDate) -> impl Iterator<Item = (&str, NaiveDate)> {
        let values =
            self.facts.values().flat_map(BTreeMap::values).flat_map(|concept| concept.units.values()).flatten();
        let within = values.filter(move |value| (first..=last).contains(&value.filed));
        within.map(|value| (value.accn.as_str(), value.filed))
    }
}

impl Value {
    /// Whether an annual report has it: forms 10-K, 20-F and 40-F, their amendments and transition reports.
    pub fn is_of_annual_report(&self) -> bool {
        let form = self.form.as_deref().unwrap_or_default();
        ["10-K", "20-F", "40-F"].iter().any(|annual| form.starts_with(annual))
    }

    /// Whether the filer is a foreign company whose shares trade as depositary shares as a rule (form 20-F).
    pub fn is_of_foreign_report(&self) -> bool {
        self.form.as_deref().is_some_and(|form| form.starts_with("20-F"))
    }
}
