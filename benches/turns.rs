//! [`Turns`]: several ways to do one thing, measured in turns.
#![allow(clippy::print_stdout)]

use std::time::{Duration, Instant};

type Way<'a> = (&'static str, Box<dyn Fn() + 'a>);

/// Several ways to do one thing. The first is what the others are compared with.
pub(crate) struct Turns<'a> {
    title: String,
    ways: Vec<Way<'a>>,
}

impl<'a> Turns<'a> {
    pub(crate) fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), ways: Vec::new() }
    }

    pub(crate) fn add(&mut self, name: &'static str, way: impl Fn() + 'a) {
        self.ways.push((name, Box::new(way)));
    }

    /// Measures all ways, round after round, undoing each, and prints their medians.
    pub(crate) fn run(&self, rounds: usize, undo: impl Fn()) {
        let mut times = vec![Vec::new(); self.ways.len()];
        // The first round warms the page cache and is not counted.
        for round in 0..=rounds {
            for ((_, way), times) in self.ways.iter().zip(&mut times) {
                let began = Instant::now();
                way();
                let took = began.elapsed();
                undo();
                if round > 0 {
                    times.push(took);
                }
            }
        }
        println!("{}", self.title);
        let medians: Vec<_> = times.into_iter().map(median).collect();
        for ((name, _), time) in self.ways.iter().zip(&medians) {
            let ratio = time.as_secs_f64() / medians[0].as_secs_f64();
            println!("  {name:<16} {:>8.0} ms   {ratio:>5.2} x {}", time.as_secs_f64() * 1e3, self.ways[0].0);
        }
        println!();
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
