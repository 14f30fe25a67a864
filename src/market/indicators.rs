//! Technical indicators, computed from bars by the crate `kand`, which follows TA-Lib.
//!
//! Names and definitions are those of the TradingAgents framework, so that its prompts' words hold: Bollinger bands by
//! the sample standard deviation, volume weighted by the typical price. Where TA-Lib lets an average begin later, there
//! is no value; after the warm-up both agree.
//!
//! Some are not left to kand: those in [`rolling`], MACD, for which it wants a bar more than it needs, and the last step of
//! RSI and MFI, where a price that does not move is overbought to its one and oversold to its other.

use std::str::FromStr;

use kand::{
    KandError,
    ohlcv::{atr::atr, ema::ema, mfi::mfi, rsi::rsi, sma::sma},
};

use super::{Bar, kdj, rolling};

/// Window of the Bollinger bands, bars (Bollinger, "Bollinger on Bollinger Bands", 2001).
const BOLLINGER: usize = 20;

/// Window of RSI, ATR, VWMA and MFI, bars (Wilder, "New Concepts in Technical Trading Systems", 1978).
const WILDER: usize = 14;

/// A technical indicator by the name that prompts and tools use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Indicator {
    Close5Sma,
    Close50Sma,
    Close200Sma,
    Close10Ema,
    Macd,
    Macds,
    Macdh,
    Rsi,
    Boll,
    BollUb,
    BollLb,
    Atr,
    Vwma,
    Mfi,
    Kdjj,
    ZScore,
}

/// A name that no indicator has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no indicator {0:?}; there are {list}", list = Indicator::ALL.map(Indicator::name).join(", "))]
pub struct UnknownIndicator(String);

impl Indicator {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::Close5Sma,
        Self::Close50Sma,
        Self::Close200Sma,
        Self::Close10Ema,
        Self::Macd,
        Self::Macds,
        Self::Macdh,
        Self::Rsi,
        Self::Boll,
        Self::BollUb,
        Self::BollLb,
        Self::Atr,
        Self::Vwma,
        Self::Mfi,
        Self::Kdjj,
        Self::ZScore,
    ];

    /// The name as prompts and tools spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Close5Sma => "close_5_sma",
            Self::Close50Sma => "close_50_sma",
            Self::Close200Sma => "close_200_sma",
            Self::Close10Ema => "close_10_ema",
            Self::Macd => "macd",
            Self::Macds => "macds",
            Self::Macdh => "macdh",
            Self::Rsi => "rsi",
            Self::Boll => "boll",
            Self::BollUb => "boll_ub",
            Self::BollLb => "boll_lb",
            Self::Atr => "atr",
            Self::Vwma => "vwma",
            Self::Mfi => "mfi",
            Self::Kdjj => "kdjj",
            Self::ZScore => "zscore",
        }
    }

    /// What it measures and how it is read, in a line.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Close5Sma => "mean close of 5 bars: the trend of the week; above the 20-bar mean it points up",
            Self::Close50Sma => "mean close of 50 bars: the medium trend, support in a rise and resistance in a fall",
            Self::Close200Sma => "mean close of 200 bars: the long trend; the 50-bar mean above it is a golden cross",
            Self::Close10Ema => {
                "exponential mean close of 10 bars: the short trend, quick to turn and quick to mislead"
            }
            Self::Macd => "MACD, the 12-bar less the 26-bar exponential mean: momentum, up when above 0",
            Self::Macds => "MACD's signal, its 9-bar exponential mean: MACD crossing it is a change of momentum",
            Self::Macdh => "MACD less its signal: how fast momentum changes",
            Self::Rsi => "relative strength of 14 bars, 0 to 100: above 70 overbought, below 30 oversold",
            Self::Boll => "middle Bollinger band, the mean close of 20 bars",
            Self::BollUb => "upper Bollinger band, 2 standard deviations above the middle: stretched, or breaking out",
            Self::BollLb => "lower Bollinger band, 2 standard deviations below the middle: stretched, or breaking down",
            Self::Atr => "average true range of 14 bars, in price: volatility, a yardstick for stops and sizes",
            Self::Vwma => "typical price of 14 bars weighted by volume: the close above it has volume behind it",
            Self::Mfi => {
                "money flow of 14 bars, 0 to 100: like RSI, with volume; above 80 overbought, below 20 oversold"
            }
            Self::Kdjj => "J of the stochastics K and D (9, 3, 3 bars): below 20 oversold, above 80 overbought",
            Self::ZScore => {
                "distance of the close from its 20-bar mean, in standard deviations: far out, it tends back"
            }
        }
    }

    /// One value per bar; none while it warms up, which is throughout if there are too few bars.
    pub fn series(self, bars: &[Bar]) -> Vec<Option<f64>> {
        // kand refuses histories that are shorter than the warm-up.
        let values = self.values(bars).unwrap_or_else(|_| vec![f64::NAN; bars.len()]);
        values.into_iter().map(|value| Some(value).filter(|value| value.is_finite())).collect()
    }

    /// The values, NaN while it warms up.
    fn values(self, bars: &[Bar]) -> Result<Vec<f64>, KandError> {
        let close = column(bars, |bar| bar.close);
        let high = || column(bars, |bar| bar.high);
        let low = || column(bars, |bar| bar.low);
        match self {
            Self::Close5Sma => fill(bars, |out| sma(&close, 5, out)),
            Self::Close50Sma => fill(bars, |out| sma(&close, 50, out)),
            Self::Close200Sma => fill(bars, |out| sma(&close, 200, out)),
            Self::Close10Ema => fill(bars, |out| ema(&close, 10, None, out)),
            Self::Macd => Ok(macd_lines(&close)?.0),
            Self::Macds => Ok(macd_lines(&close)?.1),
            Self::Macdh => Ok(macd_lines(&close)?.2),
            Self::Rsi => {
                let (mut up, mut down) = (blank(bars), blank(bars));
                rsi(&close, WILDER, &mut blank(bars), &mut up, &mut down)?;
                Ok(shares(&up, &down))
            }
            Self::Boll => fill(bars, |out| sma(&close, BOLLINGER, out)),
            Self::BollUb => Ok(rolling::bollinger(&close, BOLLINGER, 2.0)),
            Self::BollLb => Ok(rolling::bollinger(&close, BOLLINGER, -2.0)),
            Self::Atr => fill(bars, |out| atr(&high(), &low(), &close, WILDER, out)),
            Self::Vwma => Ok(rolling::vwma(bars, WILDER)),
            Self::Mfi => {
                let volume = column(bars, |bar| bar.volume);
                let (mut a, mut b, mut c) = (blank(bars), blank(bars), blank(bars));
                let (mut up, mut down) = (blank(bars), blank(bars));
                mfi(&high(), &low(), &close, &volume, WILDER, &mut a, &mut b, &mut c, &mut up, &mut down)?;
                Ok(shares(&up, &down))
            }
            Self::Kdjj => Ok(kdj::j(bars)),
            Self::ZScore => Ok(rolling::z_score(&close, BOLLINGER)),
        }
    }
}

