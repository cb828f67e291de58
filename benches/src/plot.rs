//! Plots as SVG: bars for a race, lines for growth.

use std::{error::Error, fs, path::Path};

use plotters::{
    coord::Shift,
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

const FONT: &str = "sans-serif";
const WIDTH: u32 = 1000;
/// The room that the names of lines have.
const LEGEND: u32 = 160;

/// Bars of one scale.
#[derive(Debug, Clone, Default)]
pub struct Bars {
    /// What they compare.
    pub title: String,
    /// From the top.
    pub bars: Vec<Bar>,
}

/// A bar, with its name before it and what it stands for behind it.
#[derive(Debug, Clone)]
pub struct Bar {
    /// Its name.
    pub name: String,
    /// Its length.
    pub value: f64,
    /// What is written behind it.
    pub label: String,
}

impl Bars {
    /// Draws some below one another; the bars of the program that is measured have another color.
    ///
    /// # Errors
    ///
    /// Where the file cannot be written.
    pub fn draw(all: &[Self], program: &str, file: &Path) -> Result {
        const LINE: i32 = 20;
        const LEFT: i32 = 190;
        const ROOM: f64 = 560.0;
        let lines: usize = all.iter().map(|bars| bars.bars.len() + 2).sum();
        let area = area(file, u32::try_from(lines)? * LINE.unsigned_abs() + 10)?;
        let text = left(15);
        let mut y = 10;
        for bars in all {
            area.draw(&Text::new(&*bars.title, (10, y + 10), left(18)))?;
            let longest = bars.bars.iter().map(|bar| bar.value).fold(f64::MIN_POSITIVE, f64::max);
            for bar in &bars.bars {
                y += LINE;
                #[allow(clippy::cast_possible_truncation)]
                let end = LEFT + (bar.value / longest * ROOM) as i32;
                let color =
                    if bar.name.starts_with(program) { RGBColor(31, 119, 180) } else { RGBColor(190, 190, 190) };
                let name = text.pos(Pos::new(HPos::Right, VPos::Center));
                area.draw(&Text::new(&*bar.name, (LEFT - 8, y + 10), name))?;
                area.draw(&Rectangle::new([(LEFT, y + 3), (end, y + LINE - 3)], color.filled()))?;
                area.draw(&Text::new(&*bar.label, (end + 6, y + 10), text.clone()))?;
            }
            y += 2 * LINE;
        }
        Ok(area.present()?)
    }
}

/// Lines of one chart, both of whose axes are logarithmic.
#[derive(Debug, Clone, Default)]
pub struct Lines {
    /// What they show.
    pub title: String,
    /// What the axes are.
    pub axes: [&'static str; 2],
    /// Each with its name.
    pub lines: Vec<(String, Vec<(f64, f64)>)>,
}

impl Lines {
    /// Draws some charts below one another.
    ///
    /// # Errors
    ///
    /// Where the file cannot be written.
    pub fn draw(all: &[Self], file: &Path) -> Result {
        let area = area(file, 420 * u32::try_from(all.len())?)?;
        for (lines, area) in all.iter().zip(area.split_evenly((all.len(), 1))) {
            lines.draw_into(&area)?;
        }
        Ok(area.present()?)
    }

    fn draw_into(&self, area: &Area<'_>) -> Result {
        // From a power of ten to another, so that each axis has numbers.
        let range = |one: fn(&(f64, f64)) -> f64| {
            let values = || self.lines.iter().flat_map(|(_, points)| points).map(one).filter(|value| *value > 0.0);
            let least = values().fold(f64::INFINITY, f64::min).log10().floor();
            let most = values().fold(f64::MIN_POSITIVE, f64::max).log10().ceil();
            10_f64.powf(least)..10_f64.powf(most.max(least + 1.0))
        };
        let mut chart = ChartBuilder::on(area)
            .caption(&self.title, (FONT, 20))
            .margin(10)
            .margin_right(LEGEND)
            .x_label_area_size(40)
            .y_label_area_size(70)
            .build_cartesian_2d(range(|point| point.0).log_scale(), range(|point| point.1).log_scale())?;
        chart
            .configure_mesh()
            .x_label_formatter(&|objects| format!("{objects:.0}"))
            .x_desc(self.axes[0])
            .y_desc(self.axes[1])
            .draw()?;
        // Names beside the chart, where they hide nothing.
        let x = i32::try_from(WIDTH - LEGEND)?;
        for ((at, (name, points)), y) in self.lines.iter().enumerate().zip((40..).step_by(20)) {
            let color = Palette99::pick(at).stroke_width(2);
            chart.draw_series(LineSeries::new(points.iter().copied(), color).point_size(3))?;
            area.draw(&PathElement::new([(x + 5, y), (x + 25, y)], color))?;
            area.draw(&Text::new(&**name, (x + 32, y), left(15)))?;
        }
        Ok(())
    }
}

fn left(size: u32) -> TextStyle<'static> {
    TextStyle::from((FONT, size)).pos(Pos::new(HPos::Left, VPos::Center))
}

fn area(file: &Path, height: u32) -> Result<Area<'_>> {
    if let Some(directory) = file.parent() {
        fs::create_dir_all(directory)?;
    }
    let area = SVGBackend::new(file, (WIDTH, height)).into_drawing_area();
    area.fill(&WHITE)?;
    Ok(area)
}
