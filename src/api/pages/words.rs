//! The small words of the pages: statuses, decisions, times and amounts.

use std::fmt::Display;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use maud::{Markup, html};

use crate::{
    domain::{Decision, Rating},
    jobs::Status,
};

/// A status, told by word, sign and colour.
pub fn status(status: Status) -> Markup {
    let sign = match status {
        Status::Pending => "○",
        Status::Running => "◐",
        Status::Completed => "●",
        Status::Failed => "✕",
        Status::Cancelled => "–",
    };
    html! { span class={ "status " (status) } { span.sign aria-hidden="true" { (sign) } (status) } }
}

/// A decision, told by word, sign and colour.
pub fn decision(decision: Decision) -> Markup {
    let (class, sign) = match decision {
        Decision::Buy => ("buy", "▲"),
        Decision::Sell => ("sell", "▼"),
        Decision::Hold => ("hold", "■"),
    };
    html! { span class={ "decision " (class) } { span.sign aria-hidden="true" { (sign) } (decision.as_str()) } }
}

/// A rating on its scale of five.
pub fn rating(rating: Rating) -> Markup {
    html! {
        ol.scale aria-label={ "Rating: " (rating.as_str()) } {
            @for tier in Rating::TIERS.into_iter().rev() {
                li class=[(tier == rating).then_some("chosen")] aria-current=[(tier == rating).then_some("true")] {
                    (tier.as_str())
                }
            }
            @if rating == Rating::Review { li.chosen.review aria-current="true" { "a person has to look" } }
        }
    }
}

/// An id, with a button that copies it.
pub fn id(id: impl Display) -> Markup {
    html! {
        span.id { (id) }
        button.copy type="button" data-copy=(id) aria-label={ "Copy " (id) } { "Copy" }
    }
}

/// How long ago something was. The script keeps it right.
pub fn ago(then: DateTime<Utc>) -> Markup {
    html! { time datetime=(iso(then)) title=(iso(then)) data-ago { (span(Utc::now() - then)) " ago" } }
}

/// How long something has gone on. The script keeps it right.
pub fn since(then: DateTime<Utc>) -> Markup {
    html! { time datetime=(iso(then)) title={ "since " (iso(then)) } data-since { (span(Utc::now() - then)) } }
}

/// A time in full.
pub fn at(then: DateTime<Utc>) -> Markup {
    html! { time datetime=(iso(then)) { (then.format("%Y-%m-%d %H:%M:%S UTC")) } }
}

fn iso(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A length of time in its largest unit, as the script writes it too.
pub fn span(length: TimeDelta) -> String {
    let seconds = length.num_seconds().max(0);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// Seconds of work: tenths of short ones, minutes of long ones.
pub fn seconds(seconds: f64) -> String {
    if seconds < 0.05 {
        "< 0.1 s".into()
    } else if seconds < 60.0 {
        format!("{seconds:.1} s")
    } else {
        format!("{:.0} min {:02.0} s", (seconds / 60.0).floor(), (seconds % 60.0).floor())
    }
}

/// A number with its thousands apart, by a thin blank (SI Brochure, 5.4.4).
pub fn number(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join("\u{202f}")
}

/// Bytes as gibibytes.
#[expect(clippy::cast_precision_loss, reason = "one digit is shown")]
pub fn gibibytes(bytes: u64) -> String {
    format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30))
}
