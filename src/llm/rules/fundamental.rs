//! The rules on what a company filed. They read the annual statements and the profile that the prompts hold.

use super::{
    figures::sections,
    rule::{Finding, Rule, Subject, contrarian},
    statements::{Year, Years},
};

/// The names of the figures.
pub const FIGURES: [&str; 3] = ["f_score", "gross_profitability", "price_to_earnings"];

/// The rules on filings.
pub static RULES: [Rule; 3] = [
    Rule {
        subject: Subject::Filings,
        name: "F-score",
        formula: "up if f_score >= 7, down if it is <= 1; f_score counts 8 signs of the last year: net income > 0, \
                  operating cash flow > 0, operating cash flow > net income, and, each higher than a year before, net \
                  income / assets, equity / assets, current assets / current liabilities, gross profit / revenue, and \
                  revenue / assets",
        source: "Piotroski, Journal of Accounting Research 38 (Supplement), 2000: the two best and the two worst scores; \
                 of his 9 signs the issue of shares is left out, equity stands for long-term debt, and assets are those of \
                 the year's end",
        weakness: "found on cheap and small companies; a year's report is up to 15 months old when the next one comes",
        weight: 1.0,
        judge: |figures| {
            let score = figures.get("f_score")?;
            let vote = if score >= 7.0 { 1 } else { -i8::from(score <= 1.0) };
            Some(Finding { vote, because: format!("{score:.0} of 8 signs in the annual statements are good") })
        },
    },
    Rule {
        subject: Subject::Filings,
        name: "Gross profitability",
        formula: "up if gross_profitability > 0.4, down if it is < 0.1; it is gross profit / assets of the last year",
        source: "Novy-Marx, Journal of Financial Economics 108(1), 2013: gross profits to assets (limits 0.4 and 0.1)",
        weakness: "the paper ranks companies against each other and leaves banks out; both limits are this program's, and \
                   what is usual differs by industry",
        weight: 1.0,
        judge: |figures| {
            let share = figures.get("gross_profitability")?;
            // Profit speaks for a company: the opposite of an extreme that reverts.
            let vote = -contrarian(share, 0.1, 0.4);
            Some(Finding {
                vote,
                because: format!("the gross profit of a year is {:.0} % of the assets", share * 100.0),
            })
        },
    },
    Rule {
        subject: Subject::Filings,
        name: "Price to earnings",
        formula: "up if 0 < price_to_earnings < 15, down if it is > 25; it is that of the last 12 months",
        source: "Basu, Journal of Finance 32(3), 1977: low multiples earn more; the limits are those of Graham, The \
                 Intelligent Investor, 1973, who sets them on the mean earnings of years",
        weakness: "one year's earnings may be the best or the worst of a cycle, and growth has its price; of a past \
                   date only where filings tell the number of shares",
        weight: 1.0,
        judge: |figures| {
            let multiple = figures.get("price_to_earnings").filter(|multiple| *multiple > 0.0)?;
            let because = format!("the price is {multiple:.1} times the earnings of 12 months");
            Some(Finding { vote: contrarian(multiple, 15.0, 25.0), because })
        },
    },
];

/// The figures that the evidence in a prompt gives.
pub fn figures(text: &str) -> impl Iterator<Item = (&'static str, f64)> {
    let years = Years::read(text);
    let last = years.last();
    let score = last.and_then(|last| f_score(last, years.before(last)?));
    let share = last.and_then(|last| Some(last.gross_profit()? / last.get("Total assets")?));
    FIGURES.into_iter().zip([score, share, price_to_earnings(text)]).filter_map(|(name, value)| Some((name, value?)))
}

/// How many signs are good; none unless all can be told.
fn f_score(last: Year, before: Year) -> Option<f64> {
    let (income, cash) = (last.get("Net income")?, last.get("Operating cash flow")?);
    let ratios: [fn(Year) -> Option<f64>; 5] = [
        |year| Some(year.get("Net income")? / year.get("Total assets")?),
        |year| Some(year.get("Stockholders' equity")? / year.get("Total assets")?),
        |year| Some(year.get("Current assets")? / year.get("Current liabilities")?),
        |year| Some(year.gross_profit()? / year.get("Revenue")?),
        |year| Some(year.get("Revenue")? / year.get("Total assets")?),
    ];
    let mut score = u8::from(income > 0.0) + u8::from(cash > 0.0) + u8::from(cash > income);
    for ratio in ratios {
        score += u8::from(ratio(last)? > ratio(before)?);
    }
    Some(score.into())
}

