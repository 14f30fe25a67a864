//! What a client asks for.

use chrono::{DateTime, Utc};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, Error as _},
};
use serde_json::{Map, Value};
use url::Url;

use super::{ModelName, NewsQueries, Priority, UpTo};
use crate::domain::{
    Analyst, AssetType, Fundamentals, Insiders, Macro, News, Predictions, PriceVendors, Provider, ReasoningEffort,
    Social, Ticker, Tier, TraceParent, TradeDate, VendorList,
};

/// An analysis that a client asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct JobRequest {
    pub ticker: Ticker,
    pub date: TradeDate,
    /// What differs from the service's defaults.
    #[serde(default)]
    #[schemars(with = "Option<JobConfig>", transform = without_default)]
    pub config: JobConfig,
    /// Whether it goes before other jobs, or after them.
    #[serde(default, skip_serializing_if = "Priority::is_normal")]
    #[schemars(with = "Option<Priority>")]
    pub priority: Priority,
    /// It does not begin before this time (RFC 3339), at most 30 days ahead; at once if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<DateTime<Utc>>,
    /// Where its end is told: a signed POST by Standard Webhooks (<https://www.standardwebhooks.com>).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_url: Option<WebhookUrl>,
    /// Where in a trace it was asked for, so that its attempts are part of the same; the API says so, not the client's body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub trace: Option<TraceParent>,
    /// Why it can't be done: another version stored it, and asks for what this one does not know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub unreadable: Option<String>,
}

/// Generators of clients know no default of a whole object, and an absent one says the same.
fn without_default(schema: &mut Schema) {
    schema.remove("default");
}

impl JobRequest {
    /// A job of normal priority that may begin at once, and whose end is told nobody.
    pub fn new(ticker: Ticker, date: TradeDate, config: JobConfig) -> Self {
        Self {
            ticker,
            date,
            config,
            priority: Priority::Normal,
            not_before: None,
            webhook_url: None,
            trace: None,
            unreadable: None,
        }
    }
}

/// The settings of one job. An absent or null key means the service's default; an unknown one is an error.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
// Only a client's error: what a later version stored is read all the same.
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct JobConfig {
    /// Who serves the language models.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub llm_provider: Option<Provider>,
    /// Who serves the model of the research manager and the portfolio manager; `llm_provider` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deep_think_provider: Option<Provider>,
    /// Who serves the model of all other agents; `llm_provider` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quick_think_provider: Option<Provider>,
    /// The model of the research manager and the portfolio manager.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deep_think_llm: Option<ModelName>,
    /// The model of all other agents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quick_think_llm: Option<ModelName>,
    /// The base URL of `llm_provider`. Other providers of the job never get it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backend_url: Option<BackendUrl>,
    /// The sampling temperature, 0 to 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<Temperature>,
    /// How much the models think before they answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_effort: Option<ReasoningEffort>,
    /// Rounds of the bull and bear debate, 1 to 5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_debate_rounds: Option<Rounds<5>>,
    /// Rounds of the risk debate, 1 to 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_risk_discuss_rounds: Option<Rounds<3>>,
    /// The analysts that report; at least one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selected_analysts: Option<Analysts>,
    /// Which vendors are asked, by category.
    #[serde(deserialize_with = "object", skip_serializing_if = "Option::is_none")]
    pub data_vendors: Option<DataVendors>,
    /// Which vendors a single tool asks, in place of those of its category.
    #[serde(deserialize_with = "object", skip_serializing_if = "Option::is_none")]
    pub tool_vendors: Option<ToolVendors>,
    /// What the instrument is; told from its symbol if absent. Of a crypto-currency there are no fundamentals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asset_type: Option<AssetType>,
    /// What the returns of earlier decisions are compared with; the leading index of the instrument's exchange if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub benchmark_ticker: Option<Ticker>,
    /// How many articles on the instrument an agent reads, 1 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub news_article_limit: Option<UpTo<100>>,
    /// How many articles on the markets an agent reads, 1 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub global_news_article_limit: Option<UpTo<100>>,
    /// How far back articles and posts on the instrument are looked for, days, 1 to 90.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub news_lookback_days: Option<UpTo<90>>,
    /// How far back articles on the markets are looked for, days, 1 to 90.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub global_news_lookback_days: Option<UpTo<90>>,
    /// What news on the markets is searched for, up to 10 queries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub global_news_queries: Option<NewsQueries>,
    /// The language of the reports, in English: `German`. Ratings stay English.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_language: Option<Language>,
}

impl JobConfig {
    /// The provider that the job names for a tier, or for both.
    pub fn provider(&self, tier: Tier) -> Option<Provider> {
        let own = match tier {
            Tier::Deep => self.deep_think_provider,
            Tier::Quick => self.quick_think_provider,
        };
        own.or(self.llm_provider)
    }

    /// The model that the job names for a tier.
    pub fn model(&self, tier: Tier) -> Option<&ModelName> {
        match tier {
            Tier::Deep => self.deep_think_llm.as_ref(),
            Tier::Quick => self.quick_think_llm.as_ref(),
        }
    }
}

/// Vendors by category, each an ordered list such as `csv,yahoo`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct DataVendors {
    /// Daily bars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub core_stock_apis: Option<PriceVendors>,
    /// Technical indicators. They are computed here, from the bars of `core_stock_apis`, whatever vendor this names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub technical_indicators: Option<PriceVendors>,
    /// Company profile and statements.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fundamental_data: Option<VendorList<Fundamentals>>,
    /// Articles on the instrument and on the markets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub news_data: Option<VendorList<News>>,
    /// What people write.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub social_data: Option<VendorList<Social>>,
    /// Macro-economic series.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub macro_data: Option<VendorList<Macro>>,
    /// Odds of coming events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prediction_markets: Option<VendorList<Predictions>>,
}

