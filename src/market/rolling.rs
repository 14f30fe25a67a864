//! Indicators over the last bars alone, each window reckoned anew: running sums lose their digits where prices or volume
//! stand still.

use super::Bar;

/// The middle of the closes of `length` bars and `widths` standard deviations of the sample (Bollinger, "Bollinger on
/// Bollinger Bands", 2001).
pub(super) fn bollinger(close: &[f64], length: usize, widths: f64) -> Vec<f64> {
    over(close, length, |closes| {
        let (mean, deviation) = mean_and_deviation(closes);
        mean + widths * deviation
    })
}

/// How many standard deviations of the sample the close lies above its mean; not finite where no close differs.
pub(super) fn z_score(close: &[f64], length: usize) -> Vec<f64> {
    over(close, length, |closes| {
        let (mean, deviation) = mean_and_deviation(closes);
        (closes[length - 1] - mean) / deviation
    })
}

/// Mean of the typical price, weighted by volume; not finite where there is no volume.
pub(super) fn vwma(bars: &[Bar], length: usize) -> Vec<f64> {
    over(bars, length, |bars| {
        let money: f64 = bars.iter().map(|bar| bar.volume * (bar.high + bar.low + bar.close) / 3.0).sum();
        money / bars.iter().map(|bar| bar.volume).sum::<f64>()
    })
}

/// What is made of the last `length` values at each of them; NaN until there are so many.
fn over<T>(values: &[T], length: usize, of: impl Fn(&[T]) -> f64) -> Vec<f64> {
    let mut out = vec![f64::NAN; values.len()];
    for (window, value) in values.windows(length).zip(out.iter_mut().skip(length - 1)) {
        *value = of(window);
    }
    out
}

/// Mean and standard deviation of the sample, counted from its first value, so that equal values deviate by nothing.
#[expect(clippy::cast_precision_loss, reason = "the length of a window")]
fn mean_and_deviation(closes: &[f64]) -> (f64, f64) {
    let (first, n) = (closes[0], closes.len() as f64);
    let mean = first + closes.iter().map(|close| close - first).sum::<f64>() / n;
    let squares: f64 = closes.iter().map(|close| (close - mean).powi(2)).sum();
    (mean, (squares / (n - 1.0)).sqrt())
}
