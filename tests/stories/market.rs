//! Market data: what comes from where, and never from after the analysis date.

use std::{fs, path::Path, sync::Arc};

use tradingagents::{
    domain::{Ticker, TradeDate},
    market::{Bar, CsvFolder, Indicator, Market, MarketError, Sample, source::PriceSource},
};

use crate::service::shared_data;

fn ticker(text: &str) -> Ticker {
    text.parse().unwrap()
}

fn date(text: &str) -> TradeDate {
    text.parse().unwrap()
}

fn sample() -> Market {
    Market::new(vec![Arc::new(Sample)])
}

fn folder(path: &Path) -> Market {
    Market::new(vec![Arc::new(CsvFolder::new(path))])
}

#[tokio::test]
async fn the_bundled_bars_are_adjusted_as_of_the_analysis_date() {
    let history = sample().price_history(&ticker("AAPL"), date("2012-09-19")).await.unwrap();
    let last = history.bars.last().unwrap();
    // That day's prices as they were traded; the split of 2005 and the dividend of August 2012 lie before it.
    assert_eq!((last.date.to_string().as_str(), last.close), ("2012-09-19", 702.10));
    assert_eq!(history.vendor, "sample");
    let returns = history.bars.windows(2).map(|pair| (pair[1].close / pair[0].close - 1.0).abs());
    assert!(returns.fold(0.0, f64::max) < 0.55, "no split shows as a fall");
    assert!(history.bars.iter().all(|bar| bar.low <= bar.close && bar.close <= bar.high && bar.low > 0.0));
}

#[tokio::test]
async fn nothing_after_the_analysis_date_comes_out() {
    for day in ["2000-03-01", "2003-07-04", "2008-10-11", "2013-02-28"] {
        for symbol in ["AAPL", "MSFT", "IBM", "^GSPC"] {
            let history = sample().price_history(&ticker(symbol), date(day)).await.unwrap();
            assert!(history.bars.last().unwrap().date <= date(day).day(), "{symbol} {day}");
            assert!(history.bars.is_sorted_by(|a, b| a.date < b.date));
        }
    }
}

#[tokio::test]
async fn a_later_dividend_does_not_change_what_was_known_before() {
    let early = sample().price_history(&ticker("IBM"), date("2010-01-29")).await.unwrap();
    assert!((early.bars.last().unwrap().close - 122.39).abs() < 1e-9);
    let late = sample().price_history(&ticker("IBM"), date("2012-09-19")).await.unwrap();
    let same_day = late.bars.iter().find(|bar| bar.date == date("2010-01-29").day()).unwrap();
    assert!(same_day.close < 122.39, "dividends since then are taken off");
}

#[tokio::test]
async fn what_is_not_there_is_told_with_what_is() {
    let unknown = sample().price_history(&ticker("TSLA"), date("2012-09-19")).await.unwrap_err();
    assert!(unknown.to_string().contains("AAPL, GOOG, IBM, MSFT, ^GSPC"), "{unknown}");
    let late = sample().price_history(&ticker("AAPL"), date("2020-01-02")).await.unwrap_err();
    assert!(matches!(late, MarketError::NoData { .. }));
    assert!(late.to_string().contains("2000-03-01 to 2013-03-01"), "{late}");
    let early = sample().price_history(&ticker("GOOG"), date("2001-01-02")).await.unwrap_err();
    assert!(early.to_string().contains("2004-08-19"), "{early}");
    assert!(!unknown.is_transient() && !late.is_transient());
}

#[tokio::test]
async fn vendors_are_asked_in_order_until_one_has_the_prices() {
    let bars = tempfile::tempdir().unwrap();
    fs::write(bars.path().join("ACME.csv"), "Date,Open,High,Low,Close,Volume\n2024-05-10,1,2,1,2,100\n").unwrap();
    let both = Market::new(vec![Arc::new(CsvFolder::new(bars.path())), Arc::new(Sample)]);
    let day = date("2024-05-10");
    assert_eq!(both.price_history(&ticker("ACME"), day).await.unwrap().vendor, "csv");
    assert_eq!(both.price_history(&ticker("AAPL"), date("2012-09-19")).await.unwrap().vendor, "sample");
    let neither = both.price_history(&ticker("NONE"), day).await.unwrap_err().to_string();
    assert!(neither.contains("csv has no NONE") && neither.contains("sample has no NONE"), "{neither}");
}

