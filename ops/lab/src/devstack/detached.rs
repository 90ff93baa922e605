//! Stacks that outlive the program that started them: up, attach, down. What `sluice-lab stack` is made of.

use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::error::StackError;
use super::folder::Folder;
use super::ground::Ground;
use super::process::{Mark, send};
use super::programs::Programs;
use super::record::Record;
use super::secrets::Secrets;
use super::servers::Servers;
use super::{Stack, StackOptions};

/// How long the guardian of a bound stack whose owner died may take to end it.
const GUARDIAN_ENDS: Duration = Duration::from_secs(30);
/// How long killed processes may take to be gone.
const KILLED_END: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// How a stack came to be up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StackState {
    /// It was down, and was started.
    Started,
    /// It was up already; nothing was done.
    AlreadyUp,
    /// This server was down and was started again, with its data.
    Repaired(&'static str),
}

impl Stack {
    /// Makes sure that a stack is up in `dir`, and stays up until [`Stack::down`]. Servers that run there already are
    /// left alone, the others are started: from `root` if one is named, else from the place that the folder's data
    /// belong to.
    ///
    /// # Errors
    /// When a program is not installed, the folder cannot be used, belongs to a bound stack or to other servers, or a
    /// server does not come up; what was started in vain is ended again.
    pub async fn up(dir: &Path, root: Option<&Path>) -> Result<(Self, StackState), StackError> {
        let deadline = StackOptions::default().deadline;
        let programs = Programs::for_folder(Some(dir), root)?;
        let folder = Folder::claim(dir)?;
        let before = folder.record();
        // Someone else's `up` is waited for: then it is up. Someone's bound stack ends nobody knows when.
        let bound = before.as_ref().is_some_and(|record| record.bound);
        let _lock = folder.lock(if bound { Duration::ZERO } else { deadline }).await?;
        let before = folder.record();
        if let Some(former) = &before {
            outwait_guardian(former).await?;
        }
        let alive = before.as_ref().is_some_and(|record| !Mark::recorded(&record.mark).processes().is_empty());
        let in_use = before.is_some();
        let record = match before {
            Some(record) if alive => record,
            before => Record::republished(before, false, programs.folder_of_root())?,
        };
        let secrets = Secrets::of(&folder, in_use)?;
        folder.write_record(&record)?;
        let ground = Ground::new(folder, programs, &record, deadline);
        let dead = Servers::known(&ground, &record).dead();
        let state = match dead[..] {
            [] => StackState::AlreadyUp,
            [one] => StackState::Repaired(one),
            _ => StackState::Started,
        };
        match Servers::raise(&ground, record.clone(), &secrets, None).await {
            Ok(servers) => Ok((Self { ground, servers, secrets, bond: None }, state)),
            Err(error) => {
                end_in_vain(&ground, &record, &dead).await;
                Err(error)
            }
        }
    }

    /// The stack that is up in `dir`, or bound there to another process. One of its servers may be down.
    ///
    /// # Errors
    /// When none is, or the folder is not ours alone.
    pub fn attach(dir: &Path) -> Result<Self, StackError> {
        let not_up = || StackError::NotUp(dir.to_owned());
        let folder = Folder::existing(dir)?.ok_or_else(not_up)?;
        let record = folder.record().ok_or_else(not_up)?;
        let secrets = Secrets::read(&folder);
        let ground =
            Ground::new(folder, Programs::find(record.root.as_deref())?, &record, StackOptions::default().deadline);
        let servers = Servers::known(&ground, &record);
        if servers.dead().len() == 2 {
            return Err(not_up());
        }
        Ok(Self { ground, servers, secrets: secrets?, bond: None })
    }

    /// Ends the stack that is up in `dir`: exactly the processes that carry its mark. Waits until they are gone; with
    /// `remove` the folder goes too. Returns whether anything was running.
    ///
    /// # Errors
    /// When the stack is bound to a process that lives (end that one), something would not end, or `remove` is asked of
    /// a folder that is not a stack's.
    pub async fn down(dir: &Path, remove: bool) -> Result<bool, StackError> {
        let Some((folder, record)) = Folder::existing(dir)?.and_then(|folder| Some((folder.clone(), folder.record()?)))
        else {
            return if remove && dir.exists() { Err(StackError::NotOurs(dir.to_owned())) } else { Ok(false) };
        };
        let deadline = StackOptions::default().deadline;
        let _lock = folder.lock(if record.bound { Duration::ZERO } else { deadline }).await?;
        let record = folder.record().unwrap_or(record);
        let mark = Mark::recorded(&record.mark);
        let was_up = !mark.processes().is_empty();
        if was_up {
            let ground = Ground::new(folder.clone(), Programs::find(record.root.as_deref())?, &record, deadline);
            Servers::known(&ground, &record).stop().await?;
            kill_the_rest(&mark).await?;
        }
        if remove {
            folder.remove()?;
        }
        Ok(was_up)
    }
}

/// Waits until the servers of a bound stack are gone. Its lock is ours, so its owner is dead and its guardian at work;
/// should that be dead too, its work is done here.
pub(super) async fn outwait_guardian(former: &Record) -> Result<(), StackError> {
    let mark = Mark::recorded(&former.mark);
    if !former.bound || all_gone(&mark, GUARDIAN_ENDS).await.is_ok() {
        return Ok(());
    }
    kill_the_rest(&mark).await
}

/// Ends what was started for a stack that did not come up. Errors here are ignored: the one that stopped the stack from
/// coming up matters.
async fn end_in_vain(ground: &Ground, record: &Record, started: &[&str]) {
    let servers = Servers::known(ground, record);
    for server in [&servers.rabbitmq, &servers.database] {
        if started.contains(&server.name()) {
            let _ = server.kill_all().await;
        }
    }
    if started.len() == 2 {
        let _ = kill_the_rest(&ground.mark).await;
    }
}

/// Ends processes that the servers have left behind: a helper, or a program that was just creating a database.
async fn kill_the_rest(mark: &Mark) -> Result<(), StackError> {
    for pid in mark.processes() {
        // It may end by itself at this very moment.
        let _ = send(pid, Signal::SIGKILL);
    }
    all_gone(mark, KILLED_END).await
}

async fn all_gone(mark: &Mark, patience: Duration) -> Result<(), StackError> {
    let begun = Instant::now();
    loop {
        let pids = mark.processes();
        if pids.is_empty() {
            return Ok(());
        }
        if begun.elapsed() >= patience {
            return Err(StackError::WontEnd { pids });
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}
