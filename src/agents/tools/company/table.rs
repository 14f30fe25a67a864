//! A statement as a CSV table: periods are its columns, the newest first, and below stand notes.

use std::fmt::Write;

use crate::{
    domain::shown::price,
    market::{Figure, Period, Statement},
};

/// Periods of a statement at most: two years of quarters, to compare each with that of a year before.
const MOST_PERIODS: usize = 8;

/// What stands behind a figure that was computed from others.
const DERIVED: &str = " (derived)";

/// The table and its notes.
pub fn render(statement: &Statement) -> String {
    let periods = &statement.periods[..statement.periods.len().min(MOST_PERIODS)];
    let names = names(periods);
    let row = |name: &str, cell: &dyn Fn(&Period) -> String| {
        let cells: Vec<_> = periods.iter().map(cell).collect();
        format!("{name},{}\n", cells.join(","))
    };
    let mut text = row("Period end", &|period| period.end.to_string());
    text += &row("Known on", &|period| period.known.to_string());
    text += &row("Currency", &|period| period.currency.clone());
    let mut has_gaps = false;
    for name in &names {
        has_gaps |= periods.iter().any(|period| period.figure(name).is_none());
        text += &row(name, &|period| period.figure(name).map_or_else(String::new, cell));
    }
    let gaps = has_gaps.then(|| {
        "An empty cell means that the vendor has no such figure of that period, and that none can be derived."
            .to_owned()
    });
    let notes = statement.notes.iter().cloned().chain(gaps).chain(tags(periods, &names));
    for text_of_note in notes {
        // Writing to a String can't fail.
        let _ = write!(text, "\n{}", note(&text_of_note));
    }
    text
}

/// A note as it stands below figures.
pub fn note(text: &str) -> String {
    format!("Note: {text}")
}

/// The names of all figures, in the order of the newest period that has each.
fn names(periods: &[Period]) -> Vec<&'static str> {
    let mut names = Vec::new();
    for figure in periods.iter().flat_map(|period| &period.figures) {
        if !names.contains(&figure.name) {
            names.push(figure.name);
        }
    }
    names
}

fn cell(figure: &Figure) -> String {
    format!("{}{}", number(figure.value), if figure.derived { DERIVED } else { "" })
}

/// Amounts are big numbers, figures per share small ones.
fn number(value: f64) -> String {
    if value.abs() >= 1000.0 { format!("{value:.0}") } else { price(value) }
}

/// Which tag each figure was filed under, and since when if that changed.
fn tags(periods: &[Period], names: &[&'static str]) -> Option<String> {
    let of_name =
        |name: &&'static str| {
            let mut tags: Vec<(&str, &Period)> = Vec::new();
            for period in periods {
                if let Some(tag) = period.figure(name).and_then(|figure| figure.tag) {
                    match tags.last_mut() {
                        Some((last, oldest)) if *last == tag => *oldest = period,
                        _ => tags.push((tag, period)),
                    }
                }
            }
            let single = tags.len() == 1;
            let tags = tags.iter().map(|(tag, since)| {
                if single { (*tag).to_owned() } else { format!("{tag} (periods from {} on)", since.end) }
            });
            let tags: Vec<_> = tags.collect();
            (!tags.is_empty()).then(|| format!("{name} is {}", tags.join(" and before that ")))
        };
    let told: Vec<_> = names.iter().filter_map(of_name).collect();
    (!told.is_empty()).then(|| format!("Tags in the filings: {}.", told.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(end: &str, figures: Vec<Figure>) -> Period {
        let end = end.parse().unwrap();
        Period { end, known: end, currency: "USD".into(), figures }
    }

    #[test]
    fn a_table_marks_what_is_derived_and_says_what_is_missing() {
        let tagged = |value, tag, derived| Figure { derived, tag: Some(tag), ..Figure::new("Revenue", value) };
        let periods = vec![
            period("2024-03-31", vec![tagged(2_500_000.0, "B", true), Figure::new("EPS", 0.0042)]),
            period("2023-12-31", vec![tagged(1.5, "B", false)]),
            period("2023-09-30", vec![tagged(-7.0, "A", false)]),
        ];
        let text = render(&Statement { periods, notes: vec!["Read with care.".into()] });
        let expected = "Period end,2024-03-31,2023-12-31,2023-09-30\nKnown on,2024-03-31,2023-12-31,2023-09-30\n\
            Currency,USD,USD,USD\nRevenue,2500000 (derived),1.50,-7.00\nEPS,0.0042,,\n\n\
            Note: Read with care.\n\
            Note: An empty cell means that the vendor has no such figure of that period, and that none can be derived.\n\
            Note: Tags in the filings: Revenue is B (periods from 2023-12-31 on) and before that A (periods from 2023-09-30 on).";
        assert_eq!(text, expected);
    }
}
