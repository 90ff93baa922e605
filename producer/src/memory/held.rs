//! What one request has reserved.

use std::time::Duration;

use tokio::sync::SemaphorePermit;

use super::{Memory, Overloaded};

/// The beginning of a body that may use the reserve, in bytes.
pub(super) const BEGINNING: usize = 16 * 1024;
/// How long a batch waits for memory before it ends.
const WAIT: Duration = Duration::from_secs(5);

/// The memory that one request has reserved. It is released when this is dropped.
pub struct Held {
    memory: Memory,
    general: usize,
    reserve: usize,
}

impl Held {
    pub(super) fn nothing(memory: &Memory) -> Self {
        Self { memory: memory.clone(), general: 0, reserve: 0 }
    }

    /// Reserves more for a single post, if available now; its beginning may use the reserve.
    ///
    /// # Errors
    /// [`Overloaded`].
    pub fn take_for_post(&mut self, bytes: usize) -> Result<(), Overloaded> {
        let beginning = self.general + self.reserve + bytes <= BEGINNING;
        let (reserve, general) = (&self.memory.all.reserve, &self.memory.all.general);
        let reserved = if beginning { reserve.try_acquire_many(permits(bytes)).ok() } else { None };
        let is_reserved = reserved.is_some();
        let taken = reserved.or_else(|| general.try_acquire_many(permits(bytes)).ok());
        self.memory.keep_both(taken, bytes)?;
        *(if is_reserved { &mut self.reserve } else { &mut self.general }) += bytes;
        self.memory.measure();
        Ok(())
    }

    /// Reserves more, if available now.
    ///
    /// # Errors
    /// [`Overloaded`].
    pub fn take_now(&mut self, bytes: usize) -> Result<(), Overloaded> {
        let taken = self.memory.all.general.try_acquire_many(permits(bytes)).ok();
        self.memory.keep_both(taken, bytes)?;
        self.general += bytes;
        self.memory.measure();
        Ok(())
    }

    /// Reserves more for a batch, and waits for a while if necessary.
    ///
    /// # Errors
    /// [`Overloaded`], if none became available.
    pub async fn take(&mut self, bytes: usize) -> Result<(), Overloaded> {
        let room = async {
            // A sender that has used its share up waits for itself, and holds nothing that others could use.
            let own = match &self.memory.share {
                Some(share) => Some(share.acquire_many(permits(bytes)).await.ok()?),
                None => None,
            };
            Some((own, self.memory.all.general.acquire_many(permits(bytes)).await.ok()?))
        };
        match tokio::time::timeout(WAIT, room).await {
            Ok(Some((own, taken))) => {
                own.into_iter().chain([taken]).for_each(SemaphorePermit::forget);
            }
            _ => return Err(self.memory.refuse()),
        }
        self.general += bytes;
        self.memory.measure();
        Ok(())
    }

    /// Releases everything above this.
    pub fn keep(&mut self, bytes: usize) {
        let kept = bytes.min(self.general);
        self.memory.give_back(self.general - kept, 0);
        self.general = kept;
        self.memory.measure();
    }
}

/// As many permits of a semaphore.
pub(super) fn permits(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

impl Drop for Held {
    fn drop(&mut self) {
        self.memory.give_back(self.general, self.reserve);
        self.memory.measure();
    }
}
