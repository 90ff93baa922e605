//! How a program reads its command line, and what is generated from it: completions for a shell, pages for `man`.

use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::error::{ContextKind, ContextValue};
use clap::{Args, Command, Parser, Subcommand};
use clap_complete::Shell;

use crate::exit::Exit;
use sluice_core::visible;

/// The two commands that every program has beside its own.
#[derive(Debug, Subcommand)]
pub enum Reference {
    /// Print shell completions
    ///
    /// For bash: `source <(PROGRAM completions bash)`, or write them to a file in /etc/bash_completion.d.
    Completions(Completions),
    /// Write manual pages for man(1), one per command
    Man(Man),
}

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// Shell to generate completions for
    shell: Shell,
}

/// Arguments of `man`.
#[derive(Debug, Args)]
pub struct Man {
    /// Folder to write to, such as /usr/local/share/man/man1; created if it does not exist
    dir: PathBuf,
}

impl Reference {
    /// Does it for the program `P`.
    ///
    /// # Errors
    /// When a page, or stdout, cannot be written.
    pub fn run<P: Parser>(&self) -> anyhow::Result<Exit> {
        match self {
            Self::Completions(Completions { shell }) => {
                let mut script = Vec::new();
                let mut command = P::command();
                let name = command.get_name().to_owned();
                clap_complete::generate(*shell, &mut command, name, &mut script);
                match io::stdout().write_all(&script) {
                    // The reader has closed the pipe.
                    Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
                    written => written.context("cannot print the completions")?,
                }
            }
            Self::Man(Man { dir }) => {
                man(P::command(), dir).with_context(|| format!("cannot write manual pages to {}", dir.display()))?;
            }
        }
        Ok(Exit::Done)
    }
}

fn man(command: Command, dir: &Path) -> io::Result<()> {
    std::fs::create_dir_all(dir)?;
    clap_mangen::generate_to(command, dir)
}

/// Parses the command line, or exits with an error and the usage. The error repeats the input, so hidden characters in
/// it are escaped.
#[must_use]
pub fn parse<P: Parser>() -> P {
    P::try_parse().unwrap_or_else(|mut error| {
        // clap treats values from the environment as given on the command line, and shows each such flag in the usage
        // as if it were required.
        if error.get(ContextKind::Usage).is_some() {
            let usage = usage(P::command(), std::env::args().skip(1));
            error.insert(ContextKind::Usage, ContextValue::StyledStr(usage));
        }
        if error.use_stderr() {
            // If stderr is closed, nothing can be reported.
            let _ = writeln!(std::io::stderr(), "{}", visible::block(error.render().to_string().trim_end()));
        } else {
            let _ = error.print();
        }
        std::process::exit(error.exit_code())
    })
}

/// The usage of the command that these arguments name.
fn usage(mut command: Command, args: impl Iterator<Item = String>) -> clap::builder::StyledStr {
    command.build();
    for arg in args {
        if let Some(deeper) = command.find_subcommand(&arg).cloned() {
            command = deeper;
        }
    }
    command.render_usage()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Arg;

    /// A program with a command of its own and a hidden one.
    #[derive(Debug, Parser)]
    #[command(name = "gate")]
    struct Gate {
        #[command(subcommand)]
        command: Commands,
    }

    #[derive(Debug, Subcommand)]
    enum Commands {
        /// Open the gate
        Open {
            /// How far
            #[arg(long)]
            far: bool,
        },
        /// What only a test starts
        #[command(hide = true)]
        Inner,
        #[command(flatten)]
        Reference(Reference),
    }

    #[test]
    fn a_program_has_manual_pages_for_what_it_shows_and_none_for_what_it_hides() {
        let folder = tempfile::tempdir().expect("a place for files");
        let dir = folder.path().join("man1");
        let words = ["gate".into(), "man".into(), dir.clone().into_os_string()];
        let Commands::Reference(reference) = Gate::parse_from(words).command else { panic!("it asks for pages") };
        assert_eq!(reference.run::<Gate>().expect("they can be written"), Exit::Done);
        let page = |name: &str| std::fs::read_to_string(dir.join(name));
        assert!(page("gate.1").is_ok_and(|page| page.contains("gate")));
        assert!(page("gate-open.1").is_ok_and(|page| page.contains("Open the gate") && page.contains("How far")));
        assert!(page("gate-completions.1").is_ok() && page("gate-inner.1").is_err());
    }

    #[test]
    fn the_usage_is_that_of_the_command_that_was_meant_with_what_is_needed_and_no_more() {
        let flag = |name: &'static str| Arg::new(name).long(name);
        let show = Command::new("show").arg(Arg::new("ID").required(true)).arg(flag("url").env("PATH"));
        let all = Command::new("sluice").arg(flag("log").global(true)).subcommand(Command::new("dlq").subcommand(show));
        let args = ["--log", "text", "dlq", "show", "--bogus"].map(str::to_owned);
        let usage = usage(all, args.into_iter()).to_string();
        assert_eq!(usage, "Usage: sluice dlq show [OPTIONS] <ID>");
    }
}
