//! The rules, each with its source. What a source leaves open, such as a limit, is said where it is chosen.

use super::figures::Figures;

/// A published rule.
pub struct Rule {
    pub name: &'static str,
    /// Where it was published.
    pub source: &'static str,
    /// Its vote; none if the evidence lacks a figure that it needs.
    judge: fn(&Figures) -> Option<Finding>,
}

/// What a rule makes of the evidence.
#[derive(Debug, PartialEq)]
pub struct Finding {
    /// 1 for a rise, -1 for a fall, 0 for neither.
    pub vote: i8,
    /// The figures that it rests on, in words.
    pub because: String,
}

impl Rule {
    /// Applies the rule.
    pub fn judge(&self, figures: &Figures) -> Option<Finding> {
        (self.judge)(figures)
    }
}

/// All rules; each has one vote.
pub const RULES: [Rule; 7] = [
    Rule {
        name: "Long trend",
        source: "Brock, Lakonishok and LeBaron, Journal of Finance 47(5), 1992: price against its 200-day mean, with a \
                 band of 1 %",
        judge: |figures| {
            let (close, mean) = (figures.get("close")?, figures.get("close_200_sma")?);
            let distance = close / mean - 1.0;
            let vote = sign(distance, 0.01);
            Some(Finding { vote, because: format!("the close is {:+.1} % from its 200-day mean", distance * 100.0) })
        },
    },
    Rule {
        name: "Double crossover",
        source: "Murphy, Technical Analysis of the Financial Markets, 1999, chapter 9: 50-day against 200-day mean",
        judge: |figures| {
            let (medium, long) = (figures.get("close_50_sma")?, figures.get("close_200_sma")?);
            let (vote, place) = if medium > long { (1, "above") } else { (-1, "below") };
            Some(Finding {
                vote,
                because: format!("the 50-day mean {medium:.2} is {place} the 200-day mean {long:.2}"),
            })
        },
    },
    Rule {
        name: "Time-series momentum",
        source: "Moskowitz, Ooi and Pedersen, Journal of Financial Economics 104(2), 2012: the sign of the return of 12 \
                 months",
        judge: |figures| {
            let percent = figures.get("return_252d_percent")?;
            Some(Finding { vote: sign(percent, 0.0), because: format!("252 bars returned {percent:+.1} %") })
        },
    },
    Rule {
        name: "52-week high",
        // The paper ranks stocks against each other; the limits of 95 % and 75 % are this program's.
        source: "George and Hwang, Journal of Finance 59(5), 2004: nearness to the 52-week high (limits 95 % and 75 %)",
        judge: |figures| {
            let nearness = figures.get("close")? / figures.get("high_252d")?;
            let vote = if nearness >= 0.95 { 1 } else { -i8::from(nearness <= 0.75) };
            Some(Finding { vote, because: format!("the close is at {:.0} % of the 52-week high", nearness * 100.0) })
        },
    },
    Rule {
        name: "MACD",
        source: "Appel, Technical Analysis: Power Tools for Active Investors, 2005: MACD 12/26 against its signal 9",
        judge: |figures| {
            let (line, signal) = (figures.get("macd")?, figures.get("macds")?);
            let (vote, place) = if line > signal { (1, "above") } else { (-1, "below") };
            Some(Finding { vote, because: format!("MACD {line:.2} is {place} its signal {signal:.2}") })
        },
    },
    Rule {
        name: "RSI",
        source: "Wilder, New Concepts in Technical Trading Systems, 1978: 14 days, overbought above 70, oversold below 30",
        judge: |figures| {
            let rsi = figures.get("rsi")?;
            Some(Finding { vote: contrarian(rsi, 30.0, 70.0), because: format!("RSI is {rsi:.1}") })
        },
    },
    Rule {
        name: "Money flow",
        source: "Quong and Soudack, Technical Analysis of Stocks & Commodities 7(3), 1989: 14 days, overbought above 80, \
                 oversold below 20",
        judge: |figures| {
            let flow = figures.get("mfi")?;
            Some(Finding { vote: contrarian(flow, 20.0, 80.0), because: format!("the money flow index is {flow:.1}") })
        },
    },
];

/// The sign of a value outside the band around zero.
fn sign(value: f64, band: f64) -> i8 {
    i8::from(value > band) - i8::from(value < -band)
}

/// Against an extreme: up from a low one, down from a high one.
fn contrarian(value: f64, low: f64, high: f64) -> i8 {
    i8::from(value < low) - i8::from(value > high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn votes(figures: &Figures) -> Vec<Option<i8>> {
        RULES.iter().map(|rule| rule.judge(figures).map(|finding| finding.vote)).collect()
    }

    #[test]
    fn each_rule_votes_by_its_own_figures_and_not_without_them() {
        assert_eq!(votes(&Figures::from([])), [None; 7]);
        let rise = Figures::from([
            ("close", 110.0),
            ("close_200_sma", 100.0),
            ("close_50_sma", 105.0),
            ("return_252d_percent", 12.0),
            ("high_252d", 111.0),
            ("macd", 2.0),
            ("macds", 1.0),
            ("rsi", 75.0),
            ("mfi", 50.0),
        ]);
        assert_eq!(votes(&rise), [Some(1), Some(1), Some(1), Some(1), Some(1), Some(-1), Some(0)]);
        let fall = Figures::from([
            ("close", 70.0),
            ("close_200_sma", 100.0),
            ("close_50_sma", 90.0),
            ("return_252d_percent", -30.0),
            ("high_252d", 120.0),
            ("macd", -2.0),
            ("macds", -1.0),
            ("rsi", 25.0),
            ("mfi", 15.0),
        ]);
        assert_eq!(votes(&fall), [Some(-1), Some(-1), Some(-1), Some(-1), Some(-1), Some(1), Some(1)]);
    }

    #[test]
    fn close_to_its_mean_the_trend_has_no_vote() {
        let flat = Figures::from([("close", 100.9), ("close_200_sma", 100.0)]);
        assert_eq!(RULES[0].judge(&flat).unwrap().vote, 0);
    }
}
