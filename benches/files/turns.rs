//! [`Turns`]: several ways to do one thing, measured in turns.
#![allow(clippy::print_stdout)]

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

type Way<'a> = Box<dyn Fn(&Path, &Path) + 'a>;

/// Several ways to bring a directory to another place. The first is what the others are compared with.
pub(crate) struct Turns<'a> {
    title: String,
    scratch: &'a Path,
    ways: Vec<(String, Way<'a>)>,
}

impl<'a> Turns<'a> {
    pub(crate) fn new(scratch: &'a Path, title: &str) -> Self {
        Self { title: title.to_owned(), scratch, ways: Vec::new() }
    }

    pub(crate) fn add(&mut self, name: &str, way: impl Fn(&Path, &Path) + 'a) {
        self.ways.push((name.to_owned(), Box::new(way)));
    }

    /// Measures all ways, round after round, and prints their medians.
    pub(crate) fn run(&self, from: &Path, rounds: usize) {
        let mut times = vec![Vec::new(); self.ways.len()];
        // The first round warms the page cache and is not counted.
        for round in 0..=rounds {
            for ((_, way), times) in self.ways.iter().zip(&mut times) {
                let took = self.measure(from, way);
                if round > 0 {
                    times.push(took);
                }
            }
        }
        println!("{}", self.title);
        let medians: Vec<_> = times.into_iter().map(median).collect();
        for ((name, _), time) in self.ways.iter().zip(&medians) {
            let ratio = time.as_secs_f64() / medians[0].as_secs_f64();
            println!("  {name:<16} {:>8.0} ms   {ratio:>5.2} x cp -r", time.as_secs_f64() * 1e3);
        }
        println!();
    }

    fn measure(&self, from: &Path, way: &Way<'_>) -> Duration {
        let to = self.scratch.join("to");
        let began = Instant::now();
        way(from, &to);
        let took = began.elapsed();
        fs::remove_dir_all(&to).expect("the copy goes away");
        took
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
