//! Which vendors a job's market has.
//!
//! A tool's own list comes before that of its category, and the job's before the service's. Where nobody chose, all
//! vendors are asked that are configured.

use super::desk::InvalidConfig;
use crate::{
    config::Config,
    domain::{Category, Fundamentals, Insiders, Macro, News, Predictions, Prices, Social, Vendor, VendorList},
    jobs::JobConfig,
    market::Choice,
};

/// The vendors of a job. Offline, only those that need no network.
pub fn choice(job: &JobConfig, config: &Config, offline: bool) -> Result<Choice, InvalidConfig> {
    let by = job.data_vendors.clone().unwrap_or_default();
    let tool = job.tool_vendors.clone().unwrap_or_default();
    let prices = tool.get_stock_data.or(by.core_stock_apis).or(config.price_vendors.clone());
    if let Some(named) = &prices
        && named.as_slice().contains(&Vendor::Csv)
        && config.data_dir.is_none()
    {
        return Err(InvalidConfig(format!(
            "the price vendors {named} name csv, but the worker has no folder of CSV files; set DATA_DIR, or leave csv out"
        )));
    }
    let fundamentals = |tool: Option<VendorList<Fundamentals>>| {
        list(tool.or(by.fundamental_data.clone()).or(config.fundamental_vendors.clone()), config)
    };
    let news =
        |tool: Option<VendorList<News>>| list(tool.or(by.news_data.clone()).or(config.news_vendors.clone()), config);
    let mut choice = Choice {
        prices: list::<Prices>(prices.clone(), config),
        profile: fundamentals(tool.get_fundamentals),
        balance_sheet: fundamentals(tool.get_balance_sheet),
        cash_flow: fundamentals(tool.get_cashflow),
        income_statement: fundamentals(tool.get_income_statement),
        news: news(tool.get_news),
        global_news: news(tool.get_global_news),
        insiders: list::<Insiders>(tool.get_insider_transactions, config),
        social: list::<Social>(by.social_data, config),
        macros: list::<Macro>(tool.get_macro_indicators.or(by.macro_data), config),
        predictions: list::<Predictions>(tool.get_prediction_markets.or(by.prediction_markets), config),
    };
    if offline {
        choice.retain(|vendor| !vendor.is_remote());
    }
    match prices {
        Some(named) if choice.prices.is_empty() => Err(InvalidConfig(format!(
            "this service runs with --offline, so the price vendors {named} can't be used; name csv or sample, or start \
             the service without --offline"
        ))),
        _ => Ok(choice),
    }
}

/// The vendors that were named, or all that are configured.
fn list<C: Category>(named: Option<VendorList<C>>, config: &Config) -> Vec<Vendor> {
    match named {
        Some(named) => named.as_slice().to_vec(),
        None => C::VENDORS.iter().copied().filter(|vendor| is_configured(*vendor, config)).collect(),
    }
}

fn is_configured(vendor: Vendor, config: &Config) -> bool {
    match vendor {
        Vendor::Csv => config.data_dir.is_some(),
        Vendor::AlphaVantage => config.alpha_vantage_api_key.is_some(),
        Vendor::Tiingo => config.tiingo_api_key.is_some(),
        Vendor::SecEdgar => config.contact_email.is_some(),
        Vendor::Fred => config.fred_api_key.is_some(),
        _ => true,
    }
}
