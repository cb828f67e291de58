//! What each verb takes of time and memory as the number of objects grows, with `--memory 64MiB` where a verb takes it.
//!
//! Each verb is a process, over a cluster of files of 1 KiB that the program's generator wrote.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::{error::Error, process::Command};

use clap::{Parser, ValueEnum};
use influx_backup_benches::{Cost, Lines, Minio, Report, Setup, Table, files_below, fresh, settle};

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

const VERBS: [&str; 9] = [
    "discover",
    "plan",
    "backup",
    "second backup",
    "certify",
    "verify by listing",
    "verify by bytes",
    "list",
    "restore",
];

#[derive(Debug, Parser)]
struct Arguments {
    #[command(flatten)]
    setup: Setup,
    /// How many objects there are, about, one number after the other.
    #[arg(
        long,
        env = "INFLUX_BACKUP_BENCH_OBJECTS",
        value_name = "N,…",
        value_delimiter = ',',
        default_value = "1000,10000,100000,1000000"
    )]
    objects: Vec<u64>,
    /// Where cluster, backups and what is restored lie.
    #[arg(long, env = "INFLUX_BACKUP_BENCH_PLACE", value_enum, default_value_t = Place::Files)]
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Place {
    Files,
    Minio,
}

/// The costs of all verbs over one cluster.
struct Step {
    objects: usize,
    costs: Vec<Cost>,
}

fn main() -> Result {
    let Arguments { setup, objects, place } = Arguments::parse();
    let mut steps = Vec::new();
    for about in objects {
        steps.push(measure(&setup, about, place)?);
        // After each step: the last one takes longer than all before it.
        write(&setup, place, &steps)?;
    }
    println!("{}", report(&setup, place, &steps)?);
    Ok(())
}

fn measure(setup: &Setup, about: u64, place: Place) -> Result<Step> {
    let scratch = setup.scratch()?;
    let at = |name: &str| scratch.path().join(name);
    let text = |name: &str| at(name).to_string_lossy().into_owned();

    // A snapshot of two nodes is fourteen files; thirty come with the first.
    let snapshots = (about.saturating_sub(30) / 14).max(1).to_string();
    let files = text("source");
    Cost::of(&mut setup.program(["generate", &*files, "--snapshots", &snapshots, "--file-size", "1KiB"]))?;
    let objects = files_below(&at("source"))?.0;
    eprintln!("{objects} objects");

    let minio = match place {
        Place::Files => None,
        Place::Minio => {
            let mut minio = Minio::start(&at("minio"))?;
            minio.empty(&["source", "backups", "restored"])?;
            Some(minio)
        }
    };
    let command = |arguments: &[&str]| -> Command {
        let mut command = setup.program(arguments.iter().copied());
        if let Some(minio) = &minio {
            minio.give_to(&mut command);
        }
        command
    };
    let [source, backups, restored] = ["source", "backups", "restored"].map(|name| match place {
        Place::Files => text(name),
        Place::Minio => format!("s3://{name}"),
    });
    if place == Place::Minio {
        Cost::of(&mut command(&["backup", &files, &backups, "--name", "seed"]))?;
        Cost::of(&mut command(&["restore", &format!("{backups}/seed"), &source]))?;
    }

    let backup = format!("{backups}/one");
    let measured = |verb: &str| -> Result<Cost> {
        let mut arguments = match verb {
            "discover" => vec!["discover", &source],
            "plan" => vec!["plan", &source, &backups],
            "backup" => vec!["backup", &source, &backups, "--name", "one"],
            "second backup" => vec!["backup", &source, &backups, "--name", "two"],
            "certify" => vec!["certify", &backup],
            "verify by listing" => vec!["verify", &backup, "--level", "listing"],
            "verify by bytes" => vec!["verify", &backup, "--level", "bytes"],
            "list" => vec!["list", &backups],
            _ => vec!["restore", &backup, &restored],
        };
        if !matches!(arguments[0], "discover" | "plan" | "list") {
            arguments.extend(["--memory", "64MiB"]);
        }
        settle()?;
        let cost = Cost::of(&mut command(&arguments))?;
        eprintln!("  {verb:<18} {cost}");
        if verb == "list" && place == Place::Files {
            // Room for what is restored.
            fresh(&at("backups").join("two"))?;
        }
        Ok(cost)
    };
    Ok(Step { objects, costs: VERBS.into_iter().map(measured).collect::<Result<_>>()? })
}

const fn name(place: Place) -> &'static str {
    match place {
        Place::Files => "growth-files",
        Place::Minio => "growth-minio",
    }
}

fn write(setup: &Setup, place: Place, steps: &[Step]) -> Result {
    report(setup, place, steps)?.write(setup.results(), name(place))?;
    let chart = |title: &str, axis, of: fn(&Cost) -> f64| Lines {
        title: title.to_owned(),
        axes: ["objects", axis],
        lines: VERBS
            .into_iter()
            .enumerate()
            .map(|(at, verb)| {
                #[allow(clippy::cast_precision_loss)]
                let points = steps.iter().map(|step| (step.objects as f64, of(&step.costs[at]))).collect();
                (verb.to_owned(), points)
            })
            .collect(),
    };
    let charts = [
        chart("Time by the clock", "seconds", |cost| cost.wall.as_secs_f64()),
        #[allow(clippy::cast_precision_loss)]
        chart("Peak memory", "MiB", |cost| cost.memory as f64 / f64::from(1 << 20)),
    ];
    Lines::draw(&charts, &setup.results().join(name(place)).with_extension("svg"))
}

fn report(setup: &Setup, place: Place, steps: &[Step]) -> Result<Report> {
    let text = "A cell: seconds by the clock / seconds of the processors / peak memory in MiB. The last column: how many bytes of \
                memory each further object takes, between the last two numbers of objects.";
    let mut columns = vec!["verb".to_owned()];
    columns.extend(steps.iter().map(|step| format!("{} objects", step.objects)));
    columns.push("bytes an object".to_owned());
    let mut table = Table::new(columns);
    for (at, verb) in VERBS.into_iter().enumerate() {
        let mut row = vec![verb.to_owned()];
        row.extend(steps.iter().map(|step| step.costs[at].to_string()));
        row.push(match steps {
            [.., before, last] => {
                let more = last.costs[at].memory.saturating_sub(before.costs[at].memory);
                (more / last.objects.saturating_sub(before.objects).max(1) as u64).to_string()
            }
            _ => String::new(),
        });
        table.row(row);
    }
    let title = match place {
        Place::Files => "Growth, on files",
        Place::Minio => "Growth, on a MinIO",
    };
    let mut report = Report::new(title, text, setup.disk()?);
    report.section("Verbs", &table);
    Ok(report)
}