/// Vendors by the tool that asks them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct ToolVendors {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub get_stock_data: Option<PriceVendors>,
    /// They are computed here, from the bars of `get_stock_data`, whatever vendor this names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub get_indicators: Option<PriceVendors>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub get_fundamentals: Option<VendorList<Fundamentals>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub get_balance_sheet: Option<VendorList<Fundamentals>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub get_cashflow: Option<VendorList<Fundamentals>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub get_income_statement: Option<VendorList<Fundamentals>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub get_news: Option<VendorList<News>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub get_global_news: Option<VendorList<News>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub get_insider_transactions: Option<VendorList<Insiders>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub get_macro_indicators: Option<VendorList<Macro>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub get_prediction_markets: Option<VendorList<Predictions>>,
}

/// Reads an object or null. What serde derives for a struct would take an array too, for its fields in order.
fn object<'de, T: DeserializeOwned, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    let fields = Option::<Map<String, Value>>::deserialize(deserializer)?;
    fields.map(|fields| serde_json::from_value(fields.into()).map_err(D::Error::custom)).transpose()
}

/// A count of debate rounds from 1 to `MAX`. In JSON, 3 and 3.0 are the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "u32")]
pub struct Rounds<const MAX: u32>(u32);

impl<const MAX: u32> Rounds<MAX> {
    /// One round.
    pub const ONE: Self = Self(1);

    /// The count.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl<const MAX: u32> TryFrom<f64> for Rounds<MAX> {
    type Error = String;

    fn try_from(rounds: f64) -> Result<Self, String> {
        let count = (1..=MAX).find(|count| f64::from(*count).total_cmp(&rounds).is_eq());
        count.map(Self).ok_or_else(|| format!("{rounds} is not within 1 to {MAX}"))
    }
}

impl<const MAX: u32> From<Rounds<MAX>> for u32 {
    fn from(rounds: Rounds<MAX>) -> Self {
        rounds.0
    }
}

impl<const MAX: u32> JsonSchema for Rounds<MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("RoundsUpTo{MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "integer", "minimum": 1, "maximum": MAX})
    }
}

/// A sampling temperature from 0 to 2.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "f64", into = "f64")]
#[schemars(!try_from, !into)]
pub struct Temperature(#[schemars(range(min = 0.0, max = 2.0))] f64);

impl Temperature {
    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Temperature {
    type Error = String;

    fn try_from(temperature: f64) -> Result<Self, String> {
        if (0.0..=2.0).contains(&temperature) {
            Ok(Self(temperature))
        } else {
            Err(format!("{temperature} is not within 0 to 2"))
        }
    }
}

impl From<Temperature> for f64 {
    fn from(temperature: Temperature) -> Self {
        temperature.0
    }
}

/// A non-empty set of analysts, kept in the order in which reports are shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Vec<Analyst>")]
#[schemars(!try_from)]
pub struct Analysts(#[schemars(length(min = 1))] Vec<Analyst>);

impl Analysts {
    /// The analysts, sorted, none twice.
    pub fn as_slice(&self) -> &[Analyst] {
        &self.0
    }
}

impl TryFrom<Vec<Analyst>> for Analysts {
    type Error = &'static str;

    fn try_from(mut analysts: Vec<Analyst>) -> Result<Self, Self::Error> {
        analysts.sort_unstable();
        analysts.dedup();
        if analysts.is_empty() {
            Err("select at least one of market, social, news, fundamentals")
        } else {
            Ok(Self(analysts))
        }
    }
}

macro_rules! short_text {
    ($(#[$doc:meta])* $name:ident, $max:literal, $allowed:expr, $pattern:literal, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(!try_from, !into)]
        pub struct $name(#[schemars(length(min = 1, max = $max), regex(pattern = $pattern))] String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                let allowed: fn(char) -> bool = $allowed;
                if (1..=$max).contains(&text.chars().count()) && text.chars().all(allowed) {
                    Ok(Self(text))
                } else {
                    Err(format!(concat!("{:?} is not ", $what), text.chars().take(40).collect::<String>()))
                }
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }
    };
}

// The language goes into every prompt, so it can't be room for instructions.
short_text!(
    /// A language's English name.
    Language, 40, |c| c.is_alphabetic() || " -()".contains(c), r"^[\p{L} ()\-]+$", "a language: 1 to 40 letters, blanks, hyphens and parentheses"
);

impl Language {
    /// The language that the prompts are written in.
    pub fn english() -> Self {
        Self("English".into())
    }
}

macro_rules! http_url {
    ($(#[$doc:meta])* $name:ident, $instead:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(!try_from, !into)]
        pub struct $name(
            #[schemars(with = "String", url, length(max = 2048), regex(pattern = r"^https?://[^/?#@\s]+([/?#]\S*)?$"))] Url,
        );

        impl $name {
            /// The URL.
            pub fn as_url(&self) -> &Url {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                let url = Url::parse(&text).map_err(|e| format!("not a URL: {e}; write it as http://host:port"))?;
                if !matches!(url.scheme(), "http" | "https") || text.len() > 2048 {
                    return Err("only http and https URLs of at most 2048 characters".into());
                }
                if !url.username().is_empty() || url.password().is_some() {
                    return Err(concat!("a URL with a user or password in it would end up in logs; ", $instead).into());
                }
                Ok(Self(url))
            }
        }

        impl From<$name> for String {
            fn from(url: $name) -> Self {
                url.0.into()
            }
        }
    };
}

http_url!(
    /// The base URL of a model provider: http or https, with a host.
    BackendUrl,
    "give the key by the provider's setting"
);
http_url!(
    /// The URL of a receiver of webhooks: http or https, with a host.
    WebhookUrl,
    "the signature tells the receiver who sends"
);
