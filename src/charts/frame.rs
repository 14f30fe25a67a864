//! What each panel of a chart has: a grid with its scale at the left, a line for each month and one for the day of the
//! analysis, lines and columns of values, and what their last values are at the right.

use std::ops::Range;

use chrono::Datelike;
use plotters::{
    coord::{ranged1d::Ranged, types::RangedCoordf64},
    prelude::*,
    style::text_anchor::{HPos, VPos},
};

use super::{
    SHOWN,
    panels::{Area, Drawn, GREY, GRID, days, short, words},
};
use crate::market::Bar;

/// The room above a panel, for its legend.
const TOP: u32 = 26;
/// For the scale.
const LEFT: u32 = 58;
/// For the last values and the levels.
const RIGHT: u32 = 150;

/// Of a line of words.
const LINE: i32 = 17;

/// Of a letter, about.
const LETTER: f64 = 7.2;

/// What stands at the right of a panel: words, the value that they stand beside, and its colour.
type Tag = (String, f64, RGBColor);

/// A panel.
pub struct Frame<'a, 'b> {
    area: &'a Area<'b>,
    bars: &'a [Bar],
    values: Range<f64>,
    chart: ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>,
    bottom: u32,
}

impl<'a, 'b> Frame<'a, 'b> {
    /// An empty panel for these values, with so much room below, and the lines of the months and of the day of the analysis.
    pub fn new(
        area: &'a Area<'b>,
        bars: &'a [Bar],
        values: Range<f64>,
        bottom: u32,
    ) -> Result<Self, DrawingAreaErrorKind<std::io::Error>> {
        let chart = ChartBuilder::on(area)
            .margin_top(TOP)
            .margin_left(LEFT)
            .margin_right(RIGHT)
            .margin_bottom(bottom)
            .build_cartesian_2d(days(bars), values.clone())?;
        let bars = &bars[bars.len().saturating_sub(SHOWN)..];
        let frame = Self { area, bars, values, chart, bottom };
        for (day, _) in months(bars) {
            frame.upright(day, frame.y(frame.values.end), GRID)?;
        }
        frame.upright(frame.last_day(), 0, GREY)?;
        Ok(frame)
    }

    /// Round values, about so many.
    pub fn ticks(&self, count: usize) -> Vec<f64> {
        RangedCoordf64::from(self.values.clone()).key_points(count)
    }

    /// The lines of the grid, and their values at the left.
    pub fn scale(&self, ticks: &[f64]) -> Drawn {
        let Range { start, end } = days(self.bars);
        for value in ticks {
            let y = self.y(*value);
            self.area.draw(&PathElement::new([(self.x(start), y), (self.x(end), y)], GRID.stroke_width(1)))?;
            let place = (self.x(start) - 8, y);
            self.area.draw(&Text::new(short(*value), place, words(HPos::Right, VPos::Center)))?;
        }
        Ok(())
    }

    /// The date of the analysis above its line.
    pub fn name_day(&self) -> Drawn {
        let Some(last) = self.bars.last() else { return Ok(()) };
        let place = (self.x(self.last_day()) - 6, 12);
        self.area.draw(&Text::new(format!("analysis {}", last.date), place, words(HPos::Right, VPos::Center)))
    }

    /// Every other month below its line, the last for certain.
    pub fn name_months(&self) -> Drawn {
        let y = self.y(self.values.start) + 10;
        for (day, name) in months(self.bars).into_iter().rev().step_by(2) {
            self.area.draw(&Text::new(name, (self.x(day), y), words(HPos::Center, VPos::Top)))?;
        }
        Ok(())
    }

    /// A dashed line at a value.
    pub fn dashed(&mut self, value: f64, colour: RGBColor) -> Drawn {
        let Range { start, end } = days(self.bars);
        let line = [(start, value), (end, value)];
        self.chart.draw_series(DashedLineSeries::new(line, 6, 4, colour.stroke_width(1)))?;
        Ok(())
    }

