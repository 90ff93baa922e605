//! What ties servers to their owner.

use std::fs::File;
use std::process::Child;

use super::error::StackError;
use super::ground::Ground;
use super::guardian::{End, Guardian};

/// Servers end when this is released, or the process that holds it ends.
#[derive(Debug)]
pub(super) struct Bond {
    guardian: Guardian,
    /// Nobody else may start or end servers in the folder while this is held.
    _lock: File,
}

impl Bond {
    /// Ties to this process all that will be started on the ground: to be done before anything is.
    pub(super) fn tie(ground: &Ground, lock: File, fate: End) -> Result<Self, StackError> {
        let guardian = Guardian::post(&ground.programs, &ground.folder, &ground.mark, fate)?;
        Ok(Self { guardian, _lock: lock })
    }

    /// Whether the folder stays when the servers have ended.
    pub(super) fn keeps_data(&self) -> bool {
        self.guardian.fate() == End::Keep
    }

    /// Ends the servers and waits until all is gone. `children`: those that are this process's own.
    pub(super) async fn end(self, ground: &Ground, children: Vec<Child>) -> Result<(), StackError> {
        let ended = self.guardian.dismiss(ground.folder.path(), &ground.mark).await;
        for mut child in children {
            // Gone already, or reported as still there: this only takes the zombie away.
            let _ = child.try_wait();
        }
        ended
    }

    /// Ends the servers without waiting for it.
    pub(super) fn release(self, mut children: Vec<Child>) {
        children.insert(0, self.guardian.release());
        // Someone has to take the zombies away, and nobody has to wait for it.
        let reaper = move || children.iter_mut().for_each(|child| drop(child.wait()));
        let _ = std::thread::Builder::new().name("stack-reaper".to_owned()).spawn(reaper);
    }
}