/// The multiple of the close, or else the vendor's own of the present.
fn price_to_earnings(text: &str) -> Option<f64> {
    let first_number = |heading: &str, line_of: &str| {
        let (_, body) = sections(text).find(|(found, _)| found.starts_with(heading))?;
        let value = body.lines().find_map(|line| line.strip_prefix(line_of))?;
        value.split(' ').next()?.parse().ok()
    };
    let computed = first_number("Valuation, ", "- P/E: ");
    computed.or_else(|| first_number("Company profile, ", "- Price to earnings, trailing: "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::rules::figures::Figures;

    fn votes<const N: usize>(figures: [(&str, f64); N]) -> Vec<Option<i8>> {
        let figures = Figures::from(figures);
        RULES.iter().map(|rule| (rule.judge)(&figures).map(|finding| finding.vote)).collect()
    }

    #[test]
    fn each_rule_votes_by_its_own_figure_and_not_without_it() {
        assert_eq!(votes([]), [None; 3]);
        let of = |score, share, multiple| {
            votes([("f_score", score), ("gross_profitability", share), ("price_to_earnings", multiple)])
        };
        assert_eq!(of(7.0, 0.41, 14.9), [1, 1, 1].map(Some));
        assert_eq!(of(6.0, 0.4, 15.0), [0, 0, 0].map(Some));
        assert_eq!(of(2.0, 0.1, 25.0), [0, 0, 0].map(Some));
        assert_eq!(of(1.0, 0.09, 25.1), [-1, -1, -1].map(Some));
        assert_eq!(votes([("price_to_earnings", -3.0)])[2], None, "a loss has no multiple");
    }

    const STATEMENTS: &str = "\n## Income statement, years known by 2012-09-19 (vendor x)\n\n\
        Period end,2011-09-24,2010-09-25\nKnown on,2011-10-26,2010-10-27\nCurrency,USD,USD\n\
        Revenue,200,150\nCost of revenue,120,100\nNet income,30,20\n\n\
        ## Cash flow, years known by 2012-09-19 (vendor x)\n\nPeriod end,2011-09-24,2010-09-25\nOperating cash flow,35,\n\n\
        ## Balance sheet, years known by 2012-09-19 (vendor x)\n\nPeriod end,2012-06-30,2011-09-24,2010-09-25\n\
        Total assets,170,160,140\nCurrent assets,,80,60\nCurrent liabilities,,40,40\nStockholders' equity,,90,70\n";

    #[test]
    fn the_multiple_of_the_close_counts_before_that_of_the_vendor() {
        let profile = "\n## Company profile, at 2024-05-10 (vendor x)\n\n- Price to earnings, trailing: 31.5\n";
        assert_eq!(figure(profile, "price_to_earnings"), Some(31.5));
        let valuation =
            |line: &str| format!("{profile}\n## Valuation, at the close of 2024-05-10 (y)\n\n- P/E: {line}\n");
        assert_eq!(figure(&valuation("20.50 = market value 1 USD / 1 USD"), "price_to_earnings"), Some(20.5));
        assert_eq!(figure(&valuation("not computed, it is a loss"), "price_to_earnings"), Some(31.5));
    }

    fn figure(text: &str, name: &str) -> Option<f64> {
        figures(text).find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    #[test]
    fn the_score_counts_the_signs_of_the_last_year_against_the_one_before() {
        assert_eq!(figure(STATEMENTS, "f_score"), Some(8.0));
        // Cash below income, and a current ratio and a margin that fell.
        let worse = STATEMENTS.replace("flow,35", "flow,25").replace("80,60", "50,60").replace("120,100", "150,100");
        assert_eq!(figure(&worse, "f_score"), Some(5.0));
        assert_eq!(figure(&worse, "gross_profitability"), Some(50.0 / 160.0));
    }

    #[test]
    fn without_a_figure_of_either_year_there_is_no_score() {
        for gone in ["Cost of revenue", "Operating cash flow", "Current liabilities", "Total assets"] {
            assert_eq!(figure(&STATEMENTS.replace(gone, "Something else"), "f_score"), None, "{gone}");
        }
        assert_eq!(figure(&STATEMENTS.replace("Net income,30", "Net income,NaN"), "f_score"), None);
        assert_eq!(figure(&STATEMENTS.replace("Net income,30", "Net income,30 (derived)"), "f_score"), Some(8.0));
        assert_eq!(figure(&STATEMENTS.replace("2010-09-25", "2009-09-26"), "f_score"), None, "two years apart");
        assert_eq!(figure(&STATEMENTS.replace("years known", "quarters known"), "f_score"), None);
        assert_eq!(figure(&STATEMENTS.replace("2012-09-19", "2013-09-19"), "f_score"), None, "two years old");
    }
}
