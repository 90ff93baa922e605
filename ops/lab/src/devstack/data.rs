//! A database server's initial data: made in a folder beside, and moved into place when complete. So an owner that is
//! killed half-way leaves nothing that looks like a database.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::command::DATABASE;
use super::error::StackError;
use super::folder;
use super::ground::Ground;
use super::log::tail;
use super::secrets::Secrets;

/// How many lines of a program's output an error shows. The cause comes first, and the rest is about other things.
const TAIL_LINES: usize = 40;

/// Where the data of a server are, in the stack's folder.
#[derive(Debug)]
pub(super) struct Data {
    /// The server's own folder.
    pub(super) home: PathBuf,
    server: &'static str,
}

impl Data {
    pub(super) fn of(ground: &Ground, server: &'static str) -> Self {
        Self { home: ground.folder.path().join(server), server }
    }

    /// Where statements may read and write files, if anywhere: else they could reach all that the server can.
    pub(super) fn files(&self) -> PathBuf {
        self.home.join("files")
    }

    /// The statements that the server reads at each start, before it takes connections.
    pub(super) fn init(&self) -> PathBuf {
        self.home.join("init.sql")
    }

    /// Writes them: its user's password, and the database that programs use unless told otherwise.
    pub(super) fn write_init(&self, ground: &Ground, statements: &str, secrets: &Secrets) -> Result<(), StackError> {
        folder::make(&self.files())?;
        let text = statements.replace("{password}", secrets.database()).replace("{database}", DATABASE);
        ground.folder.write(&format!("{}/init.sql", self.server), &text).map(drop)
    }

    /// Where they are, or will be.
    pub(super) fn path(&self) -> PathBuf {
        self.home.join("data")
    }

    /// Makes the first ones with the program that `command` gives for the folder to make them in, unless there are
    /// some. The program is called `name` in errors, and its log has that name.
    pub(super) async fn make(
        &self,
        ground: &Ground,
        name: &'static str,
        command: impl FnOnce(&Path) -> Result<Command, StackError>,
    ) -> Result<(), StackError> {
        let (data, fresh) = (self.path(), self.home.join("fresh"));
        if data.is_dir() {
            return Ok(());
        }
        if fresh.exists() {
            fs::remove_dir_all(&fresh).map_err(StackError::folder(&fresh))?;
        }
        folder::make(&self.home)?;
        fs::create_dir(&fresh).map_err(StackError::folder(&fresh))?;
        let command = command(&fresh)?;
        let program = PathBuf::from(command.get_program());
        let failed = |problem| StackError::Launch { program: program.clone(), problem };
        let mut child = tokio::process::Command::from(command).kill_on_drop(true).spawn().map_err(failed)?;
        let ended = tokio::time::timeout(ground.deadline, child.wait()).await;
        let log = ground.folder.log(name);
        let mut tail = tail(&log, 0, TAIL_LINES);
        match ended {
            Ok(status) => {
                if status.map_err(failed)?.success() {
                    return fs::rename(&fresh, &data).map_err(StackError::folder(&data));
                }
            }
            Err(_) => tail.push_str(&format!("\n(killed: it took more than {} s)", ground.deadline.as_secs())),
        }
        Err(StackError::Died { server: name, tail, log })
    }
}
