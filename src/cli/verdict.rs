//! What `doctor` finds.

use std::fmt;

use console::style;

/// How a check went.
pub enum Verdict {
    Fine(String),
    /// Nothing is wrong, but a person may want to know.
    Note(String),
    Broken(String),
}

impl Verdict {
    /// Its name for programs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Fine(_) => "ok",
            Self::Note(_) => "note",
            Self::Broken(_) => "broken",
        }
    }

    /// What was found, with the mend if there has to be one.
    pub fn text(&self) -> &str {
        let (Self::Fine(text) | Self::Note(text) | Self::Broken(text)) = self;
        text
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self {
            Self::Fine(_) => style("ok    ").green(),
            Self::Note(_) => style("note  ").yellow(),
            Self::Broken(_) => style("BROKEN").red().bold(),
        };
        write!(f, "{word}  {}", self.text())
    }
}
