//! A backtest's equity curves as an SVG picture, small enough to be drawn by hand. It has a white ground, for it is read as a
//! file too; where it is part of a page, the page's style replaces [`GROUND`], [`INK`], [`GRID`] and [`BLACK`], by the
//! attributes that have them.

use std::fmt::{self, Write};

use super::Backtest;

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 480.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 740.0;
const TOP: f64 = 48.0;
const BOTTOM: f64 = 436.0;

/// Horizontal lines of the grid, about.
const LINES: f64 = 6.0;

const GROUND: &str = "#FFFFFF";
const INK: &str = "#565F6D";
const GRID: &str = "#D9DDE4";
const BLACK: &str = "#000000";

/// Colours that people with any colour vision tell apart (Okabe and Ito, Color Universal Design, 2008); the firm's first.
const COLOURS: [&str; 6] = ["#d55e00", BLACK, "#0072b2", "#009e73", "#cc79a7", "#e69f00"];

/// The picture.
pub(super) fn of(backtest: &Backtest) -> String {
    let mut svg = String::new();
    // Writing to a String can't fail.
    let _ = draw(&mut svg, backtest);
    svg
}

/// The returns that the picture shows, percent.
struct Scale {
    low: f64,
    high: f64,
    step: f64,
}

fn draw(out: &mut String, backtest: &Backtest) -> fmt::Result {
    let Backtest { ticker, from, to, strategies, dates, .. } = backtest;
    let scale = Scale::over(strategies.iter().flat_map(|strategy| &strategy.equity));
    write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"13\" fill=\"{INK}\">\n<rect width=\"100%\" height=\"100%\" fill=\"{GROUND}\"/>\n<text x=\"{LEFT}\" y=\"28\" \
         font-size=\"16\">{ticker}, {from} to {to}: return in percent</text>\n"
    )?;
    draw_grid(out, &scale)?;
    for (day, anchor) in [(0, "start"), (dates.len() / 2, "middle"), (dates.len() - 1, "end")] {
        let (x, y) = (across(day, dates.len()), BOTTOM + 22.0);
        writeln!(out, "<text x=\"{x:.1}\" y=\"{y}\" text-anchor=\"{anchor}\">{}</text>", dates[day])?;
    }
    // The firm's curve is drawn last, over all others.
    for (number, (strategy, colour)) in strategies.iter().zip(COLOURS).enumerate().rev() {
        draw_curve(out, &scale, &strategy.equity, colour, if number == 0 { 2.5 } else { 1.5 })?;
        let y = TOP + 12.0 + 26.0 * f64::from(u8::try_from(number).unwrap_or(u8::MAX));
        let (name, percent) =
            (strategy.name.replace('&', "&amp;").replace('<', "&lt;"), strategy.performance.cumulative_return);
        writeln!(
            out,
            "<rect x=\"760\" y=\"{}\" width=\"14\" height=\"4\" fill=\"{colour}\"/><text x=\"782\" y=\"{y}\">{name} \
             {percent:+.2} %</text>",
            y - 6.0
        )?;
    }
    writeln!(out, "</svg>")
}

fn draw_grid(out: &mut String, scale: &Scale) -> fmt::Result {
    let mut percent = scale.low;
    while percent <= scale.high + scale.step / 2.0 {
        let y = scale.height_of(percent);
        let colour = if percent.abs() < scale.step / 2.0 { "#888888" } else { GRID };
        writeln!(
            out,
            "<path d=\"M{LEFT} {y:.1}H{RIGHT}\" stroke=\"{colour}\"/><text x=\"{}\" y=\"{:.1}\" \
             text-anchor=\"end\">{percent:.*}</text>",
            LEFT - 8.0,
            y + 4.0,
            usize::from(scale.step < 1.0),
        )?;
        percent += scale.step;
    }
    Ok(())
}

fn draw_curve(out: &mut String, scale: &Scale, equity: &[f64], colour: &str, width: f64) -> fmt::Result {
    write!(out, "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\" points=\"")?;
    for (day, worth) in equity.iter().enumerate() {
        write!(out, "{:.1},{:.1} ", across(day, equity.len()), scale.height_of((worth - 1.0) * 100.0))?;
    }
    writeln!(out, "\"/>")
}

impl Scale {
    /// The range of the returns, widened to whole steps of 1, 2 or 5 times a power of ten.
    fn over<'a>(worth: impl Iterator<Item = &'a f64>) -> Self {
        let (mut low, mut high) = (0.0_f64, 0.0_f64);
        for worth in worth {
            let percent = (worth - 1.0) * 100.0;
            (low, high) = (low.min(percent), high.max(percent));
        }
        let rough = (high - low).max(0.5) / LINES;
        let power = 10.0_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|times| times * power).into_iter().find(|step| *step >= rough);
        let step = step.unwrap_or(rough);
        Self { low: (low / step).floor() * step, high: ((high / step).ceil() * step).max(step), step }
    }

    fn height_of(&self, percent: f64) -> f64 {
        BOTTOM - (percent - self.low) / (self.high - self.low) * (BOTTOM - TOP)
    }
}

/// Where a day of so many stands.
#[expect(clippy::cast_precision_loss, reason = "there are far fewer than 2^52 days")]
fn across(day: usize, of: usize) -> f64 {
    LEFT + (RIGHT - LEFT) * day as f64 / (of.max(2) - 1) as f64
}
