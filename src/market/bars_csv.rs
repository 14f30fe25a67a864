//! Daily bars as CSV: a header, then one row per trading day.
//!
//! Columns are `date, open, high, low, close, adj_close, volume` in any order and case; `Adj Close` is read as well. Without
//! adjusted closes the closes stand for them. A column `currency` names the currency of the prices.

use std::{fmt::Write, io::Read};

use chrono::NaiveDate;

use super::{Bar, DailyBars, PriceCurrency, VendorBar};

/// Where each field of a bar stands in a row.
struct Columns {
    date: usize,
    open: usize,
    high: usize,
    low: usize,
    close: usize,
    adj_close: Option<usize>,
    volume: usize,
    currency: Option<usize>,
}

/// Reads bars, sorted by date. The error names the line and what is wrong with it.
pub fn read(source: impl Read) -> Result<DailyBars, String> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(source);
    let columns = Columns::find(reader.headers().map_err(|e| e.to_string())?)?;
    let (mut bars, mut currency) = (Vec::new(), None);
    for record in reader.records() {
        let record = record.map_err(|e| e.to_string())?;
        let line = record.position().map_or(0, csv::Position::line);
        bars.push(columns.bar(&record).map_err(|problem| format!("line {line}: {problem}"))?);
        currency = columns.currency.and_then(|column| PriceCurrency::new(record.get(column)?)).or(currency);
    }
    bars.sort_by_key(|bar| bar.bar.date);
    match bars.windows(2).find(|pair| pair[0].bar.date == pair[1].bar.date) {
        Some(twice) => Err(format!("{} is there twice", twice[0].bar.date)),
        None if bars.is_empty() => Err("it has no rows".into()),
        None => Ok(DailyBars { bars, currency, splits: Vec::new() }),
    }
}

/// Writes bars; prices to a millionth, which is finer than any vendor's, and small ones to seven significant digits.
pub fn write(bars: &[Bar]) -> String {
    let mut text = String::from("date,open,high,low,close,volume\n");
    for Bar { date, open, high, low, close, volume } in bars {
        let [open, high, low, close] = [open, high, low, close].map(|price| rounded(*price));
        // Writing to a String can't fail.
        let _ = writeln!(text, "{date},{open},{high},{low},{close},{volume:.0}");
    }
    text
}

fn rounded(price: f64) -> f64 {
    // Parsing what was written gives the nearest number, which prints without further digits.
    let text = if price >= 1.0 { format!("{price:.6}") } else { format!("{price:.6e}") };
    text.parse().unwrap_or(price)
}

impl Columns {
    fn find(header: &csv::StringRecord) -> Result<Self, String> {
        let names: Vec<_> = header.iter().map(|name| name.to_lowercase().replace([' ', '_'], "")).collect();
        let find = |name: &str| names.iter().position(|n| n == name);
        let need = |name: &str| {
            find(name).ok_or_else(|| format!("no column {name}; it needs date, open, high, low, close, volume"))
        };
        Ok(Self {
            date: need("date")?,
            open: need("open")?,
            high: need("high")?,
            low: need("low")?,
            close: need("close")?,
            adj_close: find("adjclose"),
            volume: need("volume")?,
            currency: find("currency"),
        })
    }

    fn bar(&self, record: &csv::StringRecord) -> Result<VendorBar, String> {
        let text = |column: usize| record.get(column).unwrap_or_default();
        let number = |name: &str, column: usize| match text(column).parse::<f64>() {
            Ok(number) if number.is_finite() && number >= 0.0 => Ok(number),
            _ => Err(format!("{name} {:?} is not a number of at least 0", text(column))),
        };
        let bar = Bar {
            date: NaiveDate::parse_from_str(text(self.date), "%Y-%m-%d")
                .map_err(|_| format!("date {:?} is not a date such as 2024-05-10", text(self.date)))?,
            open: number("open", self.open)?,
            high: number("high", self.high)?,
            low: number("low", self.low)?,
            close: number("close", self.close)?,
            volume: number("volume", self.volume)?,
        };
        let adj_close = match self.adj_close {
            Some(column) if text(column).is_empty() => None,
            Some(column) => Some(number("adj_close", column)?),
            None => Some(bar.close),
        };
        if bar.low <= 0.0 || adj_close.is_some_and(|price| price <= 0.0) {
            return Err("a price is 0".into());
        }
        if bar.low > bar.high {
            return Err(format!("low {} is above high {}", bar.low, bar.high));
        }
        Ok(VendorBar { bar, adj_close })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        read(text.as_bytes()).unwrap_err()
    }

    #[test]
    fn columns_are_found_by_name_and_rows_are_sorted() {
        let bars = read(
            "Date,Close,Open,High,Low,Volume,Adj Close\n2024-01-03,2,2,3,1,10,1\n2024-01-02,1,1,1,1,5,0.5\n".as_bytes(),
        )
        .unwrap();
        assert_eq!(bars.bars[0].bar.date.to_string(), "2024-01-02");
        assert_eq!((bars.bars[1].bar.high, bars.bars[1].adj_close), (3.0, Some(1.0)));
    }

    #[test]
    fn a_currency_and_a_missing_adjusted_close_are_read() {
        let text = "date,open,high,low,close,adj_close,volume,currency\n2024-01-02,1,1,1,1,,5,GBp\n";
        let bars = read(text.as_bytes()).unwrap();
        assert_eq!(bars.currency, PriceCurrency::new("GBp"));
        assert_eq!(bars.bars[0].adj_close, None);
    }

    #[test]
    fn small_prices_keep_their_digits() {
        let bar =
            Bar { date: NaiveDate::MIN, open: 2.478_761e-5, high: 0.1, low: 1e-8, close: 123.456_789_1, volume: 0.0 };
        assert!(write(&[bar]).ends_with(",0.00002478761,0.1,0.00000001,123.456789,0\n"), "{}", write(&[bar]));
    }

    #[test]
    fn bars_that_are_written_are_read_again() {
        let bars = read("date,open,high,low,close,volume\n2024-01-02,1.25,2,0.5,1.1,5000000\n".as_bytes()).unwrap();
        let text = write(&[bars.bars[0].bar]);
        assert_eq!(text, "date,open,high,low,close,volume\n2024-01-02,1.25,2,0.5,1.1,5000000\n");
        assert_eq!(read(text.as_bytes()).unwrap(), bars);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let header = "date,open,high,low,close,volume\n";
        for (rows, words) in [
            ("2024-01-02,1,1,1,x,5\n", r#"line 2: close "x" is not a number"#),
            ("2024-01-02,1,1,1,NaN,5\n", r#"line 2: close "NaN" is not a number"#),
            ("2024-13-02,1,1,1,1,5\n", r#"line 2: date "2024-13-02" is not a date"#),
            ("2024-01-02,1,1,2,1,5\n", "line 2: low 2 is above high 1"),
            ("2024-01-02,0,0,0,0,5\n", "line 2: a price is 0"),
            ("2024-01-02,1,1,1,1,5\n2024-01-02,1,1,1,1,5\n", "2024-01-02 is there twice"),
            ("", "it has no rows"),
        ] {
            let problem = problem(&format!("{header}{rows}"));
            assert!(problem.contains(words), "{problem}");
        }
        assert!(problem("date,open\n").contains("no column high"));
    }
}
