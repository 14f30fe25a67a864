//! Who is asked for market data: by category, and by tool.

use maud::{Markup, html};

use super::fields::text;
use crate::domain::{Category, Fundamentals, Insiders, Macro, News, Predictions, Prices, Social};

/// The vendors of each category.
pub fn by_category() -> Markup {
    html! {
        fieldset {
            legend { "Data vendors, in order" }
            div.lines {
                (vendors::<Prices>("data_vendors.core_stock_apis", "Prices"))
                (vendors::<Prices>("data_vendors.technical_indicators", "Indicators"))
                (vendors::<Fundamentals>("data_vendors.fundamental_data", "Filings"))
                (vendors::<News>("data_vendors.news_data", "News"))
                (vendors::<Social>("data_vendors.social_data", "Social media"))
                (vendors::<Macro>("data_vendors.macro_data", "Economy"))
                (vendors::<Predictions>("data_vendors.prediction_markets", "Prediction markets"))
            }
        }
    }
}

/// The vendors of single tools.
pub fn by_tool() -> Markup {
    html! {
        fieldset {
            legend { "Data vendors of a single tool" }
            div.lines {
                (vendors::<Prices>("tool_vendors.get_stock_data", "Prices"))
                (vendors::<Prices>("tool_vendors.get_indicators", "Indicators"))
                (vendors::<Fundamentals>("tool_vendors.get_fundamentals", "Company profile"))
                (vendors::<Fundamentals>("tool_vendors.get_balance_sheet", "Balance sheet"))
                (vendors::<Fundamentals>("tool_vendors.get_cashflow", "Cash flow"))
                (vendors::<Fundamentals>("tool_vendors.get_income_statement", "Income statement"))
                (vendors::<News>("tool_vendors.get_news", "Company news"))
                (vendors::<News>("tool_vendors.get_global_news", "Market news"))
                (vendors::<Insiders>("tool_vendors.get_insider_transactions", "Insider transactions"))
                (vendors::<Macro>("tool_vendors.get_macro_indicators", "Economic series"))
                (vendors::<Predictions>("tool_vendors.get_prediction_markets", "Prediction markets"))
            }
        }
    }
}

/// A field for vendors of a category; all that there are stand in it as an example.
fn vendors<C: Category>(name: &str, label: &str) -> Markup {
    let known: Vec<_> = C::VENDORS.iter().map(|vendor| vendor.as_str()).collect();
    text(name, label, &known.join(","), None)
}
