//! The exchange of a symbol, by the suffixes that Yahoo Finance uses (help.yahoo.com, "Exchanges and data providers on
//! Yahoo Finance"), as market identifier codes (ISO 10383).

use crate::{
    domain::{AssetType, Ticker},
    market::symbol,
};

/// Where a symbol without a known suffix trades.
const NEW_YORK: &str = "XNYS";

/// Exchanges, and the suffixes of their symbols. Regional exchanges that the calendar lacks stand with the main one of
/// their country.
const SUFFIXES: [(&str, &[&str]); 52] = [
    ("XTSE", &["TO", "V", "CN", "NE"]),
    ("BVMF", &["SA"]),
    ("XMEX", &["MX"]),
    ("XBUE", &["BA"]),
    ("XSGO", &["SN"]),
    ("XBOG", &["CL"]),
    ("XLIM", &["LM"]),
    ("XCAR", &["CR"]),
    ("XLON", &["L", "IL", "XC", "AQ"]),
    ("XDUB", &["IR"]),
    ("XPAR", &["PA", "NX"]),
    ("XAMS", &["AS"]),
    ("XBRU", &["BR"]),
    ("XLIS", &["LS"]),
    ("XMIL", &["MI", "TI", "XD"]),
    ("XMAD", &["MC", "BC", "BI", "VA", "MA"]),
    ("XETR", &["DE"]),
    ("XFRA", &["F", "BE", "BM", "DU", "HM", "HA", "MU", "SG"]),
    ("XSWX", &["SW", "VX"]),
    ("XWBO", &["VI"]),
    ("XSTO", &["ST"]),
    ("XOSL", &["OL"]),
    ("XCSE", &["CO"]),
    ("XHEL", &["HE"]),
    ("XICE", &["IC"]),
    ("XTAL", &["TL"]),
    ("XRIS", &["RG"]),
    ("XLIT", &["VS"]),
    ("XWAR", &["WA"]),
    ("XPRA", &["PR"]),
    ("XBUD", &["BD"]),
    ("ASEX", &["AT"]),
    ("XBSE", &["RO"]),
    ("XIST", &["IS"]),
    ("XTAE", &["TA"]),
    ("XSAU", &["SR", "SAU"]),
    ("XQAT", &["QA"]),
    ("XKUW", &["KW"]),
    ("XDFM", &["AE", "AD"]),
    ("XCAI", &["CA"]),
    ("XJSE", &["JO"]),
    ("XTKS", &["T", "S"]),
    ("XHKG", &["HK"]),
    ("XSHG", &["SS", "SZ"]),
    ("XKRX", &["KS", "KQ"]),
    ("XTAI", &["TW", "TWO"]),
    ("XSES", &["SI"]),
    ("XKLS", &["KL"]),
    ("XIDX", &["JK"]),
    ("XBKK", &["BK"]),
    ("XPHS", &["PS"]),
    ("XSTC", &["VN"]),
];

/// More of them; one table would be too long for a reader.
const MORE_SUFFIXES: [(&str, &[&str]); 7] = [
    ("XKAR", &["KA"]),
    ("XCOL", &["CM"]),
    ("XBOM", &["BO", "NS"]),
    ("XASX", &["AX", "XA"]),
    ("XNZE", &["NZ"]),
    ("XMOS", &["ME"]),
    ("CMES", &["CBT", "CME", "CMX", "NYB", "NYM"]),
];

/// Exchanges and their indices; all other indices count as of New York.
const INDICES: [(&str, &[&str]); 24] = [
    ("XTSE", &["^GSPTSE"]),
    ("BVMF", &["^BVSP"]),
    ("XMEX", &["^MXX"]),
    ("XBUE", &["^MERV"]),
    ("XLON", &["^FTSE", "^FTMC", "^FTAS"]),
    ("XPAR", &["^FCHI", "^SBF120", "^N100"]),
    ("XAMS", &["^AEX"]),
    ("XBRU", &["^BFX"]),
    ("XMAD", &["^IBEX"]),
    ("XETR", &["^GDAXI", "^MDAXI", "^TECDAX", "^SDAXI", "^STOXX", "^STOXX50E"]),
    ("XSWX", &["^SSMI"]),
    ("XWBO", &["^ATX"]),
    ("XSTO", &["^OMX"]),
    ("XTAE", &["^TA125"]),
    ("XTKS", &["^N225", "^TPX"]),
    ("XHKG", &["^HSI", "^HSCE", "^HSTECH"]),
    ("XKRX", &["^KS11", "^KQ11", "^KS200"]),
    ("XTAI", &["^TWII"]),
    ("XSES", &["^STI"]),
    ("XKLS", &["^KLSE"]),
    ("XIDX", &["^JKSE"]),
    ("XBOM", &["^NSEI", "^BSESN", "^NSEBANK", "^CNXIT", "^INDIAVIX", "^CRSLDX"]),
    ("XASX", &["^AXJO", "^AORD", "^AXKO"]),
    ("XNZE", &["^NZ50"]),
];

/// The code of the exchange or market that an instrument trades on.
pub fn of(ticker: &Ticker) -> &'static str {
    if symbol::asset_type(ticker) == AssetType::Crypto {
        return "CRYPTO";
    }
    let symbol = symbol::canonical(ticker);
    let symbol = symbol.as_str();
    if symbol.ends_with("=X") {
        return "FX";
    }
    if symbol.ends_with("=F") {
        return "CMES";
    }
    let listed = |names: &[&str], name: &str| names.contains(&name);
    if symbol.starts_with('^') {
        let found = INDICES.iter().find(|(_, indices)| listed(indices, symbol));
        return found.map_or(NEW_YORK, |(code, _)| code);
    }
    let by_suffix = |suffix| SUFFIXES.iter().chain(&MORE_SUFFIXES).find(|(_, suffixes)| listed(suffixes, suffix));
    let suffix = symbol.rsplit_once('.').and_then(|(_, suffix)| by_suffix(suffix));
    suffix.map_or(NEW_YORK, |(code, _)| code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::calendar::exchanges;

    #[test]
    fn every_code_has_a_calendar() {
        let codes = SUFFIXES.iter().chain(&MORE_SUFFIXES).chain(&INDICES).map(|(code, _)| *code);
        for code in codes.chain(["CRYPTO", "FX", NEW_YORK]) {
            assert!(exchanges::find(code).is_some(), "{code}");
        }
    }

    #[test]
    fn a_share_class_is_no_exchange() {
        for (symbol, code) in [
            ("BRK.B", "XNYS"),
            ("RDSA.AS", "XAMS"),
            ("0700.HK", "XHKG"),
            ("600519.SS", "XSHG"),
            ("SHOP.TO", "XTSE"),
            ("CL=F", "CMES"),
            ("USDJPY", "FX"),
            ("DX-Y.NYB", "CMES"),
            ("^GSPC", "XNYS"),
            ("^HSI", "XHKG"),
            ("ETHUSDT", "CRYPTO"),
        ] {
            assert_eq!(of(&symbol.parse().unwrap()), code, "{symbol}");
        }
    }
}
