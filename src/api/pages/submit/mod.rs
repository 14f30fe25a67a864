//! The form for new jobs. Its script sends what it says as JSON to `POST /jobs`, or to `POST /batches` for several
//! tickers, and shows what the API says of each field.

mod fields;
mod vendors;

use std::collections::BTreeSet;

use chrono::{Datelike, NaiveDate, TimeDelta, Utc, Weekday};
use fields::{choice, count, field, text};
use maud::{Markup, html};

use super::layout::Page;
use crate::{
    config::Config,
    domain::{PriceVendors, Provider, ReasoningEffort, Vendor},
    jobs::{Priority, ServedModels, WorkerInfo},
};

/// The analysts, by the keys of the job's settings.
const ANALYSTS: [&str; 4] = ["market", "social", "news", "fundamentals"];

/// The last day of the bundled sample.
const SAMPLE_ENDS: NaiveDate = NaiveDate::from_ymd_opt(2013, 3, 1).unwrap();

/// The day that the form begins with: the last on which markets may have closed, and of the sample its last.
fn usual_day(config: &Config) -> NaiveDate {
    if config.price_vendors.as_ref().map(PriceVendors::as_slice) == Some(&[Vendor::Sample]) {
        return SAMPLE_ENDS;
    }
    let yesterday = Utc::now().date_naive() - TimeDelta::days(1);
    let since_friday = match yesterday.weekday() {
        Weekday::Sat => 1,
        Weekday::Sun => 2,
        _ => 0,
    };
    yesterday - TimeDelta::days(since_friday)
}

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
                            pattern=r"[A-Za-z0-9.\-\^=\&_+,;\s]+" autocapitalize="characters" autocomplete="off" spellcheck="false"
                            aria-describedby="e-ticker";
                    }))
                    (field("date", "Date of analysis", &html! {
                        input #f-date name="date" type="date" required value=(usual_day(config)) max=(Utc::now().date_naive())
                            aria-describedby="e-date";
                    }))
                }
                details {
                    summary { "Settings of the job" }
                    p.small { "Empty fields use the service's defaults." }
                    (models_part(config, models))
                    (available(workers))
                    (team_part(config))
                    (queue_part())
                }
                details {
                    summary { "Advanced" }
                    p.small { "Empty fields use the service's defaults." }
                    (server_part())
                    (vendors::by_category())
                    (vendors::by_tool())
                }
                p #e-form .wrong role="alert" {}
                button.main type="submit" { "Analyse" }
                noscript { p.small { "The form needs its script. Without it: " code { "curl -X POST …/jobs" } "; the API page shows how." } }
            }
        }
    }
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
                (choice("deep_think_provider", "Deep-think provider", "the same", &Provider::NAMES))
                (choice("quick_think_provider", "Quick-think provider", "the same", &Provider::NAMES))
            }
            div.pair {
                (text("deep_think_llm", "Deep-think model", deep, Some("models")))
                (text("quick_think_llm", "Quick-think model", quick, Some("models")))
            }
        }
    }
}

/// The models that the workers' servers have, for the fields to choose from.
fn available(workers: &[WorkerInfo]) -> Markup {
    let served = workers.iter().filter_map(|worker| worker.models.as_ref());
    let names: BTreeSet<_> = served.flat_map(|models| &models.available).collect();
    html! { datalist #models { @for name in names { option value=(name) {} } } }
}

fn server_part() -> Markup {
    html! {
        fieldset {
            legend { "Model server" }
            (field("backend_url", "URL of the provider", &html! {
                input #f-backend_url name="config.backend_url" type="url" placeholder="its own" maxlength="2048" aria-describedby="e-backend_url";
            }))
            div.pair {
                (field("temperature", "Temperature", &html! {
                    input #f-temperature name="config.temperature" type="number" min="0" max="2" step="any" placeholder="the model's"
                        data-as="number" aria-describedby="e-temperature";
                }))
                (choice("reasoning_effort", "Reasoning effort", "the model's", &ReasoningEffort::NAMES))
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
                (count("max_debate_rounds", "Debate rounds", "5", config.max_debate_rounds.get()))
                (count("max_risk_discuss_rounds", "Risk rounds", "3", config.max_risk_discuss_rounds.get()))
            }
            div.pair {
                (text("output_language", "Language of the reports", config.output_language.as_str(), None))
                (choice("asset_type", "Kind of instrument", "by its symbol", &["stock", "crypto"]))
            }
        }
    }
}

fn queue_part() -> Markup {
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
            (field("webhook_url", "Webhook URL", &html! {
                input #f-webhook_url name="webhook_url" type="url" placeholder="none" maxlength="2048" aria-describedby="e-webhook_url";
            }))
        }
    }
}
