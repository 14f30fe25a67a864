//! Company figures, from the vendors at the wire to the prompt of the fundamentals analyst.

use chrono::NaiveDate;
use serde_json::{Value, json};

use crate::support::{
    filings::{Filing, file},
    program::Sandbox,
    recorded::{self, day, today},
    vendors::{FakeVendors, Reply},
};

const CHART: &str = "query2.finance.yahoo.com/v8/finance/chart";
const USD: &str = "USD";

/// Vendors with a year of daily closes up to the date, the last of them 499.
async fn vendors(date: NaiveDate, splits: &[(NaiveDate, u32)]) -> FakeVendors {
    let fake = FakeVendors::start().await;
    fake.answers(CHART, recorded::yahoo_chart(date, 400, splits));
    fake
}

/// Everything that the fundamentals analyst reads of a company on a date.
async fn reads(fake: &FakeVendors, date: NaiveDate, vendors: &str) -> String {
    let sandbox = Sandbox::new()
        .set("VENDOR_GATEWAY", fake.url())
        .set("LLM_PROVIDER", "rules")
        .set("FUNDAMENTAL_VENDORS", vendors)
        .set("CONTACT_EMAIL", "a@example.com");
    let date = date.to_string();
    let run = sandbox.run(&["analyze", "AAPL", "--date", &date, "--analysts", "fundamentals", "--json"]).await;
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let result: Value = serde_json::from_str(run.stdout.lines().last().unwrap()).unwrap();
    let steps = result["steps"].as_array().unwrap();
    let analyst = steps.iter().find(|step| step["agent"] == "fundamentals_analyst").unwrap();
    let messages = analyst["messages"].as_array().unwrap();
    messages.iter().map(said).collect::<Vec<_>>().join("\n")
}

/// All texts in a message.
fn said(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text}\n"),
        Value::Array(inner) => inner.iter().map(said).collect(),
        Value::Object(inner) => inner.values().map(said).collect(),
        _ => String::new(),
    }
}

/// The row of a table whose heading begins so; empty if there is none.
fn row<'a>(text: &'a str, table: &str, name: &str) -> Vec<&'a str> {
    let section = text.split("## ").find(|section| section.starts_with(table)).unwrap_or_default();
    let row = section.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(','));
    row.map_or_else(Vec::new, |row| row.split(',').collect())
}

/// An annual report, and a quarterly one that was accepted two minutes after the close.
fn after_hours() -> [Filing; 2] {
    let annual = Filing::new("10-K", "2024-03-13").accepted("2024-03-13T11:04:10.000Z");
    let quarterly = Filing::new("10-Q", "2024-05-31").accepted("2024-05-31T20:02:15.000Z");
    [
        annual.has("us-gaap:Revenues", USD, "2023-01-29", "2024-02-03", 5507.0),
        quarterly.has("us-gaap:Revenues", USD, "2024-02-04", "2024-05-04", 1160.0),
    ]
}

#[tokio::test]
async fn a_filing_after_the_close_counts_from_the_next_trading_day_and_its_date_is_said() {
    let friday = day("2024-05-31");
    let fake = vendors(friday, &[]).await;
    file(&fake, "AAPL", &after_hours());
    let text = reads(&fake, friday, "sec_edgar").await;
    assert!(!text.contains("1160") && row(&text, "Income statement, years", "Revenue") == ["5507"], "{text}");
    assert!(text.contains("accepted at 2024-05-31 16:02 New York time, after the close. It counts from 2024-06-03"));

    let monday = day("2024-06-03");
    let fake = vendors(monday, &[]).await;
    file(&fake, "AAPL", &after_hours());
    let text = reads(&fake, monday, "sec_edgar").await;
    assert_eq!(row(&text, "Income statement, quarters", "Revenue"), ["1160"]);
    assert_eq!(row(&text, "Income statement, quarters", "Known on"), ["2024-06-03"]);
}

#[tokio::test]
async fn two_currencies_are_one_statement_and_ten_runs_read_the_same() {
    let date = day("2022-06-01");
    let fake = vendors(date, &[]).await;
    let mut report = Filing::new("20-F", "2022-04-13");
    for (tag, twd, usd) in [("ifrs-full:Revenue", 1587.0, 57.2), ("ifrs-full:ProfitLoss", 592.0, 21.3)] {
        report = report.has(tag, "TWD", "2021-01-01", "2021-12-31", twd);
        report = report.has(tag, USD, "2021-01-01", "2021-12-31", usd);
    }
    file(&fake, "AAPL", &[report]);
    let first = reads(&fake, date, "sec_edgar").await;
    let cell = |name| row(&first, "Income statement, years", name);
    assert_eq!([cell("Currency"), cell("Revenue"), cell("Net income")], [["TWD"], ["1587"], ["592.00"]]);
    assert!(first.contains("Currencies: price USD, statements TWD"), "{first}");
    let without_times = |text: &str| {
        text.split("retrieved at").map(|part| part.get(24..).unwrap_or(part).to_owned()).collect::<Vec<_>>()
    };
    for _ in 0..9 {
        let again = reads(&fake, date, "sec_edgar").await;
        assert_eq!(without_times(&again), without_times(&first));
    }
}

