//! A folder of `{TICKER}.csv`.

use std::{
    fs::{self, File},
    io::{self, BufReader},
    path::PathBuf,
};

use async_trait::async_trait;
use chrono::NaiveDate;

use super::{
    DailyBars, MarketError, PriceSource, Retrieved, bars_csv,
    source::{Answered, Source},
};
use crate::domain::{Ticker, Vendor};

/// Tickers that an error names at most.
const NAMED_TICKERS: usize = 20;

/// Daily bars that the operator keeps as files; see [`bars_csv`] for their form. They are read anew for each job, so
/// that a file can be replaced at any time.
pub struct CsvFolder {
    folder: PathBuf,
}

impl CsvFolder {
    /// The files in `folder`, which need not be there yet.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    fn read(&self, ticker: &Ticker) -> Result<DailyBars, MarketError> {
        let path = self.folder.join(format!("{ticker}.csv"));
        match File::open(&path) {
            Ok(file) => bars_csv::read(BufReader::new(file)).map_err(|problem| MarketError::Malformed {
                vendor: self.name(),
                cause: format!("{}: {problem}", path.display()),
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(self.unknown(ticker)),
            Err(error) => Err(self.unreadable(&error)),
        }
    }

    fn unknown(&self, ticker: &Ticker) -> MarketError {
        match self.tickers() {
            Ok(tickers) => {
                MarketError::UnknownSymbol { vendor: self.name(), ticker: ticker.clone(), known: named(&tickers) }
            }
            Err(error) => self.unreadable(&error),
        }
    }

    /// The tickers that have a file, sorted.
    fn tickers(&self) -> io::Result<Vec<String>> {
        let mut tickers = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let name = entry?.file_name();
            tickers.extend(name.to_str().and_then(|name| name.strip_suffix(".csv")).map(str::to_owned));
        }
        tickers.sort();
        Ok(tickers)
    }

    fn unreadable(&self, error: &io::Error) -> MarketError {
        let cause = format!("can't read {}: {error}; check DATA_DIR or --data", self.folder.display());
        MarketError::Unavailable { vendor: self.name(), cause, transient: false }
    }
}

impl Source for CsvFolder {
    fn name(&self) -> &'static str {
        Vendor::Csv.as_str()
    }
}

#[async_trait]
impl PriceSource for CsvFolder {
    async fn daily_bars(&self, ticker: &Ticker, _until: NaiveDate) -> Answered<DailyBars> {
        let (source, symbol) = (Self::new(&self.folder), ticker.clone());
        let read = tokio::task::spawn_blocking(move || source.read(&symbol)).await;
        let panicked = |panic: tokio::task::JoinError| MarketError::Unavailable {
            vendor: self.name(),
            cause: panic.to_string(),
            transient: false,
        };
        read.map_err(panicked)?.map(Retrieved::now)
    }

    fn tells_splits(&self) -> bool {
        false
    }
}

/// The first of the tickers, and how many more there are.
fn named(tickers: &[String]) -> String {
    match tickers {
        [] => "no file at all".into(),
        few if few.len() <= NAMED_TICKERS => few.join(", "),
        many => format!("{} and {} more", many[..NAMED_TICKERS].join(", "), many.len() - NAMED_TICKERS),
    }
}
