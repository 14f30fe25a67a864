//! From signals to positions, and from positions to the worth of what was invested.

use crate::domain::Decision;

/// What a strategy wants at a close.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Be in the instrument.
    Enter,
    /// Be out of it.
    Leave,
    /// Stay as it is.
    Keep,
}

impl From<Decision> for Signal {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Buy => Self::Enter,
            Decision::Sell => Self::Leave,
            Decision::Hold => Self::Keep,
        }
    }
}

/// Whether the instrument is held after each close, beginning flat.
pub fn positions(signals: impl IntoIterator<Item = Signal>) -> Vec<bool> {
    let held = signals.into_iter().scan(false, |held, signal| {
        *held = match signal {
            Signal::Enter => true,
            Signal::Leave => false,
            Signal::Keep => *held,
        };
        Some(*held)
    });
    held.collect()
}

/// What 1 is worth at each close, by the position after each but the last. A change of position costs the share `cost`
/// of the whole, which is missing from the next close on.
pub fn equity(closes: &[f64], positions: &[bool], cost: f64) -> Vec<f64> {
    let mut worth = 1.0;
    let mut before = false;
    let mut curve = Vec::with_capacity(closes.len());
    for (pair, held) in closes.windows(2).zip(positions) {
        curve.push(worth);
        if *held != before {
            worth *= 1.0 - cost;
        }
        if *held {
            worth *= pair[1] / pair[0];
        }
        before = *held;
    }
    curve.push(worth);
    curve
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_at_a_close_earns_from_that_close_on() {
        let held = positions([Signal::Keep, Signal::Enter, Signal::Keep, Signal::Leave]);
        assert_eq!(held, [false, true, true, false]);
        let curve = equity(&[100.0, 110.0, 121.0, 133.1, 150.0], &held, 0.0);
        for (worth, expected) in curve.iter().zip([1.0, 1.0, 1.1, 1.21, 1.21]) {
            assert!((worth - expected).abs() < 1e-12, "{curve:?}");
        }
    }

    #[test]
    fn each_change_of_position_costs_its_share() {
        let curve = equity(&[100.0, 100.0, 100.0], &[true, false], 0.01);
        assert_eq!(curve, [1.0, 0.99, 0.99 * 0.99]);
    }
}
