//! The form for new jobs. Its script sends what it says as JSON to `POST /jobs`, or to `POST /batches` for several
//! tickers, and shows what the API says of each field.

use chrono::Utc;
use maud::{Markup, html};

use super::layout::Page;
use crate::{
    config::Config,
    domain::{Category, Fundamentals, Macro, News, Predictions, Prices, Provider, Social},
    jobs::{Priority, ServedModels, WorkerInfo},
};

/// The analysts, by the keys of the job's settings.
const ANALYSTS: [&str; 4] = ["market", "social", "news", "fundamentals"];

/// The form. What is left empty is as the service has it, so the fields say what that is, as far as it is known here.
pub fn form(page: &Page<'_>, config: &Config, workers: &[WorkerInfo]) -> Markup {
    let models = workers.iter().find_map(|worker| worker.models.as_ref());
    html! {
        section.panel aria-labelledby="submit-title" {
            h2 #submit-title { "New analysis" }
            form #submit method="post" action=(page.to("jobs")) data-jobs=(page.to("jobs")) data-batches=(page.to("batches"))
                data-job-page=(page.to("dashboard/jobs/")) data-batch-page=(page.to("dashboard/batches/")) novalidate {
                div.pair {
                    (field("ticker", "Ticker, or several", &html! {
                        input #f-ticker name="ticker" required maxlength="2000" placeholder="NVDA"
                            pattern=r"[A-Za-z0-9.\-\^=,;\s]+" autocapitalize="characters" autocomplete="off" spellcheck="false"
                            aria-describedby="e-ticker";
                    }))
                    (field("date", "Date of analysis", &html! {
                        input #f-date name="date" type="date" required max=(Utc::now().date_naive()) aria-describedby="e-date";
                    }))
                }
                details {
                    summary { "Settings of the job" }
                    p.small { "What is left empty is as the service has it." }
                    (models_part(config, models))
                    (team_part(config))
                    (vendors_part())
                    (rest())
                }
                p #e-form .wrong role="alert" {}
                button.main type="submit" { "Analyse" }
                noscript { p.small { "The form needs its script. Without it: " code { "curl -X POST …/jobs" } "; the API page shows how." } }
            }
        }
    }
}

/// A field, and the place where is told what is wrong with it.
fn field(name: &str, label: &str, input: &Markup) -> Markup {
    html! {
        div.field {
            label for={ "f-" (name) } { (label) }
            (input)
            p.wrong id={ "e-" (name) } {}
        }
    }
}

fn text(name: &str, label: &str, placeholder: &str) -> Markup {
    field(
        name,
        label,
        &html! {
            input id={ "f-" (name) } name={ "config." (name) } placeholder=(placeholder) maxlength="128" autocomplete="off" spellcheck="false"
                aria-describedby={ "e-" (name) };
        },
    )
}

fn choice(name: &str, label: &str, usual: &str, options: &[&str]) -> Markup {
    field(
        name,
        label,
        &html! {
            select id={ "f-" (name) } name={ "config." (name) } aria-describedby={ "e-" (name) } {
                option value="" { (usual) }
                @for option in options { option { (option) } }
            }
        },
    )
}

fn count(name: &str, label: &str, most: &str, usual: u32) -> Markup {
    field(
        name,
        label,
        &html! {
            input id={ "f-" (name) } name={ "config." (name) } type="number" min="1" max=(most) placeholder=(usual) data-as="number"
                aria-describedby={ "e-" (name) };
        },
    )
}

fn models_part(config: &Config, models: Option<&ServedModels>) -> Markup {
    let provider = models.map_or(config.llm_provider, |models| models.provider).as_str();
    let (deep, quick) =
        models.map_or(("the service's", "the service's"), |models| (&models.deep_think_llm, &models.quick_think_llm));
    html! {
        fieldset {
            legend { "Models" }
            (choice("llm_provider", "Provider", &format!("the service's: {provider}"), &Provider::NAMES))
            div.pair {
                (text("deep_think_llm", "Of the managers", deep))
                (text("quick_think_llm", "Of all others", quick))
            }
            (field("backend_url", "URL of the provider", &html! {
                input #f-backend_url name="config.backend_url" type="url" placeholder="its own" maxlength="2048" aria-describedby="e-backend_url";
            }))
            div.pair {
                (field("temperature", "Temperature", &html! {
                    input #f-temperature name="config.temperature" type="number" min="0" max="2" step="any" placeholder="the model's"
                        data-as="number" aria-describedby="e-temperature";
                }))
                (choice("reasoning_effort", "Effort of thinking", "the model's", &["low", "medium", "high"]))
            }
        }
    }
}

fn team_part(config: &Config) -> Markup {
    html! {
        fieldset {
            legend { "Team" }
            fieldset.boxes aria-describedby="e-selected_analysts" {
                legend { "Analysts" }
                @for name in ANALYSTS {
                    label { input type="checkbox" name="config.selected_analysts" value=(name) checked; (name) }
                }
                p #e-selected_analysts .wrong {}
            }
            div.pair {
                (count("max_debate_rounds", "Rounds of debate", "5", config.max_debate_rounds.get()))
                (count("max_risk_discuss_rounds", "Rounds on risk", "3", config.max_risk_discuss_rounds.get()))
            }
            div.pair {
                (text("output_language", "Language of the reports", config.output_language.as_str()))
                (choice("asset_type", "Kind of instrument", "by its symbol", &["stock", "crypto"]))
            }
        }
    }
}

fn vendors_part() -> Markup {
    html! {
        fieldset {
            legend { "Data vendors, in the order in which they are asked" }
            div.pair {
                (text("data_vendors.core_stock_apis", "Prices", &known::<Prices>()))
                (text("data_vendors.fundamental_data", "Filings", &known::<Fundamentals>()))
            }
            div.pair {
                (text("data_vendors.news_data", "News", &known::<News>()))
                (text("data_vendors.social_data", "Social media", &known::<Social>()))
            }
            div.pair {
                (text("data_vendors.macro_data", "Economy", &known::<Macro>()))
                (text("data_vendors.prediction_markets", "Prediction markets", &known::<Predictions>()))
            }
        }
    }
}

fn rest() -> Markup {
    html! {
        fieldset {
            legend { "Queue" }
            div.pair {
                div.field {
                    label for="f-priority" { "Priority" }
                    select #f-priority name="priority" aria-describedby="e-priority" {
                        @for name in Priority::NAMES { option selected[name == "normal"] { (name) } }
                    }
                    p #e-priority .wrong {}
                }
                (field("not_before", "Not before (your time)", &html! {
                    input #f-not_before name="not_before" type="datetime-local" data-as="time" aria-describedby="e-not_before";
                }))
            }
            (field("webhook_url", "Tell its end to (URL of a webhook)", &html! {
                input #f-webhook_url name="webhook_url" type="url" placeholder="nobody" maxlength="2048" aria-describedby="e-webhook_url";
            }))
        }
    }
}

/// The vendors of a category as their field takes them.
fn known<C: Category>() -> String {
    C::VENDORS.iter().map(|vendor| vendor.as_str()).collect::<Vec<_>>().join(",")
}
