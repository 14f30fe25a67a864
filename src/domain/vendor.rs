//! The vendors of market data, and the ordered lists of them that configuration names.

use std::{fmt, marker::PhantomData, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A source of market data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Vendor {
    /// A folder of `{TICKER}.csv`.
    Csv,
    /// The bars bundled in the program: AAPL, MSFT, IBM, GOOG and the S&P 500 index, to 2013.
    Sample,
    /// Yahoo Finance, without a key.
    Yahoo,
    AlphaVantage,
    /// Daily bars of shares listed in the United States, with a key.
    Tiingo,
    /// The filings of companies in the United States, without a key.
    SecEdgar,
    /// The search of Google News, without a key.
    GoogleNews,
    /// The economic series of the Federal Reserve Bank of St. Louis.
    Fred,
    /// Prediction markets, without a key.
    Polymarket,
    StockTwits,
    Reddit,
}

impl Vendor {
    /// The name as configuration and provenance spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Sample => "sample",
            Self::Yahoo => "yahoo",
            Self::AlphaVantage => "alpha_vantage",
            Self::Tiingo => "tiingo",
            Self::SecEdgar => "sec_edgar",
            Self::GoogleNews => "google_news",
            Self::Fred => "fred",
            Self::Polymarket => "polymarket",
            Self::StockTwits => "stocktwits",
            Self::Reddit => "reddit",
        }
    }

    /// Whether it is asked over the network.
    pub fn is_remote(self) -> bool {
        !matches!(self, Self::Csv | Self::Sample)
    }
}

/// A kind of data, and who has it.
pub trait Category {
    /// What an error calls one of its vendors.
    const VENDOR: &'static str;
    /// Its vendors, in the order in which they are asked if nobody chooses.
    const VENDORS: &'static [Vendor];
}

macro_rules! category {
    ($(#[$doc:meta])* $name:ident, $words:literal, $($vendor:ident),+) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $name {}

        impl Category for $name {
            const VENDOR: &'static str = $words;
            const VENDORS: &'static [Vendor] = &[$(Vendor::$vendor),+];
        }
    };
}

category!(/// Daily bars.
    Prices, "price vendor", Csv, Yahoo, Tiingo, AlphaVantage, Sample);
category!(/// Company profiles and financial statements.
    Fundamentals, "fundamentals vendor", SecEdgar, Yahoo, AlphaVantage);
category!(/// Articles on one instrument and on the markets.
    News, "news vendor", Yahoo, GoogleNews, AlphaVantage);
category!(/// What insiders of a company buy and sell.
    Insiders, "vendor of insider transactions", Yahoo, AlphaVantage);
category!(/// What people write on social media.
    Social, "social media vendor", StockTwits, Reddit);
category!(/// Macro-economic series.
    Macro, "macro vendor", Fred);
category!(/// Odds of coming events.
    Predictions, "prediction market vendor", Polymarket);

/// Vendors of a category in the order in which they are asked, written `csv,yahoo`; at least one, none twice.
///
/// `yfinance` is read as `yahoo`, and `default` as the whole list: the names that clients of the job API know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String", bound = "C: Category + Clone")]
pub struct VendorList<C>(Vec<Vendor>, PhantomData<C>);

/// The vendors of daily bars, in order.
pub type PriceVendors = VendorList<Prices>;

impl<C: Category> VendorList<C> {
    /// The vendors in order.
    pub fn as_slice(&self) -> &[Vendor] {
        &self.0
    }
}

impl<C: Category> FromStr for VendorList<C> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut vendors = Vec::new();
        for name in text.split(',').map(str::trim) {
            let known = || C::VENDORS.iter().copied();
            let named: Vec<_> = match name {
                "default" => known().collect(),
                "yfinance" => known().filter(|vendor| *vendor == Vendor::Yahoo).collect(),
                _ => known().filter(|vendor| vendor.as_str() == name).collect(),
            };
            if named.is_empty() {
                let names: Vec<_> = known().map(Vendor::as_str).collect();
                let (last, others) = names.split_last().expect("each category has a vendor");
                let list = if others.is_empty() { (*last).into() } else { format!("{} and {last}", others.join(", ")) };
                return Err(format!(
                    "{name:?} is not a {}; there are {list}, in a list such as {}",
                    C::VENDOR,
                    names.join(",")
                ));
            }
            vendors.extend(named.into_iter().filter(|vendor| !vendors.contains(vendor)).collect::<Vec<_>>());
        }
        Ok(Self(vendors, PhantomData))
    }
}

impl<C: Category> TryFrom<String> for VendorList<C> {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl<C: Category> From<VendorList<C>> for String {
    fn from(vendors: VendorList<C>) -> Self {
        vendors.to_string()
    }
}

impl<C> fmt::Display for VendorList<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.iter().map(|vendor| vendor.as_str()).collect();
        f.write_str(&names.join(","))
    }
}

impl<C: Category> JsonSchema for VendorList<C> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        C::VENDOR.into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut names: Vec<_> = C::VENDORS.iter().map(|vendor| vendor.as_str()).collect();
        let example = names.join(",");
        if C::VENDORS.contains(&Vendor::Yahoo) {
            names.push("yfinance");
        }
        names.push("default");
        let name = format!("({})", names.join("|"));
        json_schema!({
            "type": "string",
            "pattern": format!("^ *{name} *(, *{name} *)*$"),
            "examples": [example],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_keep_their_order_and_name_nobody_twice() {
        let vendors: PriceVendors = "yfinance, csv,yahoo".parse().unwrap();
        assert_eq!(vendors.as_slice(), [Vendor::Yahoo, Vendor::Csv]);
        assert_eq!(vendors.to_string(), "yahoo,csv");
        assert_eq!("default".parse::<VendorList<News>>().unwrap().as_slice(), News::VENDORS);
    }

    #[test]
    fn a_vendor_that_there_is_not_is_named_with_those_that_there_are() {
        let error = "yahoo,bloomberg".parse::<VendorList<Fundamentals>>().unwrap_err();
        assert!(
            error.starts_with("\"bloomberg\" is not a fundamentals vendor; there are sec_edgar, yahoo and"),
            "{error}"
        );
        assert!("csv".parse::<VendorList<News>>().is_err());
        assert!("".parse::<PriceVendors>().is_err());
    }
}