#[tokio::test]
async fn years_are_fiscal_years_and_quarters_of_cash_flow_are_derived() {
    let date = day("2024-05-10");
    let fake = vendors(date, &[]).await;
    let cash = "us-gaap:NetCashProvidedByUsedInOperatingActivities";
    let assets = "us-gaap:Assets";
    file(
        &fake,
        "AAPL",
        &[
            Filing::new("10-K", "2023-11-03").has(cash, USD, "2022-09-25", "2023-09-30", 110_500.0).has(
                assets,
                USD,
                "",
                "2023-09-30",
                352_000.0,
            ),
            Filing::new("10-Q", "2024-02-02").has(cash, USD, "2023-10-01", "2023-12-30", 39_900.0).has(
                assets,
                USD,
                "",
                "2023-12-30",
                353_000.0,
            ),
            Filing::new("10-Q", "2024-05-03").has(cash, USD, "2023-10-01", "2024-03-30", 62_600.0).has(
                assets,
                USD,
                "",
                "2024-03-30",
                337_000.0,
            ),
        ],
    );
    let text = reads(&fake, date, "sec_edgar").await;
    assert_eq!(row(&text, "Balance sheet, years", "Period end"), ["2023-09-30"]);
    assert_eq!(row(&text, "Balance sheet, quarters", "Total assets"), ["337000", "353000", "352000"]);
    assert_eq!(row(&text, "Cash flow, quarters", "Operating cash flow"), ["22700 (derived)", "39900"]);
    assert!(text.contains("differences of filed figures of the year to date"), "{text}");
}

#[tokio::test]
async fn filed_shares_are_those_of_the_price_and_multiples_follow_from_them() {
    let (split, date) = (day("2024-06-10"), day("2024-06-12"));
    let fake = vendors(date, &[(split, 10)]).await;
    let annual = Filing::new("10-K", "2024-02-21")
        .has("us-gaap:Revenues", USD, "2023-01-30", "2024-01-28", 998_000.0)
        .has("us-gaap:NetIncomeLoss", USD, "2023-01-30", "2024-01-28", 499_000.0)
        .has("us-gaap:EarningsPerShareDiluted", "USD/shares", "2023-01-30", "2024-01-28", 11.93)
        .has("us-gaap:StockholdersEquity", USD, "", "2024-01-28", 99_800.0)
        .has("us-gaap:Assets", USD, "", "2024-01-28", 200_000.0)
        .has("dei:EntityCommonStockSharesOutstanding", "shares", "", "2024-02-16", 1000.0);
    file(&fake, "AAPL", &[annual]);
    let text = reads(&fake, date, "sec_edgar").await;
    assert_eq!(row(&text, "Income statement, years", "Diluted earnings per share"), ["1.19"]);
    assert!(text.contains("- Shares outstanding: 10000 on 2024-02-16, filed on 2024-02-21 as 1000"), "{text}");
    assert!(text.contains("the 10:1 split of 2024-06-10 are restated for it"), "{text}");
    for line in [
        "- Market value: 4990000 USD (close of 2024-06-12 499.00 USD x 10000",
        "- P/E: 10.00 =",
        "- P/S: 5.00",
        "- P/B: 50.00",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    assert!(text.contains("| Price to earnings | up | the price is 10.0 times"), "the rules read it: {text}");

    let before = day("2024-06-07");
    let fake = vendors(before, &[(split, 10)]).await;
    let annual = Filing::new("10-K", "2024-02-21")
        .has("us-gaap:NetIncomeLoss", USD, "2023-01-30", "2024-01-28", 499_000.0)
        .has("us-gaap:EarningsPerShareDiluted", "USD/shares", "2023-01-30", "2024-01-28", 11.93);
    file(&fake, "AAPL", &[annual]);
    let text = reads(&fake, before, "sec_edgar").await;
    assert_eq!(row(&text, "Income statement, years", "Diluted earnings per share"), ["11.93"]);
    assert!(!text.contains("10:1"), "the split was not known yet: {text}");
}

#[tokio::test]
async fn yahoos_figures_per_share_are_those_of_the_analysis_date() {
    let before = day("2024-03-29");
    let fake = vendors(before, &[(day("2024-06-10"), 10)]).await;
    let value = json!([{"asOfDate": "2023-12-31", "periodType": "12M", "currencyCode": "USD", "reportedValue": {"raw": 1.193}}]);
    let series = json!({"timeseries": {"result": [{"annualDilutedEPS": value}]}});
    fake.answers("query2.finance.yahoo.com/ws/fundamentals-timeseries", Reply::Json(series));
    let text = reads(&fake, day("2024-04-05"), "yahoo").await;
    assert_eq!(row(&text, "Income statement, years", "Diluted earnings per share"), ["11.93"], "{text}");
    assert!(!text.contains("10:1"), "{text}");
}

#[tokio::test]
async fn a_profile_names_two_currencies_and_no_number_that_is_none() {
    let fake = vendors(today(), &[]).await;
    let summary = json!({"quoteSummary": {"error": null, "result": [{
        "quoteType": {"longName": "Example"},
        "summaryDetail": {"marketCap": 341, "trailingPE": "Infinity", "beta": "NaN", "currency": "GBp"},
        "financialData": {"totalRevenue": 981, "financialCurrency": "CNY"}
    }]}});
    fake.answers("fc.yahoo.com", Reply::Status(404, ""))
        .answers("query1.finance.yahoo.com/v1/test/getcrumb", Reply::Text("crumb".into()))
        .answers("query2.finance.yahoo.com/v10/finance/quoteSummary", Reply::Json(summary));
    let text = reads(&fake, today(), "yahoo").await;
    for line in ["- Market capitalisation: 341 GBP", "- Revenue, trailing: 981 CNY", "Prices are in GBp"] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    assert!(!text.contains("Infinity") && !text.contains("NaN"), "{text}");
}
