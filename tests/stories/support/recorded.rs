//! Answers in the shape in which each vendor gives them, cut down to what matters.

use chrono::{DateTime, Days, NaiveDate, Utc};
use serde_json::{Map, Value, json};

use super::vendors::Reply;

/// The day on which a test runs: what only the present has, there is only of that day.
pub fn today() -> NaiveDate {
    Utc::now().date_naive()
}

pub fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn at(day: NaiveDate, hour: u32) -> DateTime<Utc> {
    day.and_hms_opt(hour, 30, 0).unwrap().and_utc()
}

/// Yahoo's chart: a bar for each of `days` days up to `last`, closes counted from 100, and splits.
pub fn yahoo_chart(last: NaiveDate, days: u64, splits: &[(NaiveDate, u32)]) -> Reply {
    let dates: Vec<_> = (0..days).rev().map(|back| last - Days::new(back)).collect();
    let closes: Vec<f64> = (0..days).map(|n| 100.0 + f64::from(u32::try_from(n).unwrap())).collect();
    let of = |change: f64| closes.iter().map(|close| json!(close + change)).collect::<Vec<_>>();
    let splits: Map<_, _> = splits
        .iter()
        .map(|(day, ratio)| {
            let epoch = at(*day, 13).timestamp();
            (epoch.to_string(), json!({"date": epoch, "numerator": ratio, "denominator": 1, "splitRatio": "n:1"}))
        })
        .collect();
    Reply::Json(json!({"chart": {"error": null, "result": [{
        "meta": {"symbol": "AAPL", "currency": "USD", "gmtoffset": -14400, "longName": "Apple Inc."},
        "timestamp": dates.iter().map(|day| at(*day, 13).timestamp()).collect::<Vec<_>>(),
        "events": {"splits": splits},
        "indicators": {
            "quote": [{"open": of(-0.5), "high": of(1.0), "low": of(-1.0), "close": of(0.0),
                       "volume": vec![1000; dates.len()]}],
            "adjclose": [{"adjclose": of(0.0)}]
        }
    }]}}))
}

pub fn yahoo_unknown() -> Value {
    json!({"chart": {"result": null, "error": {"code": "Not Found", "description": "No data found, symbol may be delisted"}}})
}

/// Yahoo's search, which finds Apple and these articles.
pub fn yahoo_search(articles: &[(NaiveDate, &str)]) -> Reply {
    let news: Vec<_> = articles
        .iter()
        .map(|(day, title)| {
            json!({"uuid": "u", "title": title, "publisher": "Reuters", "link": "https://example.com/a",
                   "providerPublishTime": at(*day, 15).timestamp(), "type": "STORY"})
        })
        .collect();
    Reply::Json(json!({"news": news, "quotes": [{
        "symbol": "AAPL", "longname": "Apple Inc.", "shortname": "Apple Inc.", "exchDisp": "NASDAQ",
        "quoteType": "EQUITY", "sector": "Technology", "industry": "Consumer Electronics"
    }]}))
}

/// Yahoo's stream of articles on a symbol, with an advertisement and something odd in it.
pub fn yahoo_news(articles: &[(NaiveDate, &str)]) -> Reply {
    let mut stream: Vec<_> = articles
        .iter()
        .map(|(day, title)| {
            json!({"content": {"title": title, "summary": "What happened.", "pubDate": at(*day, 12).to_rfc3339(),
                               "provider": {"displayName": "Bloomberg"},
                               "canonicalUrl": {"url": "https://example.com/n"}}})
        })
        .collect();
    stream.push(json!({"ad": [{"what": "buy"}]}));
    stream.push(json!({"content": {"title": null, "pubDate": "soon"}}));
    Reply::Json(json!({"data": {"tickerStream": {"stream": stream}}}))
}

