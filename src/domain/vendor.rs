//! The vendors of daily bars that configuration may name.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A source of daily bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PriceVendor {
    /// A folder of `{TICKER}.csv`.
    Csv,
    /// The bars bundled in the program: AAPL, MSFT, IBM, GOOG and the S&P 500 index, to 2013.
    Sample,
}

/// Vendors in the order in which they are asked, written `csv,sample`; at least one, none twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(example = &"csv,sample")]
pub struct PriceVendors(
    #[schemars(with = "String", regex(pattern = r"^ *(csv|sample) *(, *(csv|sample) *)*$"))] Vec<PriceVendor>,
);

impl PriceVendors {
    /// The vendors in order.
    pub fn as_slice(&self) -> &[PriceVendor] {
        &self.0
    }
}

impl FromStr for PriceVendors {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut vendors = Vec::new();
        for name in text.split(',').map(str::trim) {
            let vendor = match name {
                "csv" => PriceVendor::Csv,
                "sample" => PriceVendor::Sample,
                _ => {
                    return Err(format!(
                        "{name:?} is not a price vendor; there are csv and sample, in a list such as csv,sample"
                    ));
                }
            };
            if !vendors.contains(&vendor) {
                vendors.push(vendor);
            }
        }
        Ok(Self(vendors))
    }
}

impl TryFrom<String> for PriceVendors {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<PriceVendors> for String {
    fn from(vendors: PriceVendors) -> Self {
        vendors.to_string()
    }
}

impl PriceVendor {
    /// The name as configuration and provenance spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Sample => "sample",
        }
    }
}

impl fmt::Display for PriceVendors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.iter().map(|v| v.as_str()).collect();
        f.write_str(&names.join(","))
    }
}
