//! `leftovers REPOSITORY`

use std::fmt;

use crate::{
    Leftover,
    cli::{args, exit::Exit, failure::Failure, places, progress::follow, screen::Screen},
    leftovers::LeftoverKind,
};

/// The arguments of `leftovers`.
#[derive(Debug, clap::Args)]
pub(crate) struct Leftovers {
    /// Where the backups lie.
    repository: String,
    /// Delete what is found. An unfinished backup can no longer be resumed then.
    #[arg(long)]
    remove: bool,
    #[command(flatten)]
    options: args::Target,
}

impl Leftovers {
    pub(crate) async fn run(self, screen: &Screen) -> Result<Exit, Failure> {
        let repository = places::repository(&self.repository, &self.options.target_options, screen).await?;
        let leftovers = follow(repository.leftovers().start(), screen).await?;
        if self.remove {
            for leftover in &leftovers {
                follow(repository.remove(leftover).start(), screen).await?;
            }
        }
        screen.answer(&leftovers, Shown(&leftovers, self.remove))?;
        Ok(Exit::Done)
    }
}

struct Shown<'a>(&'a [Leftover], bool);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(leftovers, removed) = self;
        if leftovers.is_empty() {
            return writeln!(f, "nothing is left over");
        }
        let done = if *removed { "deleted" } else { "found" };
        leftovers.iter().try_for_each(|leftover| {
            let Leftover { name, objects, bytes, kind, .. } = leftover;
            let kind = match kind {
                LeftoverKind::Unfinished => "unfinished backup",
                LeftoverKind::Staging => "half-written objects",
            };
            writeln!(f, "{done}: {name:<28} {kind:<20} {objects:>10} {bytes:>10}")
        })
    }
}
