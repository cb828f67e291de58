//! `completions SHELL`

use clap::CommandFactory;
use clap_complete::{generate, shells};

use crate::{
    cli::{
        args::{self, Args},
        exit::Exit,
        failure::Failure,
        screen::Screen,
    },
    named::named,
};

/// The arguments of `completions`.
#[derive(Debug, clap::Args)]
pub(crate) struct Completions {
    /// The shell that reads them.
    #[arg(value_parser = args::choice::<Shell>(Shell::NAMES))]
    shell: Shell,
}

/// A shell that completes commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

named!(Shell, "shell", { Bash => "bash", Zsh => "zsh", Fish => "fish" });

impl Completions {
    pub(crate) fn run(self, screen: &Screen) -> Result<Exit, Failure> {
        let mut program = Args::command();
        let name = program.get_name().to_owned();
        let mut script = Vec::new();
        match self.shell {
            Shell::Bash => generate(shells::Bash, &mut program, name, &mut script),
            Shell::Zsh => generate(shells::Zsh, &mut program, name, &mut script),
            Shell::Fish => generate(shells::Fish, &mut program, name, &mut script),
        }
        let script = String::from_utf8_lossy(&script);
        screen.answer(&script, &script)?;
        Ok(Exit::Done)
    }
}
