//! The four panels of the price chart: one above the other, with days on the same line.

use std::ops::Range;

use plotters::{
    coord::{Shift, types::RangedCoordf64},
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

use super::{Level, SHOWN};
use crate::market::{Bar, Indicator};

/// Of words and closes; the page's style has it darker or lighter.
pub const INK: RGBColor = RGBColor(0x56, 0x5F, 0x6D);
/// Of what is behind them; the same.
pub const GRID: RGBColor = RGBColor(0xD9, 0xDD, 0xE4);

const BLUE: RGBColor = RGBColor(0x00, 0x72, 0xB2);
const VERMILION: RGBColor = RGBColor(0xD5, 0x5E, 0x00);
const GREEN: RGBColor = RGBColor(0x00, 0x8F, 0x68);
const GREY: RGBColor = RGBColor(0x8A, 0x93, 0xA1);

/// Where the panels end, from the top.
const ENDS: [u32; 3] = [340, 420, 510];

/// The width of the figures at the right.
const SCALE: u32 = 118;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;
type Panel<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// A value for each day that is shown; none where there are too few days before.
type Series = Vec<(f64, f64)>;

pub fn draw(area: &Area<'_>, bars: &[Bar], levels: &[Level]) -> Drawn {
    let rest = area.split_vertically(ENDS[0]);
    let (volume, rest) = (rest.1.split_vertically(ENDS[1] - ENDS[0]), rest.0);
    let rsi = volume.1.split_vertically(ENDS[2] - ENDS[1]);
    draw_price(&rest, bars, levels)?;
    draw_volume(&volume.0, bars)?;
    draw_rsi(&rsi.0, bars)?;
    draw_macd(&rsi.1, bars)
}

fn draw_price(area: &Area<'_>, bars: &[Bar], levels: &[Level]) -> Drawn {
    let closes = series(bars, &bars.iter().map(|bar| Some(bar.close)).collect::<Vec<_>>());
    let means = [Indicator::Close50Sma, Indicator::Close200Sma].map(|mean| series(bars, &mean.series(bars)));
    let marked = levels.iter().map(|level| level.price);
    let values = closes.iter().chain(means.iter().flatten()).map(|point| point.1).chain(marked);
    let mut panel = panel(area, bars, range(values), false)?;
    for Level { price, .. } in levels {
        dashed(&mut panel, bars, *price, GREY)?;
    }
    for (mean, colour) in means.into_iter().zip([BLUE, VERMILION]) {
        panel.draw_series(LineSeries::new(mean, colour.stroke_width(2)))?;
    }
    panel.draw_series(LineSeries::new(closes, INK.stroke_width(2)))?;
    name_levels(&panel, area, levels)?;
    mark_day(&panel, area, bars)?;
    legend(area, &[("Close", INK), ("mean of 50 days", BLUE), ("mean of 200 days", VERMILION)])
}

/// The names and prices of the levels beside the panel, those that are close to each other apart.
fn name_levels(panel: &Panel<'_, '_>, area: &Area<'_>, levels: &[Level]) -> Drawn {
    let mut sorted: Vec<_> = levels.iter().collect();
    sorted.sort_by(|one, other| other.price.total_cmp(&one.price));
    let (origin, (width, _)) = (area.get_base_pixel(), area.dim_in_pixel());
    let left = i32::try_from(width - SCALE).unwrap_or_default() + 48;
    let mut next = 0;
    for Level { name, price } in sorted {
        let y = (panel.backend_coord(&(0.0, *price)).1 - origin.1).max(next);
        next = y + 13;
        area.draw(&Text::new(format!("– {name}"), (left, y), words(11, HPos::Left, VPos::Center)))?;
    }
    Ok(())
}

/// A line at the day of the analysis, with its date.
fn mark_day(panel: &Panel<'_, '_>, area: &Area<'_>, bars: &[Bar]) -> Drawn {
    let Some(last) = bars.last() else { return Ok(()) };
    let origin = area.get_base_pixel();
    let x = panel.backend_coord(&(days(bars).end - 1.0, last.close)).0 - origin.0;
    let height = i32::try_from(area.dim_in_pixel().1).unwrap_or_default();
    area.draw(&PathElement::new([(x, 24), (x, height)], GREEN.stroke_width(1)))?;
    let style = words(11, HPos::Right, VPos::Top).color(&GREEN);
    area.draw(&Text::new(format!("analysis {}", last.date), (x + 4, 8), style))
}

fn draw_volume(area: &Area<'_>, bars: &[Bar]) -> Drawn {
    let volumes = series(bars, &bars.iter().map(|bar| Some(bar.volume)).collect::<Vec<_>>());
    let most = volumes.iter().map(|point| point.1).fold(1.0, f64::max);
    let mut panel = panel(area, bars, 0.0..most * 1.25, false)?;
    panel.draw_series(
        volumes
            .into_iter()
            .map(|(day, volume)| Rectangle::new([(day - 0.35, 0.0), (day + 0.35, volume)], GREY.filled())),
    )?;
    legend(area, &[("Volume", GREY)])
}

fn draw_rsi(area: &Area<'_>, bars: &[Bar]) -> Drawn {
    let mut panel = panel(area, bars, 0.0..110.0, false)?;
    for bound in [30.0, 70.0] {
        dashed(&mut panel, bars, bound, GREY)?;
    }
    panel.draw_series(LineSeries::new(series(bars, &Indicator::Rsi.series(bars)), BLUE.stroke_width(2)))?;
    legend(area, &[("RSI of 14 days, overbought above 70, oversold below 30", BLUE)])
}

fn draw_macd(area: &Area<'_>, bars: &[Bar]) -> Drawn {
    let [macd, signal, difference] =
        [Indicator::Macd, Indicator::Macds, Indicator::Macdh].map(|indicator| series(bars, &indicator.series(bars)));
    let values = macd.iter().chain(&signal).chain(&difference).map(|point| point.1).chain([0.0]);
    let mut panel = panel(area, bars, range(values), true)?;
    panel.draw_series(
        difference
            .into_iter()
            .map(|(day, value)| Rectangle::new([(day - 0.35, 0.0), (day + 0.35, value)], GREY.filled())),
    )?;
    panel.draw_series(LineSeries::new(macd, BLUE.stroke_width(2)))?;
    panel.draw_series(LineSeries::new(signal, VERMILION.stroke_width(2)))?;
    legend(area, &[("MACD", BLUE), ("signal", VERMILION), ("difference", GREY)])
}

/// A panel with its scale and grid; `dated` if it has the dates below.
fn panel<'a, 'b>(
    area: &'a Area<'b>,
    bars: &[Bar],
    values: Range<f64>,
    dated: bool,
) -> Result<Panel<'a, 'b>, DrawingAreaErrorKind<std::io::Error>> {
    let shown = &bars[bars.len().saturating_sub(SHOWN)..];
    let mut panel = ChartBuilder::on(area)
        .margin_top(24)
        .margin_left(34)
        .set_label_area_size(LabelAreaPosition::Right, SCALE)
        .set_label_area_size(LabelAreaPosition::Bottom, if dated { 24 } else { 2 })
        .build_cartesian_2d(days(bars), values)?;
    let date = |day: &f64| day_of(shown, *day);
    panel
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(GRID)
        .label_style(words(11, HPos::Left, VPos::Center))
        .x_labels(if dated { 9 } else { 0 })
        .x_label_formatter(&date)
        .y_labels(if dated { 4 } else { 5 })
        .y_label_formatter(&|value| short(*value))
        .draw()?;
    Ok(panel)
}

/// A dashed line at a value.
fn dashed(panel: &mut Panel<'_, '_>, bars: &[Bar], value: f64, colour: RGBColor) -> Drawn {
    let Range { start, end } = days(bars);
    let line = [(start, value), (end, value)];
    panel.draw_series(DashedLineSeries::new(line, 5, 4, colour.stroke_width(1)))?;
    Ok(())
}

/// What the lines of a panel are, above it.
fn legend(area: &Area<'_>, entries: &[(&str, RGBColor)]) -> Drawn {
    let mut x = 10;
    for (name, colour) in entries {
        area.draw(&Rectangle::new([(x, 11), (x + 14, 14)], colour.filled()))?;
        area.draw(&Text::new(*name, (x + 19, 12), words(12, HPos::Left, VPos::Center)))?;
        x += 34 + 7 * i32::try_from(name.len()).unwrap_or_default();
    }
    Ok(())
}

fn words(size: u32, across: HPos, down: VPos) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&INK).pos(Pos::new(across, down))
}

/// The days that are shown, half a day before the first and after the last.
#[expect(clippy::cast_precision_loss, reason = "there are a few hundred days")]
fn days(bars: &[Bar]) -> Range<f64> {
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

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a negative number is the first day")]
fn day_of(shown: &[Bar], day: f64) -> String {
    shown.get(day.max(0.0) as usize).map_or_else(String::new, |bar| bar.date.format("%-d %b %Y").to_string())
}

/// A figure of a scale in few letters.
fn short(value: f64) -> String {
    match value.abs() {
        1e9.. => format!("{:.1}G", value / 1e9),
        1e6.. => format!("{:.0}M", value / 1e6),
        1e4.. => format!("{:.0}k", value / 1e3),
        20.0.. => format!("{value:.0}"),
        _ => format!("{value:.2}"),
    }
}