    /// Values as a line.
    pub fn line(&mut self, values: Vec<(f64, f64)>, colour: RGBColor) -> Drawn {
        self.chart.draw_series(LineSeries::new(values, colour.stroke_width(2)))?;
        Ok(())
    }

    /// Values as columns from zero.
    pub fn columns(&mut self, values: Vec<(f64, f64)>) -> Drawn {
        let column = |(day, value)| Rectangle::new([(day - 0.35, 0.0), (day + 0.35, value)], GREY.filled());
        self.chart.draw_series(values.into_iter().map(column))?;
        Ok(())
    }

    /// Words at the right, each joined to its value; those of values that are close to each other are moved apart.
    pub fn tags(&self, mut tags: Vec<Tag>) -> Drawn {
        tags.sort_by(|one, other| other.1.total_cmp(&one.1));
        let places = apart(&tags.iter().map(|tag| self.y(tag.1)).collect::<Vec<_>>(), self.height() - LINE / 2);
        let edge = self.x(days(self.bars).end);
        for ((text, value, colour), y) in tags.into_iter().zip(places) {
            let joint = [(edge, self.y(value)), (edge + 12, y), (edge + 18, y)];
            self.area.draw(&PathElement::new(joint, colour.stroke_width(2)))?;
            self.area.draw(&Text::new(text, (edge + 23, y), words(HPos::Left, VPos::Center)))?;
        }
        Ok(())
    }

    /// What the lines and columns are, above the panel.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "names have a few letters")]
    pub fn legend(&self, entries: &[(&str, RGBColor)]) -> Drawn {
        let mut x = self.x(days(self.bars).start);
        for (name, colour) in entries {
            self.area.draw(&PathElement::new([(x, 12), (x + 16, 12)], colour.stroke_width(3)))?;
            self.area.draw(&Text::new(*name, (x + 22, 12), words(HPos::Left, VPos::Center)))?;
            x += 44 + (LETTER * name.len() as f64) as i32;
        }
        Ok(())
    }

    /// A line from `top` to the end of the panel.
    fn upright(&self, day: f64, top: i32, colour: RGBColor) -> Drawn {
        let x = self.x(day);
        self.area.draw(&PathElement::new([(x, top), (x, self.height())], colour.stroke_width(1)))
    }

    fn last_day(&self) -> f64 {
        days(self.bars).end - 1.0
    }

    /// Where the panel ends, without the room below.
    fn height(&self) -> i32 {
        i32::try_from(self.area.dim_in_pixel().1 - self.bottom).unwrap_or_default()
    }

    fn x(&self, day: f64) -> i32 {
        self.chart.backend_coord(&(day, self.values.start)).0 - self.area.get_base_pixel().0
    }

    fn y(&self, value: f64) -> i32 {
        self.chart.backend_coord(&(0.0, value)).1 - self.area.get_base_pixel().1
    }
}

/// The first days of the months, with their names.
#[expect(clippy::cast_precision_loss, reason = "there are a few hundred days")]
fn months(bars: &[Bar]) -> Vec<(f64, String)> {
    let firsts = bars.windows(2).enumerate().filter(|(_, days)| days[0].date.month() != days[1].date.month());
    firsts.map(|(before, days)| ((before + 1) as f64, days[1].date.format("%b %Y").to_string())).collect()
}

/// Places for lines of words, from the top, near the wished ones and not below `end`.
fn apart(wished: &[i32], end: i32) -> Vec<i32> {
    let mut places = Vec::with_capacity(wished.len());
    for y in wished {
        places.push(places.last().map_or(*y, |above| (*y).max(above + LINE)));
    }
    let mut below = end + LINE;
    for y in places.iter_mut().rev() {
        *y = (*y).min(below - LINE);
        below = *y;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_close_values_stand_apart_within_the_panel() {
        assert_eq!(apart(&[10, 100, 102, 103], 300), [10, 100, 117, 134]);
        assert_eq!(apart(&[80, 95, 99], 100), [66, 83, 100]);
    }
}