/// Yahoo's summary of a company.
pub fn yahoo_summary(trade: NaiveDate) -> Reply {
    Reply::Json(json!({"quoteSummary": {"error": null, "result": [{
        "quoteType": {"longName": "Apple Inc."},
        "summaryDetail": {"trailingPE": 31.5, "marketCap": 3_400_000_000_000_u64},
        "financialData": {"returnOnEquity": {"raw": 1.47, "fmt": "147 %"}},
        "insiderTransactions": {"transactions": [{
            "filerName": "COOK TIMOTHY D", "filerRelation": "Chief Executive Officer",
            "transactionText": "Sale at price 190.00 per share.", "startDate": at(trade, 0).timestamp(),
            "shares": 50000, "value": 9_500_000
        }]}
    }]}}))
}

/// Yahoo's quarterly revenue by the end of the quarter.
pub fn yahoo_timeseries(revenue: &[(NaiveDate, f64)]) -> Reply {
    let values: Vec<_> = revenue
        .iter()
        .map(|(end, value)| {
            json!({"asOfDate": end, "periodType": "3M", "currencyCode": "USD", "reportedValue": {"raw": value, "fmt": "x"}})
        })
        .collect();
    Reply::Json(json!({"timeseries": {"result": [
        {"meta": {"type": ["quarterlyTotalRevenue"]}, "timestamp": [1], "quarterlyTotalRevenue": values},
        {"meta": {"type": ["quarterlyEBITDA"]}}
    ]}}))
}

/// The feed of Google's search.
pub fn google_feed(articles: &[(NaiveDate, &str)]) -> Reply {
    let items: Vec<String> = articles
        .iter()
        .map(|(day, title)| {
            let published = at(*day, 9).to_rfc2822();
            format!(
                "<item><title>{title} - The Wall Street Journal</title><link>https://news.google.com/rss/articles/x</link>\
                 <guid isPermaLink=\"false\">{title}</guid><pubDate>{published}</pubDate>\
                 <description>&lt;a href=\"https://x\"&gt;{title}&lt;/a&gt;</description>\
                 <source url=\"https://www.wsj.com\">The Wall Street Journal</source></item>"
            )
        })
        .collect();
    Reply::Text(format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><rss version=\"2.0\"><channel><title>Google News</title>\
         <link>https://news.google.com</link><description>Google News</description>{}</channel></rss>",
        items.concat()
    ))
}

/// The feed of Reddit's search.
pub fn reddit_feed(posts: &[(NaiveDate, &str)]) -> Reply {
    let entries: Vec<String> = posts
        .iter()
        .map(|(day, title)| {
            let written = at(*day, 8).to_rfc3339();
            format!(
                "<entry><author><name>/u/someone</name></author><category term=\"stocks\" label=\"r/stocks\"/>\
                 <content type=\"html\">&lt;div class=\"md\"&gt;&lt;p&gt;Calls &amp;amp; puts&lt;/p&gt;&lt;/div&gt;</content>\
                 <id>t3_{title}</id><link href=\"https://www.reddit.com/r/stocks/comments/x\"/>\
                 <updated>{written}</updated><published>{written}</published><title>{title}</title></entry>"
            )
        })
        .collect();
    Reply::Text(format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><feed xmlns=\"http://www.w3.org/2005/Atom\">\
         <id>/r/stocks/search.rss</id><title>stocks: search results</title>{}</feed>",
        entries.concat()
    ))
}

/// StockTwits' stream of a symbol.
pub fn stocktwits(messages: &[(NaiveDate, &str, Option<&str>)]) -> Reply {
    let messages: Vec<_> = messages
        .iter()
        .map(|(day, body, mood)| {
            let sentiment = mood.map_or(Value::Null, |mood| json!({"basic": mood}));
            json!({"id": 1, "body": body, "created_at": at(*day, 7).to_rfc3339(), "entities": {"sentiment": sentiment}})
        })
        .collect();
    Reply::Json(json!({"response": {"status": 200}, "messages": messages}))
}

