//! The figures of an equity curve, as the paper has them.

use serde::{Deserialize, Serialize};

/// Trading days of a year, by convention.
pub const TRADING_DAYS: f64 = 252.0;

/// How a strategy did. Returns and drawdown are percent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Performance {
    /// `(end / start - 1) × 100`.
    pub cumulative_return: f64,
    /// `((end / start)^(1 / years) - 1) × 100`, where a year is [`TRADING_DAYS`] daily returns. Of a span of weeks it
    /// says what a year of them would make, which is no forecast.
    pub annualised_return: f64,
    /// `mean / standard deviation of the daily returns × √252`: Sharpe's ratio (Journal of Portfolio Management 21(1),
    /// 1994) over cash that earns nothing, with the deviation of the sample. None where there are fewer than two
    /// returns, or none differs.
    pub sharpe_ratio: Option<f64>,
    /// The greatest fall from a peak: the maximum over all days of `(peak - worth) / peak × 100`.
    pub max_drawdown: f64,
}

impl Performance {
    /// The figures of what 1 was worth at each close.
    pub fn of(equity: &[f64]) -> Self {
        let (start, end) = (equity.first().copied().unwrap_or(1.0), equity.last().copied().unwrap_or(1.0));
        let returns: Vec<f64> = equity.windows(2).map(|pair| pair[1] / pair[0] - 1.0).collect();
        let years = count(&returns) / TRADING_DAYS;
        Self {
            cumulative_return: (end / start - 1.0) * 100.0,
            annualised_return: if years > 0.0 { ((end / start).powf(1.0 / years) - 1.0) * 100.0 } else { 0.0 },
            sharpe_ratio: sharpe_ratio(&returns),
            max_drawdown: max_drawdown(equity),
        }
    }
}

fn sharpe_ratio(returns: &[f64]) -> Option<f64> {
    let n = count(returns);
    let mean = returns.iter().sum::<f64>() / n;
    let variance = returns.iter().map(|each| (each - mean).powi(2)).sum::<f64>() / (n - 1.0);
    Some(mean / variance.sqrt() * TRADING_DAYS.sqrt()).filter(|ratio| ratio.is_finite())
}

fn max_drawdown(equity: &[f64]) -> f64 {
    let fall = |peak: &mut f64, worth: &f64| {
        *peak = peak.max(*worth);
        Some((*peak - worth) / *peak * 100.0)
    };
    equity.iter().scan(f64::MIN, fall).fold(0.0, f64::max)
}

/// How many, for arithmetic. There are far fewer than 2^52 trading days.
#[expect(clippy::cast_precision_loss)]
fn count(returns: &[f64]) -> f64 {
    returns.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    #[test]
    fn the_figures_are_those_of_their_formulas() {
        // Daily returns +10 %, -50 %, +20 %: mean -1/15, sample deviation √((1/6)² + (13/30)² + (4/15)²)/√2.
        let figures = Performance::of(&[1.0, 1.1, 0.55, 0.66]);
        assert!(close(figures.cumulative_return, -34.0), "{figures:?}");
        assert!(close(figures.max_drawdown, 50.0), "{figures:?}");
        let deviation = ((1.0_f64 / 36.0 + 169.0 / 900.0 + 16.0 / 225.0) / 2.0).sqrt();
        assert!(close(figures.sharpe_ratio.unwrap(), -1.0 / 15.0 / deviation * 252.0_f64.sqrt()), "{figures:?}");
        assert!(close(figures.annualised_return, (0.66_f64.powf(84.0) - 1.0) * 100.0), "{figures:?}");
    }

    #[test]
    fn a_whole_year_is_its_own_annual_return() {
        let equity: Vec<f64> = (0..=252).map(|day| 1.0 + f64::from(day) / 2520.0).collect();
        assert!(close(Performance::of(&equity).annualised_return, 10.0));
    }

    #[test]
    fn who_was_never_in_has_no_sharpe_ratio() {
        let figures = Performance::of(&[1.0; 20]);
        assert_eq!((figures.cumulative_return, figures.sharpe_ratio, figures.max_drawdown), (0.0, None, 0.0));
    }
}
