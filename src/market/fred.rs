//! FRED, the economic series of the Federal Reserve Bank of St. Louis: as they were published by the close of the analysis
//! date, not as they were revised later.
//!
//! FRED dates its vintages by the clock of St. Louis, without a time. Most figures appear there in the morning and the
//! daily rates in the afternoon, so a vintage counts as known at 15:00, when the exchange in New York closes; where the
//! instrument's exchange closes earlier, as in Tokyo and London, the vintage of the day before is asked for.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::{America::Chicago as CHICAGO, Tz};
use secrecy::SecretString;
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    Answer, MacroSource, MarketError, Observation, Question, Series, Web, Window,
    source::{Answered, Source},
    web,
};
use crate::domain::Vendor;

const VENDOR: Vendor = Vendor::Fred;
const NAME: &str = "fred";

/// Common names, and the series that they stand for.
const ALIASES: [(&[&str], &str); 23] = [
    (&["fed_funds_rate", "federal_funds_rate", "fed_funds"], "FEDFUNDS"),
    (&["2y_treasury"], "DGS2"),
    (&["10y_treasury"], "DGS10"),
    (&["30y_treasury"], "DGS30"),
    (&["10y_2y_spread", "yield_curve"], "T10Y2Y"),
    (&["cpi"], "CPIAUCSL"),
    (&["core_cpi"], "CPILFESL"),
    (&["pce"], "PCEPI"),
    (&["core_pce"], "PCEPILFE"),
    (&["inflation_expectations"], "T10YIE"),
    (&["real_gdp"], "GDPC1"),
    (&["gdp"], "GDP"),
    (&["industrial_production"], "INDPRO"),
    (&["unemployment", "unemployment_rate"], "UNRATE"),
    (&["payrolls", "nonfarm_payrolls"], "PAYEMS"),
    (&["initial_claims"], "ICSA"),
    (&["m2", "money_supply"], "M2SL"),
    (&["vix"], "VIXCLS"),
    (&["dollar_index"], "DTWEXBGS"),
    (&["consumer_sentiment"], "UMCSENT"),
    (&["housing_starts"], "HOUST"),
    (&["retail_sales"], "RSAFS"),
    (&["oil", "wti"], "DCOILWTICO"),
];

/// FRED.
pub struct Fred {
    web: Arc<Web>,
    key: Option<SecretString>,
}

#[derive(Deserialize)]
struct About {
    seriess: Vec<Description>,
}

#[derive(Deserialize)]
struct Description {
    title: String,
    units: String,
    frequency: String,
}

#[derive(Deserialize)]
struct Values {
    observations: Vec<Value>,
}

#[derive(Deserialize)]
struct Value {
    date: NaiveDate,
    /// The first day of the vintage that has this value.
    realtime_start: Option<NaiveDate>,
    /// A number, or a point where there is none.
    #[serde(rename = "value")]
    number: String,
}

#[derive(Deserialize)]
struct Refusal {
    error_message: String,
}

impl Fred {
    pub fn new(web: Arc<Web>, key: Option<SecretString>) -> Self {
        Self { web, key }
    }

    fn question(&self, url: &str, id: &str, window: Window) -> Result<Question, MarketError> {
        let missing = MarketError::NotConfigured { vendor: NAME, setting: "FRED_API_KEY" };
        let key = self.key.as_ref().ok_or(missing)?;
        let vintage = vintage(window.cutoff().close).min(Utc::now().with_timezone(&CHICAGO).date_naive()).to_string();
        let query = [
            ("series_id", id.to_owned()),
            ("file_type", "json".into()),
            // The vintage: what was published on that day.
            ("realtime_start", vintage.clone()),
            ("realtime_end", vintage),
        ];
        Ok(Question::new(VENDOR, url).query(query).secret("api_key", key).keep(web::lifetime(window.last)))
    }
}

impl Source for Fred {
    fn name(&self) -> &'static str {
        NAME
    }
}

#[async_trait]
impl MacroSource for Fred {
    async fn series(&self, indicator: &str, window: Window) -> Answered<Series> {
        let id = id_of(indicator)?;
        let about = self.question("https://api.stlouisfed.org/fred/series", &id, window)?;
        let about = self.web.ask(&about, |answer| read::<About>(answer, &id)).await?.data;
        let values = self
            .question("https://api.stlouisfed.org/fred/series/observations", &id, window)?
            .query([("observation_start", window.first.to_string()), ("observation_end", window.last.to_string())]);
        let nothing = || MarketError::NoData { vendor: NAME, what: format!("values of {id} from {window}") };
        let values = self.web.ask(&values, |answer| {
            let values = observations(read::<Values>(answer, &id)?);
            if values.is_empty() { Err(nothing()) } else { Ok(values) }
        });
        let values = values.await?;
        let about = about.seriess.into_iter().next().ok_or_else(nothing)?;
        let Description { title, units, frequency } = about;
        Ok(values.map(|observations| Series { id, title, units, frequency, observations }))
    }
}