#[tokio::test]
async fn a_folder_may_be_written_by_any_program() {
    let bars = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(bars.path().join(name), text).unwrap();
    write(
        "WIN.csv",
        "date,open,high,low,close,adj close,volume\r\n2024-05-09,10,11,9,10,5,7\r\n2024-05-10,10,12,9,11,11,8\r\n",
    );
    let history = folder(bars.path()).price_history(&ticker("WIN"), date("2024-05-10")).await.unwrap();
    assert_eq!((history.bars[0].close, history.bars[1].close), (5.0, 11.0));

    write("SHORT.csv", "Date,Open,High\n2024-05-10,1,2\n");
    let error = folder(bars.path()).price_history(&ticker("SHORT"), date("2024-05-10")).await.unwrap_err();
    assert!(matches!(error, MarketError::Malformed { .. }), "{error}");
    write("BROKEN.csv", "Date,Open,High,Low,Close,Volume\n2024-05-09,1,1,1,1,1\n2024-05-10,1,oops,1,1,1\n");
    let error = folder(bars.path()).price_history(&ticker("BROKEN"), date("2024-05-10")).await.unwrap_err().to_string();
    assert!(error.contains("BROKEN") && error.contains('3'), "{error}");
    let missing = folder(bars.path()).price_history(&ticker("NONE"), date("2024-05-10")).await.unwrap_err().to_string();
    assert!(missing.contains("BROKEN") && missing.contains("WIN"), "it lists the files: {missing}");
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_named() {
    let error = folder(Path::new("/nowhere/at/all")).price_history(&ticker("A"), date("2024-05-10")).await.unwrap_err();
    assert!(error.to_string().contains("/nowhere/at/all"), "{error}");
}

#[tokio::test]
async fn a_stock_that_stopped_trading_has_no_price() {
    let bars = tempfile::tempdir().unwrap();
    fs::write(bars.path().join("GONE.csv"), "Date,Open,High,Low,Close,Volume\n2024-05-01,1,1,1,1,1\n").unwrap();
    let market = folder(bars.path());
    assert!(market.price_history(&ticker("GONE"), date("2024-05-11")).await.is_ok());
    assert!(market.price_history(&ticker("GONE"), date("2024-05-12")).await.is_err());
}

#[tokio::test]
async fn indicators_have_the_values_of_the_framework() {
    let Some(data) = shared_data() else { return };
    let bars = CsvFolder::new(&data).daily_bars(&ticker("NVDA"), date("2024-05-10").day()).await.unwrap();
    let known = bars.data.bars.into_iter().filter(|bar| bar.bar.date <= date("2024-05-10").day());
    let bars: Vec<Bar> = known.map(|bar| bar.bar).collect();
    // stockstats 0.6.5 on the same unadjusted bars.
    for (name, expected) in [
        ("close_10_ema", 88.409_334),
        ("close_50_sma", 87.6743),
        ("close_200_sma", 60.01209),
        ("rsi", 55.28319),
        ("boll", 85.6922),
        ("boll_ub", 94.042_751),
        ("boll_lb", 77.341_649),
        ("macd", 1.165_908),
        ("macds", 0.569_624),
        ("macdh", 0.596_284),
        ("atr", 3.579_563),
        ("vwma", 86.313_756),
    ] {
        let value = name.parse::<Indicator>().unwrap().series(&bars).last().copied().flatten().unwrap();
        assert!((value / expected - 1.0).abs() < 1e-5, "{name} is {value}, not {expected}");
    }
}

#[test]
fn indicators_have_no_value_while_they_warm_up() {
    let bar = |day: u32| Bar {
        date: date("2024-01-01").day() + chrono::Days::new(day.into()),
        open: 10.0,
        high: 11.0 + f64::from(day),
        low: 9.0,
        close: 10.0 + f64::from(day),
        volume: 100.0,
    };
    for count in 0..60 {
        let bars: Vec<_> = (0..count).map(bar).collect();
        for indicator in Indicator::ALL {
            let series = indicator.series(&bars);
            assert_eq!(series.len(), bars.len());
            let began = series.iter().position(Option::is_some).unwrap_or(series.len());
            assert!(series[began..].iter().all(Option::is_some), "{} has a hole", indicator.name());
        }
        assert_eq!(Indicator::Close50Sma.series(&bars).last().copied().flatten().is_some(), count >= 50);
    }
}
