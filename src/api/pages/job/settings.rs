//! What was asked for: the job's own settings, and its webhook.

use maud::{Markup, html};
use serde_json::Value;

use super::super::{layout::Page, words};
use crate::jobs::Job;

/// What differs from the service's settings, and when what happened to the job.
pub fn of(job: &Job, page: &Page<'_>) -> Markup {
    let config = serde_json::to_value(&job.request.config).unwrap_or_default();
    let mut set = Vec::new();
    flatten("", &config, &mut set);
    html! {
        section.panel aria-labelledby="settings-title" {
            h2 #settings-title { "The job" }
            dl.facts {
                div { dt { "submitted" } dd { (words::at(job.created_at)) } }
                @if let Some(at) = job.started_at { div { dt { "began" } dd { (words::at(at)) } } }
                @if let Some(at) = job.completed_at { div { dt { "ended" } dd { (words::at(at)) } } }
                div { dt { "priority" } dd { (job.request.priority.as_str()) } }
                div { dt { "attempt" } dd { (job.attempt) } }
                @for (name, value) in &set { div { dt { (name) } dd { (value) } } }
                @if let Some(webhook) = &job.webhook {
                    div { dt { "webhook" } dd { (serde_json::to_value(webhook).ok().and_then(|it| it["status"].as_str().map(str::to_owned)).unwrap_or_default()) } }
                }
            }
            @if set.is_empty() { p.small { "All other settings are the service's." } }
            p.small {
                a href=(page.to(&format!("jobs/{}", job.id))) data-fetch { "As JSON" }
            }
        }
    }
}

/// The values of an object and of those in it, by their names.
fn flatten(prefix: &str, value: &Value, out: &mut Vec<(String, String)>) {
    let Value::Object(fields) = value else { return };
    for (name, value) in fields {
        let name = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            Value::Object(_) => flatten(&name, value, out),
            Value::String(text) => out.push((name, text.clone())),
            Value::Array(items) => {
                let items: Vec<_> = items.iter().map(|item| item.as_str().unwrap_or_default()).collect();
                out.push((name, items.join(", ")));
            }
            other => out.push((name, other.to_string())),
        }
    }
}
