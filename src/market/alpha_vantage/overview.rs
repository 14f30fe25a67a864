//! The profile of a company, which is that of today.
//!
//! It names the currency of the prices, not that of the accounts, which is that of the statements.

use chrono::NaiveDate;
use serde_json::{Map, Value};

use crate::market::{Profile, Shares};

/// Kind of a figure, which decides its currency.
#[derive(Clone, Copy)]
enum Kind {
    /// A text, or a ratio of two figures of the accounts or of two prices.
    Plain,
    /// A price, or the worth of all shares.
    Price,
    /// An amount of the accounts.
    Account,
    /// A price over a figure of the accounts, or a figure per share in a currency that is not named.
    Mixed,
}

const FIGURES: [(&str, &str, Kind); 20] = [
    ("Name", "Name", Kind::Plain),
    ("Sector", "Sector", Kind::Plain),
    ("Industry", "Industry", Kind::Plain),
    ("Market capitalisation", "MarketCapitalization", Kind::Price),
    ("Price to earnings, trailing", "TrailingPE", Kind::Mixed),
    ("Price to earnings, forward", "ForwardPE", Kind::Mixed),
    ("PEG ratio", "PEGRatio", Kind::Mixed),
    ("Price to book", "PriceToBookRatio", Kind::Mixed),
    ("Earnings per share, diluted", "DilutedEPSTTM", Kind::Mixed),
    ("Dividend yield", "DividendYield", Kind::Plain),
    ("Beta", "Beta", Kind::Plain),
    ("52-week high", "52WeekHigh", Kind::Price),
    ("52-week low", "52WeekLow", Kind::Price),
    ("Revenue, trailing", "RevenueTTM", Kind::Account),
    ("Gross profit, trailing", "GrossProfitTTM", Kind::Account),
    ("EBITDA", "EBITDA", Kind::Account),
    ("Profit margin", "ProfitMargin", Kind::Plain),
    ("Operating margin", "OperatingMarginTTM", Kind::Plain),
    ("Return on equity", "ReturnOnEquityTTM", Kind::Plain),
    ("Return on assets", "ReturnOnAssetsTTM", Kind::Plain),
];

/// Whether a company of the United States is meant, which reports in US dollars.
pub fn is_of_the_united_states(overview: &Map<String, Value>) -> bool {
    text(overview, "Country") == Some("USA") && text(overview, "Currency") == Some("USD")
}

/// The profile; `account` is the currency of the accounts, if it is known.
pub fn profile(overview: &Map<String, Value>, account: Option<&str>, date: NaiveDate) -> Profile {
    let price = text(overview, "Currency");
    let differ = price.zip(account).is_some_and(|(price, account)| price != account);
    let named = |figure: &str, currency: Option<&str>| match currency {
        Some(currency) => format!("{figure} {currency}"),
        None => figure.to_owned(),
    };
    let figures = FIGURES.iter().filter_map(|(name, key, kind)| {
        let figure = text(overview, key)?;
        let shown = match kind {
            Kind::Mixed if differ => return None,
            Kind::Plain | Kind::Mixed => figure.to_owned(),
            Kind::Price => named(figure, price),
            Kind::Account => named(figure, account),
        };
        Some((*name, shown))
    });
    let note = || {
        format!(
            "Prices are in {}, the accounts in {}. Ratios of both and figures per share are left out: the vendor does \
             not say whether and at which rate it converts them.",
            price.unwrap_or_default(),
            account.unwrap_or_default()
        )
    };
    let notes = differ.then(note).into_iter().collect();
    Profile { known: date, figures: figures.collect(), shares: Shares::Unknown, notes }
}

fn text<'a>(overview: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    overview.get(key)?.as_str().filter(|text| !["", "None", "-"].contains(text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn amounts_name_their_currency_and_ratios_of_two_are_left_out() {
        let overview = json!({"Currency": "USD", "Country": "China", "MarketCapitalization": "341", "RevenueTTM": "981",
                              "TrailingPE": "20.9", "ForwardPE": "None"});
        let overview = overview.as_object().unwrap();
        let date = "2024-05-10".parse().unwrap();
        let shown = |account| profile(overview, account, date).figures;
        let amounts = |account: &str| {
            [("Market capitalisation", "341 USD".to_owned()), ("Revenue, trailing", format!("981 {account}"))]
        };
        assert_eq!(shown(Some("CNY")), amounts("CNY"));
        assert!(profile(overview, Some("CNY"), date).notes[0].contains("in USD, the accounts in CNY"));
        assert!(shown(Some("USD")).contains(&("Price to earnings, trailing", "20.9".into())));
    }
}
