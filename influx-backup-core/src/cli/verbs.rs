//! The verbs, one file each.

mod backup;
mod certify;
mod completions;
mod discover;
mod generate;
mod leftovers;
mod list;
mod plan;
mod restore;
mod verify;

use clap::Subcommand;

use crate::cli::{exit::Exit, failure::Failure, screen::Screen};

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Show the cluster at a location: edition, ids, nodes, catalog, licenses, and the evidence.
    Discover(discover::Discover),
    /// Show what a backup would copy, in which order, and what it would skip. Writes nothing.
    Plan(plan::Plan),
    /// Back up a cluster, running or stopped, and prove that the backup restores.
    Backup(backup::Backup),
    /// Prove that a tree restores: a backup, a copy that a script made, or a stopped cluster.
    Certify(certify::Certify),
    /// Check that a backup is unchanged.
    Verify(verify::Verify),
    /// Restore a backup.
    Restore(restore::Restore),
    /// List the backups of a repository.
    List(list::List),
    /// List what failed attempts left in a repository, and delete it with --remove.
    Leftovers(leftovers::Leftovers),
    /// Write a small generated cluster into a directory, to try the other commands on.
    Generate(generate::Generate),
    /// Print the completions of this program for a shell, to be sourced.
    Completions(completions::Completions),
}

impl Verb {
    pub(crate) async fn run(self, screen: &Screen) -> Result<Exit, Failure> {
        match self {
            Self::Discover(verb) => verb.run(screen).await,
            Self::Plan(verb) => verb.run(screen).await,
            Self::Backup(verb) => verb.run(screen).await,
            Self::Certify(verb) => verb.run(screen).await,
            Self::Verify(verb) => verb.run(screen).await,
            Self::Restore(verb) => verb.run(screen).await,
            Self::List(verb) => verb.run(screen).await,
            Self::Leftovers(verb) => verb.run(screen).await,
            Self::Generate(verb) => verb.run(screen),
            Self::Completions(verb) => verb.run(screen),
        }
    }
}
