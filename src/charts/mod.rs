//! Charts for people, as SVG that is drawn here: no script, no font and no style comes with it, so that any page and any
//! content policy takes it.
//!
//! [`prices`] draws the bars of an analysis in four panels, with plotters. Its colours are those that people with any
//! colour vision tell apart (Okabe and Ito, Color Universal Design, 2008), on light and on dark ground alike;
//! [`panels::INK`] and [`panels::GRID`] are for the page's style to replace, by the attributes that have them.

mod frame;
mod panels;

use std::fmt::{self, Display};

use maud::{Markup, PreEscaped, html};
use plotters::{
    drawing::DrawingAreaErrorKind,
    prelude::{IntoDrawingArea, RGBColor, SVGBackend},
};

use crate::{domain::shown, market::Bar};

/// The bars that are shown: those of a year.
pub const SHOWN: usize = 252;

/// The bars that are wanted: those before the ones that are shown are for the averages.
pub const WANTED: usize = SHOWN + 200;

/// Bars that support and resistance are reckoned from: four weeks (Donchian's channel).
const CHANNEL: usize = 20;

const WIDTH: u32 = 960;
const HEIGHT: u32 = 740;

/// A price that matters.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    pub kind: LevelKind,
    pub price: f64,
}

/// What a price matters for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LevelKind {
    Entry,
    Stop,
    Target,
    Support,
    Resistance,
}

/// Price, volume, RSI and MACD of the last year of the bars, which end on the day of the analysis; nothing where there are
/// too few bars for a picture. `levels` are marked besides support and resistance.
pub fn prices(subject: impl Display, bars: &[Bar], levels: &[Level]) -> Option<Markup> {
    let (first, last) = (bars.first()?, bars.last()?);
    if bars.len() < CHANNEL {
        return None;
    }
    let mut levels = levels.to_vec();
    levels.extend(channel(bars));
    let mut svg = String::new();
    drawn(&mut svg, bars, &levels).ok()?;
    let shown = &bars[bars.len().saturating_sub(SHOWN)];
    let told = levels.iter().map(Level::to_string).collect::<Vec<_>>().join(", ");
    let words = format!(
        "Daily closes of {subject} from {} to {} with their simple moving averages (SMA) of 50 and 200 days, volume, RSI and MACD. The last close \
         is {}; {told}.",
        shown.date.max(first.date),
        last.date,
        shown::price(last.close)
    );
    // plotters writes the element without a word for those who can't see it.
    let picture = svg.replacen("<svg ", "<svg role=\"img\" aria-labelledby=\"chart-words\" ", 1);
    Some(html! {
        figure.chart {
            div.scroll tabindex="0" role="group" aria-label="Chart" { (PreEscaped(picture)) }
            figcaption #chart-words { (words) }
        }
    })
}

fn drawn(svg: &mut String, bars: &[Bar], levels: &[Level]) -> Result<(), DrawingAreaErrorKind<std::io::Error>> {
    let area = SVGBackend::with_string(svg, (WIDTH, HEIGHT)).into_drawing_area();
    panels::draw(&area, bars, levels)?;
    area.present()
}

impl LevelKind {
    fn name(self) -> &'static str {
        match self {
            Self::Entry => "entry",
            Self::Stop => "stop",
            Self::Target => "target",
            Self::Support => "support",
            Self::Resistance => "resistance",
        }
    }

    fn colour(self) -> RGBColor {
        match self {
            Self::Entry => panels::BLUE,
            Self::Stop => panels::VERMILION,
            Self::Target => panels::GREEN,
            Self::Support | Self::Resistance => panels::GREY,
        }
    }
}

impl Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.name(), shown::price(self.price))
    }
}

/// The highest and the lowest price of four weeks.
fn channel(bars: &[Bar]) -> [Level; 2] {
    let weeks = &bars[bars.len() - CHANNEL..];
    [
        Level { kind: LevelKind::Resistance, price: weeks.iter().map(|bar| bar.high).fold(f64::MIN, f64::max) },
        Level { kind: LevelKind::Support, price: weeks.iter().map(|bar| bar.low).fold(f64::MAX, f64::min) },
    ]
}

#[cfg(test)]
mod tests {
    use chrono::{Days, NaiveDate};

    use super::*;

    fn bars(count: u32) -> Vec<Bar> {
        let first = NaiveDate::from_ymd_opt(2012, 1, 2).unwrap();
        let bar = |day: u32| {
            let close = 100.0 + (f64::from(day) / 9.0).sin() * 8.0;
            let date = first + Days::new(day.into());
            Bar { date, open: close, high: close + 1.0, low: close - 1.0, close, volume: 1e6 }
        };
        (0..count).map(bar).collect()
    }

    #[test]
    fn a_chart_tells_in_words_what_it_shows_and_brings_nothing_that_a_policy_forbids() {
        let chart = prices("A<B", &bars(452), &[Level { kind: LevelKind::Stop, price: 95.5 }]).unwrap().into_string();
        assert_eq!(chart.matches("stop 95.50").count(), 2, "beside its line and in the words: {chart}");
        assert!(chart.contains("A&lt;B") && chart.contains("resistance"), "{chart}");
        for forbidden in ["style=", "<style", "<script", "href", "on"].map(|word| format!(" {word}")) {
            assert!(
                !chart.split('>').any(|tag| tag.contains('<') && tag.contains(&format!("{forbidden}="))),
                "{forbidden}"
            );
        }
    }

    #[test]
    fn few_bars_make_a_chart_and_fewer_make_none() {
        assert!(prices("A", &bars(30), &[]).is_some());
        assert!(prices("A", &bars(5), &[]).is_none());
        assert!(prices("A", &[], &[]).is_none());
    }

    #[test]
    fn a_price_that_stands_still_can_be_drawn() {
        let still: Vec<_> = bars(300)
            .into_iter()
            .map(|bar| Bar { open: 5.0, high: 5.0, low: 5.0, close: 5.0, volume: 0.0, ..bar })
            .collect();
        assert!(prices("A", &still, &[]).is_some());
    }
}
