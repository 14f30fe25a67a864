//! What people write for an instrument, and what vendors call it.

use crate::domain::{AssetType, Ticker};

/// Names of brokers and of habit, and the symbol that they stand for. No ticker of a listed share is among them: GOLD and
/// WTI are companies on the NYSE.
const ALIASES: [(&[&str], &str); 17] = [
    (&["XAUUSD", "XAU"], "GC=F"),
    (&["XAGUSD", "XAG", "SILVER"], "SI=F"),
    (&["XPTUSD"], "PL=F"),
    (&["XPDUSD"], "PA=F"),
    (&["WTICOUSD", "USOIL"], "CL=F"),
    (&["BCOUSD", "UKOIL", "BRENT"], "BZ=F"),
    (&["NATGAS", "XNGUSD"], "NG=F"),
    (&["COPPER", "XCUUSD"], "HG=F"),
    (&["SPX500", "US500", "SPX"], "^GSPC"),
    (&["NAS100", "US100", "USTEC"], "^NDX"),
    (&["US30", "DJI30", "WS30"], "^DJI"),
    (&["GER40", "GER30", "DE40"], "^GDAXI"),
    (&["UK100"], "^FTSE"),
    (&["JP225", "JPN225"], "^N225"),
    (&["FRA40"], "^FCHI"),
    (&["EU50"], "^STOXX50E"),
    (&["HK50"], "^HSI"),
];

const COINS: [&str; 11] = ["BTC", "ETH", "SOL", "XRP", "ADA", "DOGE", "LTC", "BCH", "DOT", "AVAX", "LINK"];

const CURRENCIES: [&str; 24] = [
    "USD", "EUR", "GBP", "JPY", "CHF", "CAD", "AUD", "NZD", "CNY", "CNH", "HKD", "SGD", "SEK", "NOK", "DKK", "PLN",
    "MXN", "ZAR", "TRY", "INR", "KRW", "BRL", "RUB", "THB",
];

/// The symbol as most vendors spell it: `XAUUSD` is `GC=F`, `btcusdt` is `BTC-USD`, `EURUSD` is `EURUSD=X`; everything
/// else, suffixes of exchanges included, stays as it is.
pub fn canonical(ticker: &Ticker) -> Ticker {
    let symbol = ticker.as_str();
    let alias = ALIASES.iter().find(|(names, _)| names.contains(&symbol)).map(|(_, symbol)| (*symbol).to_owned());
    let spelled = alias.or_else(|| coin(symbol).map(|base| format!("{base}-USD"))).or_else(|| pair(symbol));
    spelled.map_or_else(|| ticker.clone(), |text| text.parse().expect("what the tables hold are tickers"))
}

/// The kind of an instrument by its symbol.
pub fn asset_type(ticker: &Ticker) -> AssetType {
    let symbol = canonical(ticker);
    let quotes = ["-USD", "-USDT", "-USDC", "-BTC", "-ETH"];
    if quotes.iter().any(|quote| symbol.as_str().ends_with(quote)) { AssetType::Crypto } else { AssetType::Stock }
}

/// The coin of a symbol such as `BTC-USD`, `BTCUSDT`, `BTC-USDC`.
pub(super) fn coin(symbol: &str) -> Option<&str> {
    let base = ["USDT", "USDC", "USD"].iter().find_map(|quote| symbol.strip_suffix(quote))?;
    let base = base.strip_suffix('-').unwrap_or(base);
    COINS.contains(&base).then_some(base)
}

/// The symbol for a vendor that knows no exchanges: a coin, or a share listed in the United States, whose class may follow a
/// point. None for all else, because without its suffix `BA.L` would be another company.
pub(super) fn without_exchange(ticker: &Ticker) -> Option<String> {
    let symbol = canonical(ticker);
    if let Some(coin) = coin(symbol.as_str()) {
        return Some(coin.into());
    }
    let class = symbol.as_str().split_once('.').map(|(_, class)| class);
    let is_share = class.is_none_or(|class| ["A", "B", "C"].contains(&class)) && !symbol.as_str().contains(['=', '^']);
    is_share.then(|| symbol.into())
}

/// A pair of currencies such as `EURUSD`.
fn pair(symbol: &str) -> Option<String> {
    let (base, quote) = symbol.split_at_checked(3).filter(|_| symbol.len() == 6)?;
    (CURRENCIES.contains(&base) && CURRENCIES.contains(&quote)).then(|| format!("{symbol}=X"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticker(text: &str) -> Ticker {
        text.parse().unwrap()
    }

    #[test]
    fn names_of_habit_stand_for_symbols() {
        for (written, symbol) in [
            ("xauusd", "GC=F"),
            ("SPX500", "^GSPC"),
            ("BTCUSDT", "BTC-USD"),
            ("eth-usdc", "ETH-USD"),
            ("LINKUSD", "LINK-USD"),
            ("EURUSD", "EURUSD=X"),
            ("USDRUB", "USDRUB=X"),
            ("RELIANCE.NS", "RELIANCE.NS"),
            ("0700.HK", "0700.HK"),
            ("GOOGLE", "GOOGLE"),
            ("NVDA", "NVDA"),
            ("GOLD", "GOLD"),
            ("WTI", "WTI"),
        ] {
            assert_eq!(canonical(&ticker(written)), ticker(symbol));
        }
    }

    #[test]
    fn a_vendor_without_exchanges_gets_no_symbol_of_one() {
        for (written, known) in [
            ("BA", Some("BA")),
            ("BRK.B", Some("BRK.B")),
            ("BTC-USD", Some("BTC")),
            ("BA.L", None),
            ("T.TO", None),
            ("BRK.DE", None),
            ("M&M.NS", None),
            ("GC=F", None),
            ("EURUSD", None),
            ("^GSPC", None),
        ] {
            assert_eq!(without_exchange(&ticker(written)).as_deref(), known, "{written}");
        }
    }

    #[test]
    fn coins_are_told_from_shares_and_currencies() {
        for (written, kind) in [
            ("BTC-USD", AssetType::Crypto),
            ("ETHUSDT", AssetType::Crypto),
            ("NEWCOIN-USD", AssetType::Crypto),
            ("EURUSD", AssetType::Stock),
            ("NVDA", AssetType::Stock),
        ] {
            assert_eq!(asset_type(&ticker(written)), kind, "{written}");
        }
    }
}
