//! The baselines of the paper: simple rules that anybody can follow.

use super::signal::Signal;
use crate::{
    llm::rules::limits::{J_HIGH, J_LOW, RSI_STRONG, RSI_WEAK, Z_BACK, Z_FAR},
    market::{Bar, Indicator},
};

/// A rule that says at each close whether to be in or out. The parameters are the usual ones, for the paper has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Baseline {
    /// In from the first close on.
    BuyAndHold,
    /// In while MACD (12, 26) is above its signal (9).
    Macd,
    /// In when KDJ (9, 3, 3) and RSI (14) say that the price has fallen too far, out when both say the opposite.
    KdjRsi,
    /// Zero mean reversion: in when the price is far below its mean of 20 days, out when it is back or far above.
    Zmr,
    /// In while the mean of 5 days is above that of 20.
    Sma,
}

impl Baseline {
    /// All of them, in the order of the paper's table.
    pub const ALL: [Self; 5] = [Self::BuyAndHold, Self::Macd, Self::KdjRsi, Self::Zmr, Self::Sma];

    /// The name as the paper has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::BuyAndHold => "Buy & Hold",
            Self::Macd => "MACD",
            Self::KdjRsi => "KDJ & RSI",
            Self::Zmr => "ZMR",
            Self::Sma => "SMA",
        }
    }

    /// When it is in and when out, in a line.
    pub fn rule(self) -> String {
        match self {
            Self::BuyAndHold => "in from the first close to the last".into(),
            Self::Macd => "in while MACD (12, 26) is above its signal (9)".into(),
            Self::KdjRsi => format!(
                "in at J < {J_LOW:.0} and RSI < {RSI_WEAK:.0}, out at J > {J_HIGH:.0} and RSI > {RSI_STRONG:.0}; KDJ (9, \
                 3, 3), RSI (14)"
            ),
            Self::Zmr => format!(
                "in at z < -{Z_FAR:.0}, out at |z| < {Z_BACK} or z > {Z_FAR:.0}; z is the close's distance from its \
                 20-day mean in standard deviations"
            ),
            Self::Sma => "in while the mean of 5 closes is above that of 20".into(),
        }
    }

    /// What it says at each close; nothing while the indicators that it reads warm up.
    pub fn signals(self, bars: &[Bar]) -> Vec<Signal> {
        let series = |indicator: Indicator| indicator.series(bars);
        match self {
            Self::BuyAndHold => vec![Signal::Enter; bars.len()],
            Self::Macd => each(&series(Indicator::Macd), &series(Indicator::Macds), above),
            Self::KdjRsi => each(&series(Indicator::Kdjj), &series(Indicator::Rsi), reversal),
            Self::Zmr => {
                series(Indicator::ZScore).into_iter().map(|z| z.map_or(Signal::Keep, return_to_zero)).collect()
            }
            Self::Sma => each(&series(Indicator::Close5Sma), &series(Indicator::Boll), above),
        }
    }
}

/// The signal of two series at each close.
fn each(first: &[Option<f64>], second: &[Option<f64>], signal: impl Fn(f64, f64) -> Signal) -> Vec<Signal> {
    let both = first.iter().zip(second).map(|(first, second)| first.zip(*second));
    both.map(|pair| pair.map_or(Signal::Keep, |(first, second)| signal(first, second))).collect()
}

fn above(fast: f64, slow: f64) -> Signal {
    if fast > slow { Signal::Enter } else { Signal::Leave }
}

fn reversal(j: f64, rsi: f64) -> Signal {
    if j < J_LOW && rsi < RSI_WEAK {
        Signal::Enter
    } else if j > J_HIGH && rsi > RSI_STRONG {
        Signal::Leave
    } else {
        Signal::Keep
    }
}

fn return_to_zero(z: f64) -> Signal {
    if z < -Z_FAR {
        Signal::Enter
    } else if z.abs() < Z_BACK || z > Z_FAR {
        Signal::Leave
    } else {
        Signal::Keep
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_has_each_baseline_word_for_word() {
        let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/RULES.md")).unwrap();
        for baseline in Baseline::ALL {
            let line = format!("- **{}**: {}\n", baseline.name(), baseline.rule());
            assert!(text.contains(&line), "put this into docs/RULES.md: {line}");
        }
    }

    #[test]
    fn both_indicators_have_to_agree() {
        assert_eq!(reversal(10.0, 30.0), Signal::Enter);
        assert_eq!(reversal(10.0, 50.0), Signal::Keep);
        assert_eq!(reversal(90.0, 70.0), Signal::Leave);
        assert_eq!(reversal(90.0, 50.0), Signal::Keep);
    }

    #[test]
    fn a_price_that_is_back_at_its_mean_is_left() {
        let signals = [-1.2, -0.5, -0.05, 0.5, 1.2].map(return_to_zero);
        assert_eq!(signals, [Signal::Enter, Signal::Keep, Signal::Leave, Signal::Keep, Signal::Leave]);
    }

    #[test]
    fn without_history_no_rule_but_buy_and_hold_says_anything() {
        let bar = Bar { date: chrono::NaiveDate::MIN, open: 1.0, high: 1.0, low: 1.0, close: 1.0, volume: 1.0 };
        for baseline in Baseline::ALL {
            let expected = if baseline == Baseline::BuyAndHold { Signal::Enter } else { Signal::Keep };
            assert_eq!(baseline.signals(&[bar; 3]), [expected; 3], "{}", baseline.name());
        }
    }
}
