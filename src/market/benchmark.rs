//! What an instrument is measured against: the leading index of its exchange.

use super::symbol::canonical;
use crate::domain::Ticker;

/// The benchmark of each exchange suffix, as Yahoo spells both.
const BY_SUFFIX: [(&str, &str); 9] = [
    (".NS", "^NSEI"),
    (".BO", "^BSESN"),
    (".T", "^N225"),
    (".HK", "^HSI"),
    (".L", "^FTSE"),
    (".TO", "^GSPTSE"),
    (".AX", "^AXJO"),
    (".SS", "000001.SS"),
    (".SZ", "399001.SZ"),
];

/// What stands for the market of the USA, and for every exchange that is not listed: the fund first, which earns its
/// dividends as the instrument does, and the index for a vendor that has only that.
const OTHERWISE: [&str; 2] = ["SPY", "^GSPC"];

/// The benchmarks of an instrument, the best first; the first that a vendor has is the one to take.
pub fn benchmark(ticker: &Ticker) -> Vec<Ticker> {
    let symbol = canonical(ticker);
    let suffix = BY_SUFFIX.iter().find(|(suffix, _)| symbol.as_str().ends_with(suffix));
    let symbols = suffix.map_or(OTHERWISE.to_vec(), |(_, index)| vec![*index]);
    symbols.into_iter().map(|symbol| symbol.parse().expect("the symbols above are tickers")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_exchange_has_its_own() {
        for (ticker, expected) in [
            ("NVDA", &["SPY", "^GSPC"][..]),
            ("BRK.B", &["SPY", "^GSPC"]),
            ("7203.T", &["^N225"]),
            ("SHOP.TO", &["^GSPTSE"]),
            ("600519.SS", &["000001.SS"]),
        ] {
            let found = benchmark(&ticker.parse().unwrap());
            assert_eq!(found.iter().map(Ticker::as_str).collect::<Vec<_>>(), expected, "{ticker}");
        }
    }
}
