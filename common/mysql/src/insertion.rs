//! The statement that stores a group of posts. Apart from the table, because it is made without a server: its speed can
//! be measured alone, and what it says can be read without asking one.

use mysql_async::Value;
use time::{OffsetDateTime, PrimitiveDateTime};

use super::row::Row;
use sluice_core::name::SenderName;

/// The columns that one row fills, in order.
const COLUMNS: &str = "id, title, content, author, verdict, reasons, ruleset, submitted_at, reviewed_at, recorded_at, \
                       worker, attempts, scores, sender";
const PLACES: &str = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

/// Stores the row that was stored last once more, under an id that is given.
pub(super) fn another_like_the_last() -> String {
    let rest = COLUMNS.trim_start_matches("id, ");
    format!("INSERT INTO posts ({COLUMNS}) SELECT ?, {rest} FROM posts ORDER BY id DESC LIMIT 1")
}

/// The statement that stores a group of rows, and its values, ready to be sent.
#[derive(Debug)]
pub struct Insertion {
    pub(super) statement: String,
    pub(super) values: Vec<Value>,
}

impl Insertion {
    /// Stores these rows, as of `now` and under the name of this worker. A row that a unique key refuses is skipped
    /// without a word of which one: the primary key, because its id is there already, or any other key.
    #[must_use]
    pub fn new(rows: &[Row], worker: &str, now: OffsetDateTime) -> Self {
        let places = vec![PLACES; rows.len()].join(", ");
        // Never INSERT IGNORE: it cuts what is too long, in silence.
        let statement = format!("INSERT INTO posts ({COLUMNS}) VALUES {places} ON DUPLICATE KEY UPDATE id = id");
        Self { statement, values: rows.iter().flat_map(|row| values(row, worker, now)).collect() }
    }

    /// Stores one row, or fails with the name of the unique key that refuses it.
    #[must_use]
    pub(super) fn strict(row: &Row, worker: &str, now: OffsetDateTime) -> Self {
        let statement = format!("INSERT INTO posts ({COLUMNS}) VALUES {PLACES}");
        Self { statement, values: values(row, worker, now).into() }
    }
}

fn values(row: &Row, worker: &str, now: OffsetDateTime) -> [Value; 14] {
    let Row { post, review, reviewed_at, attempts, sender } = row;
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
        sender.as_ref().map(SenderName::as_str).into(),
    ]
}

/// UTC, as the columns hold it; they keep microseconds.
pub(super) fn datetime(at: OffsetDateTime) -> Value {
    PrimitiveDateTime::new(at.date(), at.time()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sluice_core::post::{Post, PostId};
    use sluice_core::verdict::{Review, Score, Verdict};

    fn row(author: Option<&str>, scores: Vec<Score>) -> Row {
        let at = OffsetDateTime::UNIX_EPOCH;
        let author = author.map(str::to_owned);
        let post = Post { id: PostId::new(), title: "t".to_owned(), content: "c".to_owned(), author, submitted_at: at };
        let (reasons, shadow, ruleset) = (Vec::new(), Vec::new(), "r".to_owned());
        let review = Review { verdict: Verdict::Held, reasons, scores, shadow, ruleset };
        Row { post, review, reviewed_at: at, attempts: 1, sender: None }
    }

    #[test]
    fn there_is_a_value_for_each_place() {
        for count in [1, 2, 64] {
            let rows = vec![row(None, Vec::new()); count];
            let Insertion { statement, values } = Insertion::new(&rows, "w", OffsetDateTime::UNIX_EPOCH);
            assert_eq!((statement.matches('?').count(), values.len()), (count * 14, count * 14));
            assert_eq!(statement.matches("), (").count(), count - 1, "{statement}");
        }
    }

    #[test]
    fn lists_are_json_whether_or_not_anything_is_in_them() {
        let score = Score { category: "spam".to_owned(), sum: 7, hold: Some(5), reject: None, urgent: false };
        let values = |row: Row| Insertion::new(&[row], "w", OffsetDateTime::UNIX_EPOCH).values;
        let told = r#"[{"category":"spam","sum":7,"hold":5,"reject":null}]"#;
        assert_eq!(values(row(None, vec![score]))[12], Value::from(told));
        assert_eq!(values(row(None, Vec::new()))[12], Value::from("[]"));
        assert_eq!(values(row(Some("ann"), Vec::new()))[3], Value::from("ann"));
        assert_eq!(values(row(None, Vec::new()))[3], Value::NULL);
        assert_eq!(values(row(None, Vec::new()))[13], Value::NULL);
        let sender = "forum".parse().ok();
        assert_eq!(values(Row { sender, ..row(None, Vec::new()) })[13], Value::from("forum"));
    }
}
