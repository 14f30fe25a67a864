//! The indicators as their authors define them, written down plainly: every value is made anew from the bars up to its
//! own, and averages by the weight of each value rather than from the average before.

use tradingagents::market::{Bar, Indicator};

/// Wilder's weight of a new value (New Concepts in Technical Trading Systems, 1978).
const WILDER: f64 = 1.0 / 14.0;

/// One value per bar; none where the definition has none.
pub fn series(indicator: Indicator, bars: &[Bar]) -> Vec<Option<f64>> {
    let close: Vec<f64> = bars.iter().map(|bar| bar.close).collect();
    match indicator {
        Indicator::Close5Sma => windows(&close, 5, |closes| Some(mean(closes))),
        Indicator::Close50Sma => windows(&close, 50, |closes| Some(mean(closes))),
        Indicator::Close200Sma => windows(&close, 200, |closes| Some(mean(closes))),
        Indicator::Close10Ema => average(&close, 10, 2.0 / 11.0),
        Indicator::Macd => macd(&close).into_iter().map(|lines| Some(lines?.0)).collect(),
        Indicator::Macds => macd(&close).into_iter().map(|lines| Some(lines?.1)).collect(),
        Indicator::Macdh => macd(&close).into_iter().map(|lines| Some(lines?.0 - lines?.1)).collect(),
        Indicator::Rsi => rsi(&close),
        Indicator::Boll => windows(&close, 20, |closes| Some(mean(closes))),
        Indicator::BollUb => windows(&close, 20, |closes| Some(mean(closes) + 2.0 * deviation(closes))),
        Indicator::BollLb => windows(&close, 20, |closes| Some(mean(closes) - 2.0 * deviation(closes))),
        Indicator::Atr => atr(bars),
        Indicator::Vwma => windows(bars, 14, vwma),
        Indicator::Mfi => windows(bars, 15, |bars| Some(mfi(bars))),
        Indicator::Kdjj => kdj(bars),
        Indicator::ZScore => windows(&close, 20, |closes| {
            let width = deviation(closes);
            (width > 0.0).then(|| (closes[19] - mean(closes)) / width)
        }),
    }
}

/// What a definition makes of the last `length` values at each of them.
fn windows<T>(values: &[T], length: usize, of: impl Fn(&[T]) -> Option<f64>) -> Vec<Option<f64>> {
    (1..=values.len()).map(|end| of(&values[end.checked_sub(length)?..end])).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a number of bars")]
fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Standard deviation of a sample.
#[expect(clippy::cast_precision_loss, reason = "a number of bars")]
fn deviation(values: &[f64]) -> f64 {
    if values.iter().all(|value| value.total_cmp(&values[0]).is_eq()) {
        return 0.0;
    }
    let middle = mean(values);
    let squares: f64 = values.iter().map(|value| (value - middle) * (value - middle)).sum();
    (squares / (values.len() - 1) as f64).sqrt()
}

/// An exponential average: of `values`, the oldest first, each weighs `weight` and fades with every later one, as does
/// what it begins with.
fn faded(beginning: f64, values: &[f64], weight: f64) -> f64 {
    let (mut sum, mut fading) = (0.0, 1.0);
    for value in values.iter().rev() {
        sum += weight * fading * value;
        fading *= 1.0 - weight;
    }
    sum + beginning * fading
}

/// An exponential average that begins with the mean of the first `length` values.
fn average(values: &[f64], length: usize, weight: f64) -> Vec<Option<f64>> {
    let at = |end: usize| (end >= length).then(|| faded(mean(&values[..length]), &values[length..end], weight));
    (1..=values.len()).map(at).collect()
}

/// MACD and its signal (Appel, Technical Analysis: Power Tools for Active Investors, 2005), from where both are there.
fn macd(close: &[f64]) -> Vec<Option<(f64, f64)>> {
    let (fast, slow) = (average(close, 12, 2.0 / 13.0), average(close, 26, 2.0 / 27.0));
    let lines: Vec<f64> = fast.into_iter().zip(slow).filter_map(|(fast, slow)| Some(fast? - slow?)).collect();
    let both = lines.iter().zip(average(&lines, 9, 0.2)).map(|(line, signal)| Some((*line, signal?)));
    after(close.len() - lines.len(), both)
}

/// Values that begin so many bars later.
fn after<T>(bars: usize, values: impl Iterator<Item = Option<T>>) -> Vec<Option<T>> {
    (0..bars).map(|_| None).chain(values).collect()
}

/// What rises as a share of what moves, from their ratio as Wilder, and after him Quong and Soudack, write it.
fn index(up: f64, down: f64) -> f64 {
    match (up, down) {
        (0.0, 0.0) => 50.0,
        (_, 0.0) => 100.0,
        _ => 100.0 - 100.0 / (1.0 + up / down),
    }
}

fn rsi(close: &[f64]) -> Vec<Option<f64>> {
    let changes: Vec<f64> = close.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let up: Vec<f64> = changes.iter().map(|change| change.max(0.0)).collect();
    let down: Vec<f64> = changes.iter().map(|change| (-change).max(0.0)).collect();
    let both = average(&up, 14, WILDER).into_iter().zip(average(&down, 14, WILDER));
    after(close.len() - changes.len(), both.map(|(up, down)| Some(index(up?, down?))))
}

/// From Wilder's true high to his true low, which count in the close before.
fn atr(bars: &[Bar]) -> Vec<Option<f64>> {
    let range = |pair: &[Bar]| pair[1].high.max(pair[0].close) - pair[1].low.min(pair[0].close);
    let ranges: Vec<f64> = bars.windows(2).map(range).collect();
    after(bars.len() - ranges.len(), average(&ranges, 14, WILDER).into_iter())
}

fn typical(bar: &Bar) -> f64 {
    (bar.high + bar.low + bar.close) / 3.0
}

fn vwma(bars: &[Bar]) -> Option<f64> {
    let volume: f64 = bars.iter().map(|bar| bar.volume).sum();
    let money: f64 = bars.iter().map(|bar| typical(bar) * bar.volume).sum();
    (volume > 0.0).then(|| money / volume)
}

/// Quong and Soudack, Technical Analysis of Stocks & Commodities 7(3), 1989.
fn mfi(bars: &[Bar]) -> f64 {
    let flow = |rises: fn(f64, f64) -> bool| -> f64 {
        let days = bars.windows(2).filter(|pair| rises(typical(&pair[0]), typical(&pair[1])));
        days.map(|pair| typical(&pair[1]) * pair[1].volume).sum()
    };
    index(flow(|before, now| now > before), flow(|before, now| now < before))
}

/// J of KDJ (9, 3, 3), whose K and D begin at 50.
fn kdj(bars: &[Bar]) -> Vec<Option<f64>> {
    let place = |bars: &[Bar]| {
        let high = bars.iter().map(|bar| bar.high).fold(f64::MIN, f64::max);
        let low = bars.iter().map(|bar| bar.low).fold(f64::MAX, f64::min);
        if high > low { 100.0 * (bars[8].close - low) / (high - low) } else { 50.0 }
    };
    let places: Vec<f64> = bars.windows(9).map(place).collect();
    let smooth =
        |values: &[f64]| -> Vec<f64> { (1..=values.len()).map(|end| faded(50.0, &values[..end], 1.0 / 3.0)).collect() };
    let k = smooth(&places);
    let d = smooth(&k);
    after(bars.len() - places.len(), k.iter().zip(d).map(|(k, d)| Some(3.0 * k - 2.0 * d)))
}
