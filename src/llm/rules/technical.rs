//! The rules on prices and volume. They read the verified snapshot.

use super::{
    limits::{J_HIGH, J_LOW, RSI_STRONG, RSI_WEAK, Z_FAR},
    rule::{Finding, Rule, Subject, contrarian, sign},
};
use crate::domain::shown;

/// The weight of the four that bet on a return. They look at the same thing, how far the price has gone within weeks, so
/// that the vote of each counts half; or else they would outweigh a trend whenever it is strong.
const OF_FOUR: f64 = 0.5;

/// The rules on prices and volume.
pub static RULES: [Rule; 10] = [
    Rule {
        subject: Subject::Market,
        name: "Long trend",
        formula: "up if close / close_200_sma - 1 > 0.01, down if it is < -0.01",
        source: "Brock, Lakonishok and LeBaron, Journal of Finance 47(5), 1992: price against its 200-day mean, with a \
                 band of 1 %",
        weakness: "late at every turn, and wrong again and again in a market without a trend",
        weight: 1.0,
        judge: |figures| {
            let (close, mean) = (figures.get("close")?, figures.get("close_200_sma")?);
            let distance = close / mean - 1.0;
            let vote = sign(distance, 0.01);
            Some(Finding { vote, because: format!("the close is {:+.1} % from its 200-day mean", distance * 100.0) })
        },
    },
    Rule {
        subject: Subject::Market,
        name: "Double crossover",
        formula: "up if close_50_sma > close_200_sma, else down",
        source: "Murphy, Technical Analysis of the Financial Markets, 1999, chapter 9: 50-day against 200-day mean",
        weakness: "months late at a turn",
        weight: 1.0,
        judge: |figures| {
            let (medium, long) = (figures.get("close_50_sma")?, figures.get("close_200_sma")?);
            let (vote, place) = if medium > long { (1, "above") } else { (-1, "below") };
            Some(Finding {
                vote,
                because: format!(
                    "the 50-day mean {} is {place} the 200-day mean {}",
                    shown::price(medium),
                    shown::price(long)
                ),
            })
        },
    },
    Rule {
        subject: Subject::Market,
        name: "Time-series momentum",
        formula: "up if return_252d_percent > 0, down if it is < 0",
        source: "Moskowitz, Ooi and Pedersen, Journal of Financial Economics 104(2), 2012: the sign of the return of 12 \
                 months",
        weakness: "found on futures of whole markets; it loses most when a crash turns into a recovery",
        weight: 1.0,
        judge: |figures| {
            let percent = figures.get("return_252d_percent")?;
            Some(Finding { vote: sign(percent, 0.0), because: format!("252 bars returned {percent:+.1} %") })
        },
    },
    Rule {
        subject: Subject::Market,
        name: "52-week high",
        formula: "up if close / high_252d >= 0.95, down if it is <= 0.75",
        // The paper ranks stocks against each other; the limits of 95 % and 75 % are this program's.
        source: "George and Hwang, Journal of Finance 59(5), 2004: nearness to the 52-week high (limits 95 % and 75 %)",
        weakness: "the paper ranks stocks against each other, here one stands alone; both limits are this program's",
        weight: 1.0,
        judge: |figures| {
            let nearness = figures.get("close")? / figures.get("high_252d")?;
            let vote = if nearness >= 0.95 { 1 } else { -i8::from(nearness <= 0.75) };
            Some(Finding { vote, because: format!("the close is at {:.0} % of the 52-week high", nearness * 100.0) })
        },
    },
    Rule {
        subject: Subject::Market,
        name: "MACD",
        formula: "up if macd > macds, else down",
        source: "Appel, Technical Analysis: Power Tools for Active Investors, 2005: MACD 12/26 against its signal 9",
        weakness: "many false crossings in a market without a trend",
        weight: 1.0,
        judge: |figures| {
            let (line, signal) = (figures.get("macd")?, figures.get("macds")?);
            let (vote, place) = if line > signal { (1, "above") } else { (-1, "below") };
            Some(Finding { vote, because: format!("MACD {line:.2} is {place} its signal {signal:.2}") })
        },
    },
    Rule {
        subject: Subject::Market,
        name: "RSI",
        formula: "up if rsi < 30, down if rsi > 70",
        source: "Wilder, New Concepts in Technical Trading Systems, 1978: 14 days, overbought above 70, oversold below 30",
        weakness: "in a strong trend it stays overbought or oversold for weeks",
        weight: OF_FOUR,
        judge: |figures| {
            let rsi = figures.get("rsi")?;
            Some(Finding { vote: contrarian(rsi, 30.0, 70.0), because: format!("RSI is {rsi:.1}") })
        },
    },
    Rule {
        subject: Subject::Market,
        name: "Money flow",
        formula: "up if mfi < 20, down if mfi > 80",
        source: "Quong and Soudack, Technical Analysis of Stocks & Commodities 7(3), 1989: 14 days, overbought above 80, \
                 oversold below 20",
        weakness: "as RSI; one day of extraordinary volume sways it for 14 days",
        weight: OF_FOUR,
        judge: |figures| {
            let flow = figures.get("mfi")?;
            Some(Finding { vote: contrarian(flow, 20.0, 80.0), because: format!("the money flow index is {flow:.1}") })
        },
    },
    Rule {
        subject: Subject::Market,
        name: "Short crossover",
        formula: "up if close_5_sma > boll, which is the 20-day mean, else down",
        source: "Brock, Lakonishok and LeBaron, Journal of Finance 47(5), 1992: variable-length moving averages; the 5 and \
                 20 days are the usual ones of the baseline SMA",
        weakness: "many false crossings in a market without a trend",
        weight: 1.0,
        judge: |figures| {
            let (week, month) = (figures.get("close_5_sma")?, figures.get("boll")?);
            let (vote, place) = if week > month { (1, "above") } else { (-1, "below") };
            Some(Finding { vote, because: format!("the 5-day mean {week:.2} is {place} the 20-day mean {month:.2}") })
        },
    },
    Rule {
        subject: Subject::Market,
        name: "KDJ with RSI",
        formula: "up if kdjj < 20 and rsi < 40, down if kdjj > 80 and rsi > 60",
        source: "Lane, Technical Analysis of Stocks & Commodities 2(3), 1984: stochastics, with the third line J; the \
                 limits are the usual ones of the baseline KDJ & RSI",
        weakness: "in a strong trend both stay extreme, and it votes against the trend",
        weight: OF_FOUR,
        judge: |figures| {
            let (j, rsi) = (figures.get("kdjj")?, figures.get("rsi")?);
            let low = j < J_LOW && rsi < RSI_WEAK;
            let high = j > J_HIGH && rsi > RSI_STRONG;
            Some(Finding { vote: i8::from(low) - i8::from(high), because: format!("J is {j:.1} and RSI {rsi:.1}") })
        },
    },
    Rule {
        subject: Subject::Market,
        name: "Zero mean reversion",
        formula: "up if zscore < -1, down if zscore > 1",
        source: "Poterba and Summers, Journal of Financial Economics 22(1), 1988: prices revert to a mean; the 20 days and \
                 one standard deviation are the usual ones of the baseline ZMR",
        weakness: "the paper finds reversion over years; over weeks a price that leaves its mean may be in a new trend",
        weight: OF_FOUR,
        judge: |figures| {
            let z = figures.get("zscore")?;
            let because = format!("the close is {z:+.2} standard deviations from its 20-day mean");
            Some(Finding { vote: contrarian(z, -Z_FAR, Z_FAR), because })
        },
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::rules::figures::Figures;

    fn votes(figures: &Figures) -> Vec<Option<i8>> {
        RULES.iter().map(|rule| (rule.judge)(figures).map(|finding| finding.vote)).collect()
    }

    #[test]
    fn each_rule_votes_by_its_own_figures_and_not_without_them() {
        assert_eq!(votes(&Figures::from([])), [None; 10]);
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
            ("close_5_sma", 109.0),
            ("boll", 107.0),
            ("kdjj", 70.0),
            ("zscore", 0.8),
        ]);
        assert_eq!(votes(&rise), [1, 1, 1, 1, 1, -1, 0, 1, 0, 0].map(Some));
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
            ("close_5_sma", 72.0),
            ("boll", 78.0),
            ("kdjj", -5.0),
            ("zscore", -2.1),
        ]);
        assert_eq!(votes(&fall), [-1, -1, -1, -1, -1, 1, 1, -1, 1, 1].map(Some));
    }

    #[test]
    fn close_to_its_mean_the_trend_has_no_vote() {
        let flat = Figures::from([("close", 100.9), ("close_200_sma", 100.0)]);
        assert_eq!((RULES[0].judge)(&flat).unwrap().vote, 0);
    }
}
