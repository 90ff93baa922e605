//! What a post says, as lengths and hashes: enough to find out whether a row belongs to this post, or to another post
//! with the same id.

use std::collections::HashMap;
use std::fmt;

use mysql_async::prelude::{FromRow, Queryable as _};
use mysql_async::{FromRowError, Params, Transaction, Value};
use sha2::{Digest as _, Sha256};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, PrimitiveDateTime};

use super::Store;
use super::row::{Recorded, RowOutcome, StoredPost};
use sluice_core::failure::{Failure, Kind};
use sluice_core::post::{Post, PostId};

/// How many rows one query compares. The server reads their texts to do so: 8 MiB each, if strangers sent them.
const AT_ONCE: usize = 32;

/// Title, content and author of a post, as their lengths and hashes.
///
/// Two posts say the same if all three are the same byte for byte, but for two things that hold no text: spaces at the
/// end, which MySQL cuts without an error where a column is too narrow for them, and an author that is empty instead of
/// missing. Texts that are equal only to the server's collations (case, accents) differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    title: Text,
    content: Text,
    author: Text,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Text {
    bytes: u64,
    sha256: String,
}

impl Text {
    fn of(text: &str) -> Self {
        let text = text.trim_end_matches(' ');
        let hash = Sha256::digest(text.as_bytes());
        Self { bytes: text.len() as u64, sha256: hash.iter().map(|byte| format!("{byte:02x}")).collect() }
    }

    /// The same as SQL over a column. Texts are compared in UTF-8, whatever the column's character set is.
    fn columns(column: &str) -> String {
        let text = format!("TRIM(TRAILING ' ' FROM CONVERT({column} USING utf8mb4))");
        format!("LENGTH({text}), SHA2({text}, 256)")
    }
}

impl Content {
    fn new(title: &str, content: &str, author: Option<&str>) -> Self {
        Self { title: Text::of(title), content: Text::of(content), author: Text::of(author.unwrap_or_default()) }
    }

    /// What a post says.
    #[must_use]
    pub fn of(post: &Post) -> Self {
        Self::new(&post.title, &post.content, post.author.as_deref())
    }

    /// What a row says whose texts were read.
    #[must_use]
    pub fn of_row(row: &StoredPost) -> Self {
        Self::new(&row.title, &row.content, row.author.as_deref())
    }
}

/// What is known of a row without its texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredContent {
    /// What it says.
    pub content: Content,
    recorded_at: OffsetDateTime,
    worker: String,
}

impl StoredContent {
    /// Whether it was written by this worker's insert of this time; the column keeps microseconds.
    pub(super) fn is_by(&self, worker: &str, at: OffsetDateTime) -> bool {
        let microseconds = |at: OffsetDateTime| at.unix_timestamp_nanos().div_euclid(1000);
        self.worker == worker && microseconds(self.recorded_at) == microseconds(at)
    }

    /// What the row means for a post with its id: it is the same post, or another post has the id.
    pub(super) fn meets(&self, post: &Post) -> RowOutcome {
        let content = Content::of(post);
        if self.content == content {
            return Ok(Recorded::AlreadyRecorded);
        }
        let since = self.recorded_at.format(&Rfc3339).unwrap_or_default();
        // Neither of the two texts: this goes into logs, headers and records.
        let message = format!(
            "another post is stored under the id {}, since {since} by worker '{}'; they differ in {}",
            post.id,
            self.worker,
            Differences(&self.content, &content),
        );
        Err(Failure::new(Kind::Permanent, ID_CONFLICT, message))
    }
}

/// The code of a post whose id is taken.
pub const ID_CONFLICT: &str = "id_conflict";

/// The fields in which the stored post and another one differ, with their lengths.
struct Differences<'a>(&'a Content, &'a Content);

impl fmt::Display for Differences<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(there, here) = self;
        let fields = [
            ("title", &there.title, &here.title),
            ("content", &there.content, &here.content),
            ("author", &there.author, &here.author),
        ];
        let differs = |(name, there, here): (&str, &Text, &Text)| {
            let told = || format!("the {name} ({} bytes stored, {} in this post)", there.bytes, here.bytes);
            (there != here).then(told)
        };
        f.write_str(&fields.into_iter().filter_map(differs).collect::<Vec<_>>().join(", "))
    }
}

impl Store {
    /// What is stored under these ids; ids without a row are left out.
    ///
    /// # Errors
    /// The server's.
    pub async fn contents(&self, ids: &[PostId]) -> Result<HashMap<PostId, StoredContent>, Failure> {
        let mut found = HashMap::with_capacity(ids.len());
        for ids in ids.chunks(AT_ONCE) {
            let (statement, asked) = question(ids);
            let rows = self
                .bounded("the query for the posts' contents", async {
                    self.connection().await?.exec::<StoredRow, _, _>(statement, asked).await
                })
                .await?;
            found.extend(by_id(rows));
        }
        Ok(found)
    }
}

