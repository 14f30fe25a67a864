//! Multiples, and the reasons why there are none.

use super::*;
use crate::market::{Figure, Period};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn year(currency: &str, figures: &[(&'static str, f64)]) -> Periods {
    let figures = figures.iter().map(|(name, value)| Figure::new(name, *value)).collect();
    let period = Period { end: day("2023-12-31"), known: day("2024-02-21"), currency: currency.into(), figures };
    Periods { quarters: Vec::new(), years: vec![period] }
}

/// A company with a hundred shares in these currencies of price and accounts.
fn inputs(unit: &str, currency: &str) -> Inputs {
    Inputs {
        close: 50.0,
        day: day("2024-05-10"),
        unit: PriceCurrency::new(unit),
        shares: Shares::Outstanding { count: 100.0, on: day("2024-02-16"), filed: day("2024-02-21"), as_filed: 100.0 },
        is_home_listing: false,
        income: year(currency, &[("Revenue", 2000.0), ("Operating income", 300.0), ("Net income", 250.0)]),
        balance: year(
            currency,
            &[("Stockholders' equity", 1000.0), ("Cash and equivalents", 400.0), ("Total debt", 900.0)],
        ),
        cash: year(
            currency,
            &[
                ("Operating cash flow", 350.0),
                ("Capital expenditure", -100.0),
                ("Depreciation and amortization", 200.0),
            ],
        ),
    }
}

/// The first word of each line but that of the currencies.
fn values(inputs: &Inputs) -> Vec<String> {
    let text = Valuation::new(inputs).unwrap().to_string();
    text.lines().skip(1).map(|line| line.split(": ").nth(1).unwrap().split(' ').next().unwrap().to_owned()).collect()
}

#[test]
fn multiples_are_those_of_the_close_and_name_their_inputs() {
    let inputs = inputs("USD", "USD");
    assert_eq!(values(&inputs), ["5000", "20.00", "2.50", "5.00", "11.00", "5.00"]);
    let text = Valuation::new(&inputs).unwrap().to_string();
    for input in [
        "close of 2024-05-10 50.00 USD x 100 shares, outstanding on 2024-02-16",
        "P/E: 20.00 = market value 5000 USD / 250 USD (net income of the fiscal year to 2023-12-31, known on 2024-02-21)",
        "market value + 900 USD (total debt of 2023-12-31",
        "FCF yield: 5.00 % = 250 USD (350 operating cash flow",
    ] {
        assert!(text.contains(input), "{input} is not in {text}");
    }
}

#[test]
fn pence_are_hundredths_and_other_currencies_are_not_compared() {
    assert_eq!(values(&inputs("GBp", "GBP"))[..2], ["50", "0.20"]);
    let text = Valuation::new(&inputs("USD", "TWD")).unwrap().to_string();
    assert!(text.contains("P/E: not computed, the price is in USD and the statements are in TWD"), "{text}");
    assert!(text.contains("EV/EBITDA: not computed, the price is in USD"), "{text}");
}

#[test]
fn a_loss_has_no_multiple_and_neither_have_shares_that_are_not_priced() {
    let mut loss = inputs("USD", "USD");
    loss.income = year("USD", &[("Net income", -5.0)]);
    let text = Valuation::new(&loss).unwrap().to_string();
    assert!(text.contains("P/E: not computed, -5 USD (net income of the fiscal year"), "{text}");
    let classes = Inputs { shares: Shares::OtherThanPriced("there are classes".into()), ..inputs("USD", "USD") };
    let valuation = Valuation::new(&classes).unwrap();
    assert!(!valuation.has_any(), "{valuation}");
    assert_eq!(
        valuation.to_string(),
        "- Currencies: price USD, statements USD\n- Multiples: not computed, there are classes\n"
    );
}

#[test]
fn without_a_count_of_shares_the_diluted_average_serves() {
    let mut inputs = Inputs { shares: Shares::Unknown, ..inputs("USD", "USD") };
    assert_eq!(values(&inputs), ["not"]);
    inputs.income.years[0].figures.push(Figure::new(DILUTED_SHARES, 110.0));
    let text = Valuation::new(&inputs).unwrap().to_string();
    assert!(text.contains("CONTACT_EMAIL"), "a depositary share may be priced: {text}");
    let at_home = Inputs { is_home_listing: true, ..inputs.clone() };
    assert_eq!(values(&at_home)[0], "5500");
    inputs.income.years[0].figures.last_mut().unwrap().tag = Some("WeightedAverageNumberOfDilutedSharesOutstanding");
    assert_eq!(values(&inputs)[0], "5500");
}
