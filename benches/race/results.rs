//! [`Results`]: what came of all contests, as tables and as a plot.

use std::{collections::BTreeMap, fmt, path::Path, thread::available_parallelism, time::Duration};

use influx_backup_benches::{Bar, Bars, Report, Table};

use super::{
    Result,
    contest::{Outcome, PROGRAM, RELAXED},
    ground::Work,
    peers::Peer,
};

/// What came of all contests.
#[derive(Debug)]
pub(crate) struct Results {
    head: Report,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    work: Work,
    name: String,
    outcomes: BTreeMap<&'static str, Outcome>,
    /// Why there are none.
    why: Option<String>,
}

impl Results {
    pub(crate) fn new(disk: &Path, rounds: usize) -> Self {
        let text = format!(
            "A cell: seconds by the clock / seconds of the processors / peak memory in MiB, all of the client; medians of \
             {rounds}. In brackets: how many times as long as `influx-backup` it takes, and as `influx-backup, relaxed` where it \
             leaves files to the system, too."
        );
        Self { head: Report::new("Race", &text, disk), rows: Vec::new() }
    }

    pub(crate) fn add(&mut self, work: Work, name: String, outcomes: Vec<(&'static str, Outcome)>) {
        self.rows.push(Row { work, name, outcomes: outcomes.into_iter().collect(), why: None });
    }

    pub(crate) fn not_run(&mut self, work: Work, name: String, why: &dyn std::error::Error) {
        eprintln!("  not run: {why}");
        self.rows.push(Row { work, name, outcomes: BTreeMap::new(), why: Some(format!("not run: {why}")) });
    }

    /// Writes `race.md` and `race.svg`.
    pub(crate) fn write(&self, directory: &Path) -> Result {
        self.report().write(directory, "race")?;
        let bars: Vec<_> = self.rows.iter().map(Row::bars).collect();
        Bars::draw(&bars, PROGRAM, &directory.join("race.svg"))
    }

    fn report(&self) -> Report {
        let mut report = self.head.clone();
        for (title, is_of_stores) in [("Files", false), ("A store", true)] {
            let rows = || self.rows.iter().filter(|row| row.work.is_of_stores() == is_of_stores);
            let columns: Vec<_> = columns().filter(|name| rows().any(|row| row.outcomes.contains_key(name))).collect();
            let mut table = Table::new(["work"].into_iter().chain(columns.iter().copied()));
            for row in rows() {
                table.row([row.name.clone()].into_iter().chain(columns.iter().map(|name| row.cell(name))));
            }
            report.section(title, &table);
            for row in rows() {
                if let Some(why) = &row.why {
                    report.paragraph(&format!("{}: {why}", row.name));
                }
            }
        }
        self.add_store(&mut report);
        let version = |peer: Peer| format!("{}: {}", peer.name(), peer.version().as_deref().unwrap_or("missing"));
        report.paragraph(&format!("Versions: {}.", Peer::ALL.map(version).join("; ")));
        report
    }

    /// What MinIO took of the processors, which it shares with its clients.
    fn add_store(&self, report: &mut Report) {
        let rows = || self.rows.iter().filter(|row| row.work.is_of_stores() && row.why.is_none());
        let columns: Vec<_> = columns().filter(|name| rows().any(|row| row.store_took(name).is_some())).collect();
        if columns.is_empty() {
            return;
        }
        let mut table = Table::new(["work"].into_iter().chain(columns.iter().copied()));
        for row in rows() {
            let took = |name: &&str| row.store_took(name).map(|took| format!("{:.1}", took.as_secs_f64()));
            table.row([row.name.clone()].into_iter().chain(columns.iter().map(|name| took(name).unwrap_or_default())));
        }
        report.section("What MinIO took of the processors meanwhile, in seconds", &table);
        let processors = available_parallelism().map_or(1, usize::from);
        report.paragraph(&format!(
            "It runs beside its clients on {processors} processors: none of them can end before this divided by {processors}, not even \
             one that takes nothing."
        ));
    }
}

impl fmt::Display for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.report().fmt(f)
    }
}

impl Row {
    fn store_took(&self, name: &str) -> Option<Duration> {
        match self.outcomes.get(name)? {
            Outcome::Measured(_, store) => *store,
            Outcome::Missing | Outcome::Failed => None,
        }
    }

    fn cell(&self, name: &str) -> String {
        match self.outcomes.get(name) {
            None => String::new(),
            Some(Outcome::Missing) => "missing".to_owned(),
            Some(Outcome::Failed) => "failed".to_owned(),
            Some(Outcome::Measured(cost, _)) => {
                let is_durable = Peer::ALL.iter().any(|peer| peer.is_durable() && peer.name() == name);
                let beside = if is_durable { PROGRAM } else { RELAXED };
                let beside = self.outcomes.get(beside).or_else(|| self.outcomes.get(PROGRAM));
                match beside {
                    Some(Outcome::Measured(program, _)) if !name.starts_with(PROGRAM) => {
                        format!("{cost} ({:.2}×)", cost.wall.as_secs_f64() / program.wall.as_secs_f64())
                    }
                    _ => cost.to_string(),
                }
            }
        }
    }

    fn bars(&self) -> Bars {
        let bar = |name: &'static str| match self.outcomes.get(name)? {
            Outcome::Measured(cost, _) => Some(Bar {
                name: name.to_owned(),
                value: cost.wall.as_secs_f64(),
                label: format!(
                    "{:.1} s, processors {:.1} s, {} MiB",
                    cost.wall.as_secs_f64(),
                    cost.processor.as_secs_f64(),
                    cost.mib()
                ),
            }),
            Outcome::Missing => Some(Bar { name: name.to_owned(), value: 0.0, label: "missing".to_owned() }),
            Outcome::Failed => Some(Bar { name: name.to_owned(), value: 0.0, label: "failed".to_owned() }),
        };
        Bars { title: self.name.clone(), bars: columns().filter_map(bar).collect() }
    }
}

/// The names of all ways, in the order of the tables.
fn columns() -> impl Iterator<Item = &'static str> {
    [PROGRAM, RELAXED].into_iter().chain(Peer::ALL.map(Peer::name))
}
