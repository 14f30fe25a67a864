//! Where commands write: results to the standard output, everything else to the standard error.

use std::{
    fmt::Display,
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

use console::{Term, style};
use serde::Serialize;

use super::exit::{CliError, Exit};

/// The two outputs of a command. Clones write to the same place.
#[derive(Clone)]
pub struct Output {
    out: Sink,
    err: Sink,
    attended: bool,
    /// The width of the terminal that the results go to, characters.
    width: Option<usize>,
}

type Sink = Arc<Mutex<dyn Write + Send>>;

impl Output {
    /// The process's own.
    pub fn stdio() -> Self {
        let out = Term::stdout();
        let width = out.features().is_attended().then(|| out.size().1.into());
        Self { attended: Term::stderr().features().is_attended(), width, ..Self::to(io::stdout(), io::stderr()) }
    }

    /// Others, such as buffers; nobody watches them.
    pub fn to(out: impl Write + Send + 'static, err: impl Write + Send + 'static) -> Self {
        Self { out: Arc::new(Mutex::new(out)), err: Arc::new(Mutex::new(err)), attended: false, width: None }
    }

    /// Whether the standard error is a terminal, where lines can move.
    pub fn is_attended(&self) -> bool {
        self.attended
    }

    /// How wide the terminal is that the results go to, characters; none if a file or a program reads them.
    pub fn width(&self) -> Option<usize> {
        self.width
    }

    /// A line of the result.
    pub fn line(&self, text: impl Display) -> io::Result<()> {
        writeln!(lock(&self.out), "{text}")
    }

    /// A value of the result, as JSON on one line.
    pub fn json(&self, value: &impl Serialize) -> io::Result<()> {
        self.line(serde_json::to_string(value)?)
    }

    /// A text of the result as it is, several lines long.
    pub fn text(&self, text: &str) -> io::Result<()> {
        let mut out = lock(&self.out);
        out.write_all(text.as_bytes())?;
        out.flush()
    }

    /// A line for the person who watches. That nobody does is no error.
    pub fn note(&self, text: impl Display) {
        let _ = writeln!(lock(&self.err), "{text}");
    }

    /// What went wrong.
    pub fn error(&self, text: impl Display) {
        self.note(format_args!("{} {text}", style("error:").for_stderr().red().bold()));
    }

    /// Tells why a command failed, if somebody is there to read it, and returns how it ended.
    pub fn conclude(&self, result: Result<Exit, CliError>) -> Exit {
        result.unwrap_or_else(|error| {
            if !matches!(error, CliError::ReaderGone) {
                self.error(&error);
            }
            error.exit()
        })
    }
}

/// A text from elsewhere on one line, without the control characters that could end the line or drive the terminal.
pub fn one_line(text: &str) -> String {
    printable(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text from elsewhere without the control characters that could drive the terminal: reports hold words of the
/// news, and a model's.
pub fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

fn lock(sink: &Sink) -> std::sync::MutexGuard<'_, dyn Write + Send + 'static> {
    sink.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_from_elsewhere_cannot_drive_the_terminal() {
        assert_eq!(one_line("no data\r\n\u{1b}[2Jfor  NVDA\u{7}"), "no data [2Jfor NVDA");
        assert_eq!(printable("# Report\n\n\u{1b}]0;title\u{7}text"), "# Report\n\n]0;titletext");
    }
}
