//! The indicators on any bars: each is what its definition says, stays within its bounds, and knows nothing of tomorrow.

mod textbook;

use chrono::{Days, NaiveDate};
use proptest::{collection::vec, prelude::*, test_runner::RngSeed};
use tradingagents::market::{Bar, Indicator};

/// The same bars on every run, so that a failure is there again on the next.
fn settled() -> ProptestConfig {
    ProptestConfig { cases: 48, rng_seed: RngSeed::Fixed(1978), failure_persistence: None, ..ProptestConfig::default() }
}

/// A stretch of bars that move, or stand still, with much, little or no volume.
#[derive(Debug, Clone)]
struct Stretch {
    swing: f64,
    volume: f64,
    /// Change of the close, room above and below it, and volume, each from -1 or 0 to 1.
    days: Vec<(f64, f64, f64, f64)>,
}

fn stretch() -> impl Strategy<Value = Stretch> {
    let day = (-1.0..1.0, 0.0..1.0, 0.0..1.0, 0.0..1.0);
    let swing = prop_oneof![1 => Just(0.0), 3 => 0.001..0.1];
    let volume = prop_oneof![Just(0.0), Just(1e-4), Just(1e3), Just(1e8)];
    (swing, volume, vec(day, 1..50)).prop_map(|(swing, volume, days)| Stretch { swing, volume, days })
}

/// Up to some years of bars from prices of all sizes.
fn bars() -> impl Strategy<Value = Vec<Bar>> {
    (0.01..1000.0, vec(stretch(), 1..12)).prop_map(|(first, stretches)| {
        let mut bars: Vec<Bar> = Vec::new();
        let mut close: f64 = first;
        for Stretch { swing, volume, days } in stretches {
            for (change, above, below, traded) in days {
                let open = close;
                close *= 1.0 + swing * change;
                bars.push(Bar {
                    date: NaiveDate::default() + Days::new(bars.len() as u64),
                    open,
                    high: open.max(close) * (1.0 + swing * above),
                    low: open.min(close) * (1.0 - swing * below),
                    close,
                    volume: volume * traded,
                });
            }
        }
        bars
    })
}

/// As near as arithmetic in another order is, for a price of that size.
fn near(found: f64, expected: f64, price: f64) -> bool {
    (found - expected).abs() <= 1e-9 * (1.0 + expected.abs() + price)
}

proptest! {
    #![proptest_config(settled())]

    #[test]
    fn each_is_what_its_definition_says_from_the_first_value_on(bars in bars()) {
        for indicator in Indicator::ALL {
            let (found, expected) = (indicator.series(&bars), textbook::series(indicator, &bars));
            prop_assert_eq!(found.len(), bars.len());
            for (day, pair) in found.into_iter().zip(expected).enumerate() {
                let same = match pair {
                    (Some(found), Some(expected)) => near(found, expected, bars[day].close),
                    pair => pair == (None, None),
                };
                prop_assert!(same, "{} of bar {}: {:?}", indicator.name(), day, pair);
            }
        }
    }

    #[test]
    fn what_comes_later_changes_no_value(bars in bars(), cut in 0.0..1.0) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place")]
        let known = (bars.len() as f64 * cut) as usize;
        for indicator in Indicator::ALL {
            prop_assert_eq!(&indicator.series(&bars)[..known], &indicator.series(&bars[..known])[..], "{}", indicator.name());
        }
    }

    #[test]
    fn each_stays_within_its_bounds(bars in bars()) {
        let [rsi, mfi, lower, middle, upper, atr, vwma] = [
            Indicator::Rsi, Indicator::Mfi, Indicator::BollLb, Indicator::Boll, Indicator::BollUb, Indicator::Atr,
            Indicator::Vwma,
        ].map(|indicator| indicator.series(&bars));
        let percent = |value: Option<f64>| value.is_none_or(|value| (0.0..=100.0).contains(&value));
        for day in 0..bars.len() {
            prop_assert!(percent(rsi[day]) && percent(mfi[day]), "{:?} {:?}", rsi[day], mfi[day]);
            prop_assert!(atr[day].is_none_or(|range| range >= 0.0));
            let little = 1e-9 * bars[day].close;
            if let (Some(lower), Some(middle), Some(upper)) = (lower[day], middle[day], upper[day]) {
                prop_assert!(lower <= middle + little && middle <= upper + little, "{lower} {middle} {upper}");
            }
            if let Some(mean) = vwma[day] {
                let window = &bars[day - 13..=day];
                prop_assert!(window.iter().any(|bar| bar.low <= mean + little), "{mean} is below all");
                prop_assert!(window.iter().any(|bar| bar.high >= mean - little), "{mean} is above all");
            }
        }
    }
}
