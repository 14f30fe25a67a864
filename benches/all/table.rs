//! Tables of figures, and how figures are written.

use std::time::Duration;

/// A table with a title before it and notes behind it.
pub struct Table {
    title: String,
    heads: Vec<String>,
    rows: Vec<Vec<String>>,
    notes: Vec<String>,
}

impl Table {
    pub fn new<'a>(title: &str, heads: impl IntoIterator<Item = &'a str>) -> Self {
        let heads = heads.into_iter().map(Into::into).collect();
        Self { title: title.into(), heads, rows: Vec::new(), notes: Vec::new() }
    }

    pub fn row<T: Into<String>>(&mut self, cells: impl IntoIterator<Item = T>) {
        let cells: Vec<String> = cells.into_iter().map(Into::into).collect();
        assert_eq!(cells.len(), self.heads.len(), "{cells:?} has a cell for each head");
        println!("  {}", cells.join(" · "));
        self.rows.push(cells);
    }

    pub fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// For the terminal: columns of equal width.
    pub fn text(&self) -> String {
        let cells = |row: &[String]| {
            let places = row.iter().enumerate().map(|(place, cell)| match place {
                0 => format!("{cell:<width$}", width = self.width(0)),
                _ => format!("{cell:>width$}", width = self.width(place)),
            });
            format!("  {}\n", places.collect::<Vec<_>>().join("   "))
        };
        let rows: String = self.rows.iter().map(|row| cells(row)).collect();
        let notes: Vec<_> = self.notes.iter().map(|note| format!("  {note}\n")).collect();
        format!("{}\n{}{rows}{}", self.title, cells(&self.heads), notes.concat())
    }

    /// For a document.
    pub fn markdown(&self) -> String {
        let line = |row: &[String]| format!("| {} |\n", row.join(" | "));
        let rule: String = (1..self.heads.len()).map(|_| " ---: |").collect();
        let rows: String = self.rows.iter().map(|row| line(row)).collect();
        let notes: Vec<_> = self.notes.iter().map(|note| format!("\n{note}\n")).collect();
        format!("### {}\n\n{}| --- |{rule}\n{rows}{}", self.title, line(&self.heads), notes.concat())
    }

    fn width(&self, place: usize) -> usize {
        self.rows.iter().chain([&self.heads]).map(|row| row[place].chars().count()).max().unwrap_or(0)
    }
}

/// A time in the unit that suits it.
pub fn time(time: Duration) -> String {
    format!("{time:.2?}")
}

/// Times in order of length.
pub fn in_order(mut times: Vec<Duration>) -> Vec<Duration> {
    times.sort_unstable();
    times
}

/// The median and the 99th percentile of times that are in order.
pub fn percentiles(sorted: &[Duration]) -> String {
    format!("{} / {}", time(at(sorted, 50)), time(at(sorted, 99)))
}

/// A percentile of times that are in order.
pub fn at(sorted: &[Duration], percent: usize) -> Duration {
    sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)]
}

/// How often one figure holds the other.
pub fn ratio(ours: f64, other: f64) -> String {
    format!("{:.1} ×", ours / other)
}

pub fn percent(part: f64, whole: f64) -> String {
    format!("{:.0} %", 100.0 * part / whole)
}

/// A number of things in a second.
pub fn rate(per_second: f64) -> String {
    format!("{per_second:.0}/s")
}

/// Bytes in MB.
pub fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

/// What a figure has to reach, and whether it does.
pub fn bar(wanted: &str, reached: bool) -> String {
    format!("{wanted}: {}", if reached { "yes" } else { "**no**" })
}
