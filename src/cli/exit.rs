//! How a command ends: its exit code, and the error that a person reads.

use std::{io, path::PathBuf, process::ExitCode};

use super::client::ClientError;
use crate::domain::TickerError;

/// The exit codes as `--help` shows them.
pub const EXIT_CODES: &str = "\
Exit codes:
    0  done; a job that was followed completed
    1  a job failed
    2  wrong usage or settings
    3  the API or the job store is unreachable or unhealthy
    4  refused, or not found
    5  a job was cancelled
  130  interrupted (Ctrl-C)";

/// The end of a command. Ordered from best to worst, so that the end of many jobs is the greatest of their ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    Done,
    JobCancelled,
    JobFailed,
    Usage,
    Refused,
    Unreachable,
    Interrupted,
}

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Ctrl-C; the text says what goes on without this command.
    #[error("interrupted; {0}")]
    Interrupted(String),
    /// Whoever read the output reads no more of it, as `head` does.
    #[error("nobody reads the output any more")]
    ReaderGone,
    #[error("can't write the output: {0}")]
    Output(#[source] io::Error),
    #[error("can't write {}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("can't read {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    /// A word in a list of tickers.
    #[error("{place}: {error}")]
    Ticker { place: String, error: TickerError },
    #[error("{} has no ticker in it", .0.display())]
    NoTicker(PathBuf),
}

impl Exit {
    /// The number that the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::JobFailed => 1,
            Self::Usage => 2,
            Self::Unreachable => 3,
            Self::Refused => 4,
            Self::JobCancelled => 5,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

impl CliError {
    /// The end that this error makes.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Client(error) => error.exit(),
            Self::Interrupted(_) => Exit::Interrupted,
            Self::ReaderGone => Exit::Done,
            Self::Unreadable { .. } | Self::Ticker { .. } | Self::NoTicker(_) => Exit::Usage,
            Self::Output(_) | Self::File { .. } => Exit::Refused,
        }
    }
}

impl From<io::Error> for CliError {
    /// Of an error of the standard output.
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Self::ReaderGone } else { Self::Output(error) }
    }
}
