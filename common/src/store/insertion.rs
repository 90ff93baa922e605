//! The statement that stores a group of posts. Apart from the table, because it is made without a server: its speed can
//! be measured alone, and what it says can be read without asking one.

use mysql_async::Value;
use time::{OffsetDateTime, PrimitiveDateTime};

use super::posts::Row;

/// The columns that one row fills, in order.
const COLUMNS: &str = "id, title, content, author, verdict, reasons, ruleset, submitted_at, reviewed_at, recorded_at, \
                       worker, attempts, scores";
const PLACES: &str = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

/// The statement that stores a group of rows, and its values, ready to be sent.
#[derive(Debug)]
pub struct Insertion {
    pub(super) statement: String,
    pub(super) values: Vec<Value>,
}

impl Insertion {
    /// Stores these rows, as of `now` and under the name of this worker; a row whose id is there already is left as it
    /// is.
    #[must_use]
    pub fn new(rows: &[Row], worker: &str, now: OffsetDateTime) -> Self {
        let places = vec![PLACES; rows.len()].join(", ");
        // Never INSERT IGNORE: it cuts what is too long, in silence.
        let statement = format!("INSERT INTO posts ({COLUMNS}) VALUES {places} ON DUPLICATE KEY UPDATE id = id");
        Self { statement, values: rows.iter().flat_map(|row| values(row, worker, now)).collect() }
    }
}

fn values(row: &Row, worker: &str, now: OffsetDateTime) -> [Value; 13] {
    let Row { post, review, reviewed_at, attempts } = row;
    // Lists of strings and numbers always have a JSON form.
    let reasons = serde_json::to_string(&review.reasons).unwrap_or_else(|_| "[]".to_owned());
    let scores = serde_json::to_string(&review.scores).unwrap_or_else(|_| "[]".to_owned());
    [
        post.id.to_string().into(),
        post.title.as_str().into(),
        post.content.as_str().into(),
        post.author.as_deref().into(),
        review.verdict.as_str().into(),
        reasons.into(),
        review.ruleset.as_str().into(),
        datetime(post.submitted_at),
        datetime(*reviewed_at),
        datetime(now),
        worker.into(),
        (*attempts).into(),
        scores.into(),
    ]
}

/// UTC, as the columns hold it; they keep microseconds.
pub(super) fn datetime(at: OffsetDateTime) -> Value {
    PrimitiveDateTime::new(at.date(), at.time()).into()
}
