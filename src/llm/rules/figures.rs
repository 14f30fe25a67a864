//! The figures in a prompt.

use std::collections::BTreeMap;

use crate::llm::Message;

/// Figures by name.
pub struct Figures(BTreeMap<String, f64>);

impl Figures {
    /// Reads the rows of two cells, a name and a number, of the Markdown tables that the system's messages hold.
    pub fn read(messages: &[Message]) -> Self {
        let system = messages.iter().filter_map(|message| match message {
            Message::System { content } => Some(content),
            _ => None,
        });
        Self(system.flat_map(|content| content.lines()).filter_map(row).collect())
    }

    /// A figure by its name; none if the evidence lacks it.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }
}

fn row(line: &str) -> Option<(String, f64)> {
    let cells: Vec<&str> = line.trim().strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect();
    let [name, value] = cells[..] else { return None };
    Some((name.to_owned(), value.parse().ok()?))
}

#[cfg(test)]
impl<const N: usize> From<[(&str, f64); N]> for Figures {
    fn from(figures: [(&str, f64); N]) -> Self {
        Self(figures.map(|(name, value)| (name.to_owned(), value)).into())
    }
}
