//! The currency that prices are quoted in, which may be a hundredth of one.

use std::fmt;

/// The code of a currency as vendors write it: `USD`, or `GBp` for pence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceCurrency(String);

/// Codes of hundredths, their names, and the currencies that they are of.
const HUNDREDTHS: [(&[&str], &str, &str); 3] = [
    (&["GBp", "GBX", "GBx"], "pence", "GBP"),
    (&["ZAc", "ZAX", "ZAC"], "South African cents", "ZAR"),
    (&["ILA", "ILa", "ILX"], "agorot", "ILS"),
];

impl PriceCurrency {
    /// A code of three letters; none if it is something else.
    pub fn new(code: &str) -> Option<Self> {
        let code = code.trim();
        let is_code = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_alphabetic());
        is_code.then(|| Self(code.into()))
    }

    /// The code as the vendor writes it.
    pub fn code(&self) -> &str {
        &self.0
    }

    /// The currency of ISO 4217, and how many units of the quotation make one of it: `GBP` and 100 for pence.
    pub fn main_unit(&self) -> (&str, f64) {
        self.hundredth().map_or((&self.0, 1.0), |(_, main)| (main, 100.0))
    }

    fn hundredth(&self) -> Option<(&'static str, &'static str)> {
        let found = HUNDREDTHS.iter().find(|(codes, ..)| codes.contains(&self.0.as_str()));
        found.map(|(_, name, main)| (*name, *main))
    }
}

/// `USD`, or `GBp (pence, 100 = 1 GBP)`.
impl fmt::Display for PriceCurrency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.hundredth() {
            Some((name, main)) => write!(f, "{} ({name}, 100 = 1 {main})", self.0),
            None => f.write_str(&self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hundredths_are_named_with_their_currency() {
        let shown = |code| PriceCurrency::new(code).unwrap().to_string();
        assert_eq!(shown("USD"), "USD");
        assert_eq!(shown("GBp"), "GBp (pence, 100 = 1 GBP)");
        assert_eq!(PriceCurrency::new("ILA").unwrap().main_unit(), ("ILS", 100.0));
        assert_eq!(PriceCurrency::new("GBP").unwrap().main_unit(), ("GBP", 1.0));
        assert_eq!(PriceCurrency::new("none"), None);
    }
}
