//! The rows of one statement, and who waits for each.

use std::collections::VecDeque;

use sluice_core::disposition::Blame;
use sluice_core::failure::Failure;
use sluice_core::verdict::Verdict;
use sluice_mysql::review::HeldPost;
use sluice_mysql::{Recorded, Row};
use tokio::sync::oneshot;

use crate::case_opener::{CaseJob, Stored};
use crate::writer::Answer;

/// The most rows of one statement: with thirteen values each, far below the limit of 65,535 values in a prepared
/// statement.
pub const GROUP_ROWS: usize = 1000;
/// The most bytes of text of one statement, unless a single row has more: below the packet limit that servers have by
/// default.
const GROUP_BYTES: usize = 2 * 1024 * 1024;
/// Into how many parts a group is split. Eight rows are then tried one by one, and a thousand in four steps.
const PARTS: usize = 8;

/// A row to be written.
pub struct Job {
    /// The row.
    pub row: Row,
    /// Who waits for it.
    pub answer: oneshot::Sender<Answer>,
}

/// Rows of one statement, and who waits for each.
#[derive(Default)]
pub struct Group {
    /// The rows.
    pub rows: Vec<Row>,
    answers: Vec<oneshot::Sender<Answer>>,
}

impl Group {
    /// A row that is written alone.
    #[must_use]
    pub fn alone(job: Job) -> Self {
        Self { rows: vec![job.row], answers: vec![job.answer] }
    }

    /// Takes the next group from what is waiting; `packet` is the most bytes that the server accepts at once.
    #[must_use]
    pub fn next(jobs: &mut VecDeque<Job>, packet: usize) -> Self {
        let (mut group, mut bytes) = (Self::default(), 0);
        // The findings of the review and the driver's overhead need room too. A single row may be larger than the limit
        // for a group.
        let most = GROUP_BYTES.min(packet / 2);
        let fit = jobs.iter().take(GROUP_ROWS).take_while(|job| {
            bytes += job.row.bytes();
            bytes <= most
        });
        let rows = fit.count().max(1);
        for Job { row, answer } in jobs.drain(..round(rows)) {
            group.rows.push(row);
            group.answers.push(answer);
        }
        group
    }

    /// Its parts, the last one first.
    #[must_use]
    pub fn split(mut self) -> Vec<Self> {
        let size = self.rows.len().div_ceil(PARTS).max(1);
        let mut parts = Vec::with_capacity(PARTS);
        while !self.rows.is_empty() {
            let rest = (self.rows.len() - 1) / size * size;
            parts.push(Self { rows: self.rows.split_off(rest), answers: self.answers.split_off(rest) });
        }
        parts
    }

    /// Whether nobody waits for it any more: its posts are being released to the queue.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        self.answers.iter().all(oneshot::Sender::is_closed)
    }

    /// Sends the outcomes to those who wait, but for stored posts that may need a case: those are returned.
    pub fn answered(self, answers: Vec<Answer>) -> Vec<CaseJob> {
        let mut cases = Vec::new();
        for ((row, waiting), answer) in self.rows.into_iter().zip(self.answers).zip(answers) {
            let stored = match answer {
                Ok(Recorded::Inserted) if row.review.verdict == Verdict::Held => Stored::Held(HeldPost::from(row)),
                // A row that already existed may have another verdict than this review.
                Ok(Recorded::AlreadyRecorded) => Stored::Before(row.post.id),
                answer => {
                    let _ = waiting.send(answer);
                    continue;
                }
            };
            cases.push(CaseJob { stored, answer: waiting });
        }
        cases
    }

    /// Sends a failure to all who wait.
    pub fn failed(self, failure: &Failure, blame: Blame) {
        for answer in self.answers {
            let _ = answer.send(Err((failure.clone(), blame)));
        }
    }
}

/// The next lower allowed group size: all up to 8, then four in each doubling.
///
/// A statement is prepared for its number of rows, which for hundreds of them costs the server more than to run it.
/// With these sizes there are so few statements that all stay prepared, and at most a fifth of the waiting rows must
/// wait for the next one.
fn round(rows: usize) -> usize {
    let step = rows.ilog2().saturating_sub(2);
    rows >> step << step
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    use sluice_core::post::{Post, PostId};
    use sluice_core::verdict::{Review, Verdict};
    use time::OffsetDateTime;

    fn jobs(count: usize, content: &str) -> VecDeque<Job> {
        let at = OffsetDateTime::UNIX_EPOCH;
        let job = |number: usize| {
            let (id, title, content) = (PostId::new(), number.to_string(), content.to_owned());
            let review = Review {
                verdict: Verdict::Held,
                reasons: Vec::new(),
                scores: Vec::new(),
                shadow: Vec::new(),
                ruleset: String::new(),
            };
            let post = Post { id, title, content, author: None, submitted_at: at };
            Job { row: Row { post, review, reviewed_at: at, attempts: 1, sender: None }, answer: oneshot::channel().0 }
        };
        (0..count).map(job).collect()
    }

    #[test]
    fn groups_have_few_sizes_and_leave_no_more_than_a_fifth_behind() {
        let sizes: BTreeSet<usize> = (1..=GROUP_ROWS).map(round).collect();
        assert!(sizes.len() <= 36, "{sizes:?}");
        assert!((1..=8).all(|rows| round(rows) == rows));
        assert!((1..=GROUP_ROWS).all(|rows| round(rows) <= rows && round(rows) * 5 >= rows * 4));
    }

    #[test]
    fn a_group_fits_the_servers_packet_unless_one_row_alone_does_not() {
        let mut waiting = jobs(6, &"x".repeat(1000));
        assert_eq!(Group::next(&mut waiting, 5000).rows.len(), 2);
        assert_eq!(Group::next(&mut waiting, 500).rows.len(), 1);
        assert_eq!(Group::next(&mut waiting, usize::MAX).rows.len(), 3);
    }

    #[test]
    fn the_parts_of_a_group_are_all_of_it_and_smaller() {
        for count in [2, 3, 8, 9, 64, 1000] {
            let titles = |rows: &[Row]| rows.iter().map(|row| row.post.title.clone()).collect::<Vec<_>>();
            let group = Group::next(&mut jobs(count, ""), usize::MAX);
            let (rows, whole) = (group.rows.len(), titles(&group.rows));
            let mut parts = group.split();
            assert!(parts.len() <= PARTS && parts.iter().all(|part| part.rows.len() < rows), "{count}");
            parts.reverse();
            let together: Vec<_> = parts.iter().flat_map(|part| titles(&part.rows)).collect();
            assert_eq!(together, whole);
        }
    }
}