/// Polymarket's search.
pub fn polymarket(question: &str, ends: NaiveDate) -> Reply {
    Reply::Json(json!({"events": [{"title": "Fed", "markets": [
        {"question": question, "closed": false, "endDate": at(ends, 0).to_rfc3339(), "outcomes": "[\"Yes\", \"No\"]",
         "outcomePrices": "[\"0.375\", \"0.625\"]", "volumeNum": 1234.5, "oneWeekPriceChange": -0.05},
        {"question": "Settled already?", "closed": true, "outcomes": "[\"Yes\", \"No\"]", "outcomePrices": "[\"1\", \"0\"]"}
    ]}]}))
}

/// FRED's description of a series.
pub fn fred_series() -> Reply {
    Reply::Json(json!({"seriess": [{
        "id": "FEDFUNDS", "title": "Federal Funds Effective Rate", "units": "Percent", "frequency": "Monthly"
    }]}))
}

/// FRED's values of a series.
pub fn fred_observations(values: &[(NaiveDate, &str)]) -> Reply {
    let observations: Vec<_> = values.iter().map(|(date, value)| json!({"date": date, "value": value})).collect();
    Reply::Json(json!({"observations": observations}))
}

/// The SEC's list of companies.
pub fn sec_tickers() -> Reply {
    Reply::Json(json!({
        "0": {"cik_str": 320_193, "ticker": "AAPL", "title": "Apple Inc."},
        "1": {"cik_str": 1_067_983, "ticker": "BRK-B", "title": "BERKSHIRE HATHAWAY INC"}
    }))
}

/// The SEC's facts of a company: (start, end, value, filed) of its net income, and its shares.
pub fn sec_facts(net_income: &[(&str, &str, f64, &str)]) -> Reply {
    let values: Vec<_> = net_income
        .iter()
        .map(|(start, end, val, filed)| {
            json!({"start": start, "end": end, "val": val, "accn": "x", "fy": 2023, "fp": "Q1",
                                                "form": "10-Q", "filed": filed})
        })
        .collect();
    Reply::Json(json!({"cik": 320_193, "entityName": "Apple Inc.", "facts": {
        "dei": {"EntityCommonStockSharesOutstanding": {"label": "x", "units": {"shares": [
            {"end": "2024-01-19", "val": 15_441_881_000_u64, "filed": "2024-02-02"},
            {"end": "2024-07-19", "val": 15_204_137_000_u64, "filed": "2024-08-02"}
        ]}}},
        "us-gaap": {"NetIncomeLoss": {"label": "Net income", "units": {"USD": values}}}
    }}))
}

/// Alpha Vantage's daily bars.
pub fn alpha_daily(last: NaiveDate, days: u64) -> Reply {
    let bars: Map<_, _> = (0..days)
        .map(|back| {
            let bar = json!({"1. open": "9.0", "2. high": "11.0", "3. low": "8.0", "4. close": "10.0",
                             "5. adjusted close": "10.0", "6. volume": "500", "7. dividend amount": "0.0",
                             "8. split coefficient": "1.0"});
            ((last - Days::new(back)).to_string(), bar)
        })
        .collect();
    Reply::Json(json!({"Meta Data": {"2. Symbol": "AAPL"}, "Time Series (Daily)": bars}))
}

/// Alpha Vantage's articles.
pub fn alpha_news(articles: &[(NaiveDate, &str)]) -> Reply {
    let feed: Vec<_> = articles
        .iter()
        .map(|(day, title)| {
            json!({"title": title, "url": "https://x", "time_published": day.format("%Y%m%dT103000").to_string(),
                   "summary": "In short.", "source": "Benzinga", "overall_sentiment_label": "Somewhat-Bullish"})
        })
        .collect();
    Reply::Json(json!({"items": "1", "feed": feed}))
}

/// Alpha Vantage's income statements.
pub fn alpha_income(quarters: &[(NaiveDate, &str)]) -> Reply {
    let reports: Vec<_> = quarters
        .iter()
        .map(|(end, revenue)| json!({"fiscalDateEnding": end, "reportedCurrency": "USD", "totalRevenue": revenue, "ebitda": "None"}))
        .collect();
    Reply::Json(json!({"symbol": "AAPL", "annualReports": [], "quarterlyReports": reports}))
}
