//! The symbols that `submit` is given: as arguments, in a file, or on the standard input.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use clap::Args;

use super::exit::CliError;
use crate::domain::Ticker;

/// Where the symbols are.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = true)]
pub struct Tickers {
    /// The symbols to analyse, one job each
    #[arg(value_name = "TICKER")]
    named: Vec<Ticker>,
    /// Read symbols from this file too, or from the standard input if it is -: with blanks, commas or line breaks
    /// between them; # begins a comment
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

impl Tickers {
    /// All symbols in their order, each once.
    pub fn read(self) -> Result<Vec<Ticker>, CliError> {
        let mut tickers = self.named;
        if let Some(path) = self.file {
            let text = content(&path).map_err(|source| CliError::Unreadable { path: path.clone(), source })?;
            tickers.extend(tickers_of(&text, &path)?);
        }
        let mut once = Vec::with_capacity(tickers.len());
        for ticker in tickers {
            if !once.contains(&ticker) {
                once.push(ticker);
            }
        }
        Ok(once)
    }
}

fn content(path: &Path) -> io::Result<String> {
    if path != Path::new("-") {
        return fs::read_to_string(path);
    }
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    Ok(text)
}

fn tickers_of(text: &str, path: &Path) -> Result<Vec<Ticker>, CliError> {
    let mut tickers = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let words = line.split('#').next().unwrap_or_default().split([',', ';', ' ', '\t']);
        for word in words.map(str::trim).filter(|word| !word.is_empty()) {
            let place = || format!("{}, line {}: {word:?}", path.display(), number + 1);
            tickers.push(word.parse().map_err(|error| CliError::Ticker { place: place(), error })?);
        }
    }
    if tickers.is_empty() { Err(CliError::NoTicker(path.to_owned())) } else { Ok(tickers) }
}
