//! Runs `rabbitmqctl` against a private broker, as an operator on its machine would.
//!
//! It does what no client can: set off alarms of memory and disk, and list connections as the broker sees them.

use std::process::Stdio;
use std::time::Duration;

use super::Stack;
use super::error::StackError;
use super::ground::Ground;
use super::server::Server;

/// How long a command may take: the tool is a whole Erlang node that has to start first.
const ORDER: Duration = Duration::from_secs(30);

impl Stack {
    /// Runs `rabbitmqctl` against the broker, with these arguments, and gives what it printed.
    ///
    /// # Errors
    /// When it cannot be run, is refused by the broker, or takes longer than 30 s.
    pub async fn rabbitmqctl(&self, args: &[&str]) -> Result<String, StackError> {
        rabbitmqctl(&self.ground, self.rabbitmq(), args).await
    }
}

/// Runs `rabbitmqctl` against this broker, with these arguments, and gives what it printed.
pub(super) async fn rabbitmqctl(ground: &Ground, broker: &Server, args: &[&str]) -> Result<String, StackError> {
    let tool = ground.programs.rabbitmq_server.with_file_name("rabbitmqctl");
    let mut command = tokio::process::Command::from(ground.command(&tool, "rabbitmqctl")?);
    command.args(["--quiet"]).args(args).envs(broker.environment());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let failed = |problem: std::io::Error| StackError::Launch { program: tool.clone(), problem };
    let Ok(ran) = tokio::time::timeout(ORDER, command.output()).await else {
        return Err(failed(std::io::ErrorKind::TimedOut.into()));
    };
    let ran = ran.map_err(failed)?;
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if ran.status.success() {
        return Ok(said(&ran.stdout));
    }
    let said = format!("{}\n{}", said(&ran.stdout), said(&ran.stderr));
    Err(failed(std::io::Error::other(format!("`rabbitmqctl {}` {}: {said}", args.join(" "), ran.status))))
}
