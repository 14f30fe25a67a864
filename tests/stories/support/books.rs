//! A company's annual statements of two years, as each vendor has them.

use chrono::{Days, NaiveDate};
use serde_json::{Map, Value, json};

use super::{recorded::day, vendors::Reply};

/// Each item by its name at the SEC, at Yahoo and at Alpha Vantage, and whether it is true of a moment.
const ITEMS: [(&str, &str, &str, bool); 8] = [
    ("SalesRevenueNet", "TotalRevenue", "totalRevenue", false),
    ("CostOfRevenue", "CostOfRevenue", "costOfRevenue", false),
    ("NetIncomeLoss", "NetIncome", "netIncome", false),
    ("NetCashProvidedByUsedInOperatingActivities", "OperatingCashFlow", "operatingCashflow", false),
    ("Assets", "TotalAssets", "totalAssets", true),
    ("AssetsCurrent", "CurrentAssets", "totalCurrentAssets", true),
    ("LiabilitiesCurrent", "CurrentLiabilities", "totalCurrentLiabilities", true),
    ("StockholdersEquity", "StockholdersEquity", "totalShareholderEquity", true),
];

/// The items of the year to September 2011 and of the one before.
#[derive(Debug, Clone, Copy)]
pub struct Books {
    last: [f64; 8],
    before: [f64; 8],
}

/// Apple's, in millions of US dollars: all signs are good but the current ratio.
pub const SOUND: Books = Books {
    last: [108_249.0, 64_431.0, 25_922.0, 37_529.0, 116_371.0, 44_988.0, 27_970.0, 76_615.0],
    before: [65_225.0, 39_541.0, 14_013.0, 18_595.0, 75_183.0, 41_678.0, 20_722.0, 47_791.0],
};

/// Those of nobody: a loss, paid for in cash, and everything worse than a year before.
pub const UNSOUND: Books = Books {
    last: [100.0, 95.0, -10.0, -12.0, 120.0, 30.0, 40.0, 20.0],
    before: [120.0, 100.0, 1.0, 2.0, 110.0, 40.0, 40.0, 30.0],
};

impl Books {
    fn years(self) -> [(NaiveDate, [f64; 8]); 2] {
        [(day("2011-09-24"), self.last), (day("2010-09-25"), self.before)]
    }

    /// The facts at the SEC, filed a month after each year. What is filed anew in October 2012 tells another story, and so
    /// does the quarter that ends with a year.
    pub fn sec(self) -> Reply {
        let facts: Map<_, _> = (0..ITEMS.len())
            .map(|item| {
                let (tag, _, _, of_a_moment) = ITEMS[item];
                let fact = |end: NaiveDate, days: u64, value: f64, filed: NaiveDate| {
                    let start = if of_a_moment { Value::Null } else { json!(end - Days::new(days)) };
                    json!({"start": start, "end": end, "val": value, "accn": "x", "form": "10-K", "filed": filed})
                };
                let mut values = Vec::new();
                for (end, items) in self.years() {
                    values.push(fact(end, 363, items[item], end + Days::new(32)));
                    values.push(fact(end, 363, -items[item], day("2012-10-31")));
                    if !of_a_moment {
                        values.push(fact(end, 90, items[item] / 9.0, end + Days::new(32)));
                    }
                }
                (tag.to_owned(), json!({"label": tag, "units": {"USD": values}}))
            })
            .collect();
        Reply::Json(json!({"cik": 320_193, "entityName": "Apple Inc.", "facts": {"us-gaap": facts}}))
    }

    /// Yahoo's time series of all three statements.
    pub fn yahoo(self) -> Reply {
        let series = (0..ITEMS.len()).map(|item| {
            let kind = format!("annual{}", ITEMS[item].1);
            let values = self.years().map(|(end, items)| {
                json!({"asOfDate": end, "periodType": "12M", "currencyCode": "USD",
                       "reportedValue": {"raw": items[item], "fmt": "x"}})
            });
            json!({"meta": {"type": [kind.clone()]}, "timestamp": [1, 2], kind: values})
        });
        Reply::Json(json!({"timeseries": {"result": series.collect::<Vec<_>>()}}))
    }

    /// Alpha Vantage's reports, with the items of all three statements.
    pub fn alpha(self) -> Reply {
        let reports = self.years().map(|(end, items)| {
            let figures =
                ITEMS.iter().zip(items).map(|((_, _, key, _), value)| ((*key).to_owned(), json!(value.to_string())));
            let mut report: Map<_, _> = figures.collect();
            report.insert("fiscalDateEnding".into(), json!(end));
            report.insert("reportedCurrency".into(), json!("USD"));
            report
        });
        Reply::Json(json!({"symbol": "AAPL", "annualReports": reports, "quarterlyReports": []}))
    }
}
