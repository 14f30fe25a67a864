//! FRED, the economic series of the Federal Reserve Bank of St. Louis: as they were published at the analysis date, not
//! as they were revised later.

use std::sync::Arc;

use async_trait::async_trait;
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
    date: chrono::NaiveDate,
    /// A number, or a point where there is none.
    value: String,
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
        let last = window.last.to_string();
        let query = [
            ("series_id", id.to_owned()),
            ("file_type", "json".into()),
            // The vintage: what was published on that day.
            ("realtime_start", last.clone()),
            ("realtime_end", last),
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
    Err(MarketError::NoData { vendor: NAME, what: format!("series {id}: {message}") })
}

fn observations(values: Values) -> Vec<Observation> {
    let known = values.observations.into_iter();
    known.filter_map(|value| Some(Observation { date: value.date, value: value.value.parse().ok()? })).collect()
}
