//! The four panels of the price chart: one above the other, with days on the same line.

use std::ops::Range;

use plotters::{
    coord::Shift,
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

use super::{Level, SHOWN, frame::Frame};
use crate::{
    domain::shown,
    market::{Bar, Indicator},
};

/// Of words and closes; the page's style has it darker or lighter.
pub const INK: RGBColor = RGBColor(0x56, 0x5F, 0x6D);
/// Of what is behind them; the same.
pub const GRID: RGBColor = RGBColor(0xD9, 0xDD, 0xE4);

pub const BLUE: RGBColor = RGBColor(0x00, 0x72, 0xB2);
pub const VERMILION: RGBColor = RGBColor(0xD5, 0x5E, 0x00);
pub const GREEN: RGBColor = RGBColor(0x00, 0x8F, 0x68);
pub const GREY: RGBColor = RGBColor(0x8A, 0x93, 0xA1);

/// Where the upper three panels end, from the top.
const ENDS: [u32; 3] = [380, 475, 590];

/// Lines of the grid in a high panel and in a low one, about.
const LINES: usize = 6;
const FEW_LINES: usize = 3;

pub type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

/// A value for each day that is shown; none where there are too few days before.
type Series = Vec<(f64, f64)>;

pub fn draw(area: &Area<'_>, bars: &[Bar], levels: &[Level]) -> Drawn {
    let (price, rest) = area.split_vertically(ENDS[0]);
    let (volume, rest) = rest.split_vertically(ENDS[1] - ENDS[0]);
    let (rsi, macd) = rest.split_vertically(ENDS[2] - ENDS[1]);
    draw_price(&price, bars, levels)?;
    draw_volume(&volume, bars)?;
    draw_rsi(&rsi, bars)?;
    draw_macd(&macd, bars)
}

fn draw_price(area: &Area<'_>, bars: &[Bar], levels: &[Level]) -> Drawn {
    let closes = series(bars, &bars.iter().map(|bar| Some(bar.close)).collect::<Vec<_>>());
    let means = [Indicator::Close50Sma, Indicator::Close200Sma].map(|mean| series(bars, &mean.series(bars)));
    let marked = levels.iter().map(|level| level.price);
    let values = closes.iter().chain(means.iter().flatten()).map(|point| point.1).chain(marked);
    let mut frame = Frame::new(area, bars, range(values), 0)?;
    frame.scale(&frame.ticks(LINES))?;
    frame.name_day()?;
    for level in levels {
        frame.dashed(level.price, level.kind.colour())?;
    }
    for (mean, colour) in means.into_iter().zip([BLUE, VERMILION]) {
        frame.line(mean, colour)?;
    }
    let mut tags: Vec<_> = levels.iter().map(|level| (level.to_string(), level.price, level.kind.colour())).collect();
    tags.extend(closes.last().map(|(_, close)| (format!("close {}", shown::price(*close)), *close, INK)));
    frame.line(closes, INK)?;
    frame.tags(tags)?;
    frame.legend(&[("Close", INK), ("50-day SMA", BLUE), ("200-day SMA", VERMILION)])
}

fn draw_volume(area: &Area<'_>, bars: &[Bar]) -> Drawn {
    let volumes = series(bars, &bars.iter().map(|bar| Some(bar.volume)).collect::<Vec<_>>());
    let most = volumes.iter().map(|point| point.1).fold(1.0, f64::max);
    let mut frame = Frame::new(area, bars, 0.0..most * 1.1, 0)?;
    frame.scale(&frame.ticks(FEW_LINES))?;
    frame.tags(volumes.last().map(|(_, volume)| (short(*volume), *volume, GREY)).into_iter().collect())?;
    frame.columns(volumes)?;
    frame.legend(&[("Volume", GREY)])
}

fn draw_rsi(area: &Area<'_>, bars: &[Bar]) -> Drawn {
    let rsi = series(bars, &Indicator::Rsi.series(bars));
    let mut frame = Frame::new(area, bars, 0.0..100.0, 0)?;
    frame.scale(&[30.0, 50.0, 70.0])?;
    for bound in [30.0, 70.0] {
        frame.dashed(bound, GREY)?;
    }
    frame.tags(rsi.last().map(|(_, value)| (format!("RSI {value:.1}"), *value, BLUE)).into_iter().collect())?;
    frame.line(rsi, BLUE)?;
    frame.legend(&[("RSI of 14 days: overbought above 70, oversold below 30", BLUE)])
}

fn draw_macd(area: &Area<'_>, bars: &[Bar]) -> Drawn {
    let [macd, signal, histogram] =
        [Indicator::Macd, Indicator::Macds, Indicator::Macdh].map(|indicator| series(bars, &indicator.series(bars)));
    let values = macd.iter().chain(&signal).chain(&histogram).map(|point| point.1).chain([0.0]);
    let mut frame = Frame::new(area, bars, range(values), 28)?;
    frame.scale(&frame.ticks(FEW_LINES))?;
    frame.name_months()?;
    let named = [("MACD", &macd, BLUE), ("signal", &signal, VERMILION)];
    let tags = named.iter().filter_map(|(name, line, colour)| {
        let (_, value) = line.last()?;
        Some((format!("{name} {value:.2}"), *value, *colour))
    });
    frame.tags(tags.collect())?;
    frame.columns(histogram)?;
    frame.line(macd, BLUE)?;
    frame.line(signal, VERMILION)?;
    frame.legend(&[("MACD", BLUE), ("signal", VERMILION), ("histogram", GREY)])
}

/// How words are written. The size is a quarter more than that of the picture: plotters divides it by 1.24.
pub fn words(across: HPos, down: VPos) -> TextStyle<'static> {
    ("sans-serif", 17).into_font().color(&INK).pos(Pos::new(across, down))
}

/// The days that are shown, half a day before the first and after the last.
#[expect(clippy::cast_precision_loss, reason = "there are a few hundred days")]
pub fn days(bars: &[Bar]) -> Range<f64> {
    -1.0..bars.len().min(SHOWN) as f64
}

/// The values of the days that are shown, by the number of the day.
#[expect(clippy::cast_precision_loss, reason = "there are a few hundred days")]
fn series(bars: &[Bar], values: &[Option<f64>]) -> Series {
    let shown = &values[bars.len().saturating_sub(SHOWN)..];
    shown.iter().enumerate().filter_map(|(day, value)| Some((day as f64, (*value)?))).collect()
}

/// The range of the values, with some room.
fn range(values: impl Iterator<Item = f64>) -> Range<f64> {
    let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
    let room = ((high - low) * 0.06).max(high.abs() * 1e-3).max(1e-6);
    low - room..high + room
}

/// A figure of a scale in few letters.
pub fn short(value: f64) -> String {
    match value.abs() {
        1e9.. => trimmed(value / 1e9, 1) + "B",
        1e6.. => trimmed(value / 1e6, 1) + "M",
        1e4.. => trimmed(value / 1e3, 1) + "k",
        0.1.. => trimmed(value, 2),
        _ => trimmed(value, 4),
    }
}

/// A figure with so many digits after the point, without those that say nothing.
fn trimmed(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_scales_are_short() {
        for (value, text) in
            [(0.0, "0"), (-0.0, "0"), (20.0, "20"), (2.5, "2.5"), (0.0125, "0.0125"), (12_500.0, "12.5k"), (6e7, "60M")]
        {
            assert_eq!(short(value), text);
        }
    }
}
