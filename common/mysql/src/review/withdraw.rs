//! The end of all cases of a post that is gone at the forum.

use sluice_core::failure::Failure;
use sluice_core::moderation::CaseState;
use sluice_core::post::PostId;

use super::about::end;
use super::transaction::{again, begin, lock};
use crate::Store;

impl Store {
    /// Ends all open cases of a post, in whatever state they are. Gives how many, `None` if the post has no case.
    ///
    /// # Errors
    /// The server's.
    pub async fn withdraw(&self, post: PostId) -> Result<Option<usize>, Failure> {
        let mut tried = 1;
        loop {
            match self.try_withdraw(post).await {
                Err(failure) if again(&failure, tried).await => tried += 1,
                answer => return answer,
            }
        }
    }

    async fn try_withdraw(&self, post: PostId) -> Result<Option<usize>, Failure> {
        self.bounded("a withdrawal", async {
            let mut connection = self.connection().await?;
            let mut transaction = begin(&mut connection).await?;
            let cases = lock(&mut transaction, post).await?;
            if cases.is_empty() {
                return Ok(None);
            }
            // A decided case ends as well: otherwise an undo would open it again.
            let open: Vec<_> = cases.iter().filter(|case| case.stored_state != CaseState::Withdrawn).collect();
            for case in &open {
                end(&mut transaction, case).await?;
            }
            transaction.commit().await?;
            Ok(Some(open.len()))
        })
        .await
    }
}