/// The hour of St. Louis from which on the vintage of a day counts as known.
const KNOWN_FROM_HOUR: u32 = 15;

/// The latest vintage that was known at the close.
fn vintage(close: DateTime<Utc>) -> NaiveDate {
    let local = close.with_timezone::<Tz>(&CHICAGO);
    let day = local.date_naive();
    if local.hour() >= KNOWN_FROM_HOUR { day } else { day.pred_opt().unwrap_or(day) }
}

/// From when on the vintage of a day counts as known.
fn known_from(vintage: NaiveDate) -> DateTime<Utc> {
    let local = vintage.and_time(chrono::NaiveTime::MIN) + TimeDelta::hours(KNOWN_FROM_HOUR.into());
    CHICAGO.from_local_datetime(&local).earliest().map_or_else(|| local.and_utc(), |time| time.to_utc())
}

fn id_of(indicator: &str) -> Result<String, MarketError> {
    let name = indicator.trim().to_lowercase().replace([' ', '-'], "_");
    if let Some((_, id)) = ALIASES.iter().find(|(names, _)| names.contains(&name.as_str())) {
        return Ok((*id).into());
    }
    let is_id = (1..=30).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_id {
        return Ok(name.to_uppercase());
    }
    let names: Vec<_> = ALIASES.iter().map(|(names, _)| names[0]).collect();
    let what = format!("series {indicator:?}; give a FRED id such as DGS10, or one of {}", names.join(", "));
    Err(MarketError::NoData { vendor: NAME, what })
}

fn read<T: DeserializeOwned>(answer: &Answer, id: &str) -> Result<T, MarketError> {
    if answer.status != 400 {
        return answer.json(VENDOR);
    }
    let refusal = serde_json::from_slice(&answer.body).map(|refusal: Refusal| refusal.error_message);
    let message = refusal.unwrap_or_default();
    if message.contains("api_key") {
        return Err(MarketError::NotConfigured { vendor: NAME, setting: "FRED_API_KEY (it refuses the one it has)" });
    }
    // "The series does not exist in ALFRED but may exist in FRED."
    if message.contains("ALFRED") {
        let what = format!(
            "vintages of {id}: only its current values are kept, which may have been revised since, so it can't be shown as \
             of a past date; ask for another series"
        );
        return Err(MarketError::NoData { vendor: NAME, what });
    }
    Err(MarketError::NoData { vendor: NAME, what: format!("series {id}: {message}") })
}

fn observations(values: Values) -> Vec<Observation> {
    let known = values.observations.into_iter();
    let observation = |value: Value| {
        let number = value.number.parse().ok().filter(|number: &f64| number.is_finite())?;
        Some(Observation { date: value.date, value: number, published: value.realtime_start.map(known_from) })
    };
    known.filter_map(observation).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vintage_is_that_of_saint_louis_at_the_close() {
        for (close, day) in [
            // New York, in summer and in winter, and on a half day.
            ("2024-05-10T20:00:00Z", "2024-05-10"),
            ("2024-01-10T21:00:00Z", "2024-01-10"),
            ("2024-11-29T18:00:00Z", "2024-11-28"),
            // Tokyo, London, a crypto-currency.
            ("2024-05-10T06:00:00Z", "2024-05-09"),
            ("2024-05-10T15:30:00Z", "2024-05-09"),
            ("2024-05-11T00:00:00Z", "2024-05-10"),
        ] {
            let close: DateTime<Utc> = close.parse().unwrap();
            assert_eq!(vintage(close).to_string(), day, "{close}");
            assert!(known_from(vintage(close)) <= close);
        }
    }

    #[test]
    fn a_series_without_vintages_says_so() {
        let body = r#"{"error_code":400,"error_message":"Bad Request.  The series does not exist in ALFRED but may exist in FRED."}"#;
        let answer = Answer { status: 400, body: body.into(), cookies: Vec::new() };
        let error = read::<About>(&answer, "SP500").err().unwrap().to_string();
        assert!(error.contains("vintages of SP500") && error.contains("another series"), "{error}");
    }
}
