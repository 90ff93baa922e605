//! `sluice-lab stack`: a RabbitMQ and a MariaDB or MySQL of one's own, in a folder. For trying things out and for
//! tests.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::devstack::{Stack, StackOptions, StackState, exit_code, shell_word};
use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use sluice_core::config::SecretUrl;
use sluice_runtime::exit::Exit;

use sluice_runtime::output::{self, report};

/// Where a stack is when nobody says where.
const DIR: &str = ".sluice-stack";

/// Arguments of `sluice-lab stack`.
#[derive(Debug, Args)]
pub struct StackArgs {
    #[command(subcommand)]
    command: StackCommand,
}

#[derive(Debug, Subcommand)]
enum StackCommand {
    /// Start the servers that are not running
    ///
    /// They run until `sluice-lab stack down`.
    Up {
        #[command(flatten)]
        place: StackDir,
        #[command(flatten)]
        origin: Origin,
    },
    /// Print the servers' addresses for a shell, passwords included
    ///
    /// For example: eval "$(sluice-lab stack env)".
    Env(StackDir),
    /// Stop the servers and keep their data
    Down {
        #[command(flatten)]
        place: StackDir,
        /// Also remove the folder with all data
        #[arg(long)]
        remove: bool,
    },
    /// Run a command with its own servers, which stop when it exits
    ///
    /// For example: sluice-lab stack run -- cargo test.
    Run {
        /// Folder whose data is used and kept [default: a temporary one, removed at the end]
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
        #[command(flatten)]
        origin: Origin,
        /// Command to run, with AMQP_URL, DATABASE_URL and the like in its environment
        #[arg(last = true, required = true, value_name = "COMMAND")]
        command: Vec<OsString>,
    },
}

/// Which stack.
#[derive(Debug, Args)]
struct StackDir {
    /// Folder that holds the servers and their data
    #[arg(long, value_name = "DIR", default_value = DIR)]
    dir: PathBuf,
}

/// Where the servers come from.
#[derive(Debug, Args)]
struct Origin {
    /// Root folder of another system whose RabbitMQ and MySQL to use [default: this machine's RabbitMQ and MariaDB]
    ///
    /// `ops/newest` creates one; only root can use it.
    #[arg(long, value_name = "DIR", env = crate::devstack::ROOT, hide_env_values = true)]
    root: Option<PathBuf>,
}

/// Runs it.
///
/// # Errors
/// When the servers cannot be had, or are not as the command needs them.
pub async fn run(args: StackArgs) -> anyhow::Result<Exit> {
    match args.command {
        StackCommand::Up { place, origin } => up(&place.dir, origin.root.as_deref()).await,
        StackCommand::Env(StackDir { dir }) => env(&dir),
        StackCommand::Down { place, remove } => down(&place.dir, remove).await,
        StackCommand::Run { dir, origin, command } => run_within(dir, origin.root, command).await,
    }
}

async fn up(dir: &Path, root: Option<&Path>) -> anyhow::Result<Exit> {
    let was_up = Stack::attach(dir).is_ok();
    if !was_up {
        report!("starting a broker and a database server in {}", dir.display());
    }
    let (stack, state) = tokio::select! {
        raised = Stack::up(dir, root) => raised?,
        interrupted = tokio::signal::ctrl_c() => {
            interrupted.context("cannot listen for Ctrl-C")?;
            if !was_up {
                report!("interrupted: stopping what was started");
                Stack::down(dir, false).await?;
            }
            return Ok(Exit::Interrupted);
        }
    };
    let now = match state {
        StackState::Started => "a stack is up now".to_owned(),
        StackState::AlreadyUp => "a stack is up already".to_owned(),
        StackState::Repaired(server) => format!("a stack is up again ({server} had ended and was started)"),
    };
    let versions = stack.versions().await;
    let option = if dir == Path::new(DIR) { String::new() } else { format!(" --dir {}", shell_word(dir)) };
    output::print(|out| {
        writeln!(out, "{now} in {}: {versions}", stack.dir().display())?;
        for (variable, address) in stack.environment() {
            // Without the password: a terminal's pages are kept, and shown to others.
            writeln!(out, "  {variable:<23}  {}", SecretUrl::from(address.as_str()))?;
        }
        writeln!(out, "for programs in this shell:  eval \"$(sluice-lab stack env{option})\"")?;
        writeln!(out, "to stop it:                  sluice-lab stack down{option}")
    })?;
    Ok(Exit::Done)
}

fn env(dir: &Path) -> anyhow::Result<Exit> {
    let stack = Stack::attach(dir)?;
    for server in [stack.rabbitmq(), stack.database()] {
        if !server.is_running() {
            bail!("{} is down: start it again with: sluice-lab stack up --dir {}", server.name(), shell_word(dir));
        }
    }
    output::print(|out| {
        let mut variables = stack.environment().into_iter();
        variables.try_for_each(|(variable, address)| writeln!(out, "export {variable}='{address}'"))
    })?;
    Ok(Exit::Done)
}

async fn down(dir: &Path, remove: bool) -> anyhow::Result<Exit> {
    let was_there = dir.exists();
    let was_up = Stack::down(dir, remove).await?;
    output::print(|out| {
        if was_up {
            writeln!(out, "the stack in {} is stopped", dir.display())?;
        } else {
            writeln!(out, "no stack is up in {}", dir.display())?;
        }
        match (remove, was_up) {
            (true, _) if was_there => writeln!(out, "the folder is removed"),
            (false, true) => writeln!(out, "its data is kept; --remove deletes it too"),
            _ => Ok(()),
        }
    })?;
    Ok(Exit::Done)
}

async fn run_within(dir: Option<PathBuf>, root: Option<PathBuf>, command: Vec<OsString>) -> anyhow::Result<Exit> {
    let [program, args @ ..] = &command[..] else { bail!("no command is given: sluice-lab stack run -- COMMAND") };
    if !is_found(Path::new(program)) {
        bail!("there is no program {}: check its spelling and the PATH", shell_word(Path::new(program)));
    }
    let stack = Stack::start(StackOptions { dir, root, ..StackOptions::default() }).await?;
    report!("private servers: {}", stack.versions().await);
    let ended = stack.run(tokio::process::Command::new(program).args(args)).await;
    let stopped = stack.stop().await;
    let status = ended.with_context(|| format!("cannot run {}", Path::new(program).display()))?;
    if let Err(error) = stopped {
        // The command's own end is what was asked for; this is for people.
        report!("warning: {error}");
    }
    Ok(Exit::As(exit_code(status)))
}

/// Whether a command can be there at all: better known before its servers are started than after.
fn is_found(program: &Path) -> bool {
    // With a slash anywhere, a shell does not look along the PATH.
    let bare = program.file_name() == Some(program.as_os_str());
    let path = std::env::var_os("PATH").filter(|_| bare);
    match path {
        Some(path) => std::env::split_paths(&path).any(|place| place.join(program).is_file()),
        None => program.is_file(),
    }
}