/// The same for one id, within a transaction.
pub(super) async fn content_in(
    transaction: &mut Transaction<'_>,
    id: PostId,
) -> Result<Option<StoredContent>, mysql_async::Error> {
    let (statement, asked) = question(&[id]);
    Ok(by_id(transaction.exec::<StoredRow, _, _>(statement, asked).await?).next().map(|(_, content)| content))
}

/// The query for these ids. Ids are repeated up to a power of two, so that there are few statements to keep prepared.
fn question(ids: &[PostId]) -> (String, Params) {
    let places = ids.len().next_power_of_two();
    let marks = vec!["?"; places].join(", ");
    let columns = ["title", "content", "COALESCE(author, '')"].map(Text::columns).join(", ");
    let statement = format!("SELECT id, worker, recorded_at, {columns} FROM posts WHERE id IN ({marks})");
    let asked: Vec<Value> = ids.iter().cycle().take(places).map(|id| id.to_string().into()).collect();
    (statement, Params::Positional(asked))
}

fn by_id(rows: Vec<StoredRow>) -> impl Iterator<Item = (PostId, StoredContent)> {
    rows.into_iter().filter_map(|StoredRow { id, content }| Some((id.parse().ok()?, content)))
}

/// One row of the answer.
struct StoredRow {
    id: String,
    content: StoredContent,
}

impl FromRow for StoredRow {
    fn from_row_opt(row: mysql_async::Row) -> Result<Self, FromRowError> {
        type Columns = (String, String, PrimitiveDateTime, u64, String, u64, String, u64, String);
        let (id, worker, recorded_at, title, title_hash, content, content_hash, author, author_hash) =
            Columns::from_row_opt(row)?;
        let text = |bytes, sha256| Text { bytes, sha256 };
        let content = Content {
            title: text(title, title_hash),
            content: text(content, content_hash),
            author: text(author, author_hash),
        };
        Ok(Self { id, content: StoredContent { content, recorded_at: recorded_at.assume_utc(), worker } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn post(title: &str, content: &str, author: Option<&str>) -> Post {
        let (title, content, author) = (title.to_owned(), content.to_owned(), author.map(str::to_owned));
        Post { id: PostId::from_key("one"), title, content, author, submitted_at: AT }
    }

    fn stored(title: &str, content: &str, author: Option<&str>) -> StoredContent {
        let content = Content::of(&post(title, content, author));
        StoredContent { content, recorded_at: AT, worker: "w-1".to_owned() }
    }

    #[test]
    fn only_the_same_bytes_are_the_same_post() {
        let row = stored("Title", "text", Some("ann"));
        assert_eq!(row.meets(&post("Title", "text", Some("ann"))), Ok(Recorded::AlreadyRecorded));
        for other in [
            post("title", "text", Some("ann")),
            post("Titlé", "text", Some("ann")),
            post("Title", "text\n", Some("ann")),
            post("Title", " text", Some("ann")),
            post("Title", "text", None),
            post("text", "Title", Some("ann")),
        ] {
            assert!(row.meets(&other).is_err(), "{other:?}");
        }
    }

    #[test]
    fn what_holds_no_text_makes_no_other_post() {
        let row = stored("Title", "text", None);
        assert_eq!(row.meets(&post("Title  ", "text ", Some(""))), Ok(Recorded::AlreadyRecorded));
    }

    #[test]
    fn a_conflict_tells_what_is_there_and_what_differs_and_neither_text() {
        let row = stored("first title", "secret", None);
        let failure = row.meets(&post("second", "secret", Some("bob"))).expect_err("another post");
        assert_eq!((failure.kind, failure.code.as_str()), (Kind::Permanent, "id_conflict"));
        let id = PostId::from_key("one");
        let told = format!(
            "another post is stored under the id {id}, since 1970-01-01T00:00:00Z by worker 'w-1'; they differ in the \
             title (11 bytes stored, 6 in this post), the author (0 bytes stored, 3 in this post)"
        );
        assert_eq!(failure.message, told);
    }

    #[test]
    fn few_statements_ask_for_any_number_of_ids() {
        let ids: Vec<PostId> = (0..AT_ONCE).map(|_| PostId::new()).collect();
        let sizes: std::collections::BTreeSet<usize> =
            (1..=AT_ONCE).map(|count| question(&ids[..count]).0.matches('?').count()).collect();
        assert_eq!(sizes.into_iter().collect::<Vec<_>>(), [1, 2, 4, 8, 16, 32]);
    }
}