impl FromStr for Indicator {
    type Err = UnknownIndicator;

    fn from_str(name: &str) -> Result<Self, UnknownIndicator> {
        Self::ALL.into_iter().find(|i| i.name() == name.trim()).ok_or_else(|| UnknownIndicator(name.trim().into()))
    }
}

/// MACD, its signal, and their difference.
type MacdLines = (Vec<f64>, Vec<f64>, Vec<f64>);

/// MACD, its signal and their difference, by Appel's 12, 26 and 9 bars; all three begin with the signal.
fn macd_lines(close: &[f64]) -> Result<MacdLines, KandError> {
    const SLOW: usize = 26;
    let (fast, slow) = (fill(close, |out| ema(close, 12, None, out))?, fill(close, |out| ema(close, SLOW, None, out))?);
    let mut line: Vec<f64> = fast.iter().zip(slow).map(|(fast, slow)| fast - slow).collect();
    let signal = fill(close, |out| ema(&line[SLOW - 1..], 9, None, &mut out[SLOW - 1..]))?;
    for (line, _) in line.iter_mut().zip(&signal).filter(|(_, signal)| signal.is_nan()) {
        *line = f64::NAN;
    }
    let histogram = line.iter().zip(&signal).map(|(line, signal)| line - signal).collect();
    Ok((line, signal, histogram))
}

/// The share of what goes up in all that moves, 0 to 100, as RSI and MFI have it; the middle where nothing moves.
fn shares(up: &[f64], down: &[f64]) -> Vec<f64> {
    let share = |up: f64, down: f64| if up + down == 0.0 { 50.0 } else { 100.0 * (up / (up + down)) };
    up.iter().zip(down).map(|(up, down)| share(*up, *down)).collect()
}

fn column(bars: &[Bar], of: impl Fn(&Bar) -> f64) -> Vec<f64> {
    bars.iter().map(of).collect()
}

/// A place for results, as long as `like`.
fn blank<T>(like: &[T]) -> Vec<f64> {
    vec![f64::NAN; like.len()]
}

fn fill<T>(like: &[T], compute: impl FnOnce(&mut [f64]) -> Result<(), KandError>) -> Result<Vec<f64>, KandError> {
    let mut out = blank(like);
    compute(&mut out)?;
    Ok(out)
}
