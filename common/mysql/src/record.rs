//! Writes the audit log. It is only ever added to.

use mysql_async::prelude::Queryable;
use mysql_async::{Params, TxOpts, Value};
use time::OffsetDateTime;

use super::Store;
use super::insertion::datetime;
use super::operation::{LineId, Operation, OperationItem};
use crate::failure::DUPLICATE_KEY;
use sluice_core::dead_letter::Death;
use sluice_core::failure::{Failure, Kind};

/// How many dead letters one statement records, and the most bytes that are archived of them: servers refuse a
/// statement of 16 MiB. One dead letter may be larger than this.
const WRITE: usize = 500;
const WRITE_BYTES: usize = 6 * 1024 * 1024;

/// Room for the statement around one archived dead letter, in bytes: more than it needs.
const AROUND: usize = 16 * 1024;

impl Store {
    /// The largest dead letter, in bytes, that the audit log can keep: what the server takes in one statement, less the
    /// statement itself.
    ///
    /// # Errors
    /// The server's.
    pub async fn room_for_a_dead_letter(&self) -> Result<usize, Failure> {
        let limit = self.asked_packet().await?;
        Ok(limit.saturating_sub(AROUND))
    }

    /// Records that an operation begins. An operation that cannot be recorded must not be done.
    ///
    /// # Errors
    /// The server's.
    pub async fn record_operation(&self, operation: &Operation) -> Result<(), Failure> {
        let values = (
            &operation.id,
            operation.kind.as_str(),
            &operation.actor,
            &operation.prefix,
            operation.selection.to_string(),
            datetime(operation.begun_at),
        );
        let recorded = self
            .bounded("recording an operation", async {
                let mut connection = self.connection().await?;
                let statement = "INSERT INTO operations (id, kind, actor, prefix, selection, begun_at) \
                                 VALUES (?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE id = id";
                connection.exec_drop(statement, values).await?;
                if connection.affected_rows() > 0 {
                    return Ok(true);
                }
                let there = connection.exec_first("SELECT 1 FROM operations WHERE id = ?", (&operation.id,)).await?;
                Ok(there.is_some_and(|there: u8| there == 1))
            })
            .await?;
        if recorded { Ok(()) } else { Err(skipped("operations")) }
    }

    /// Records what became of dead letters: each with what is archived of it and what it undoes, or not at all.
    /// Repeating it changes nothing.
    ///
    /// # Errors
    /// The server's.
    pub async fn record_items(&self, operation: &Operation, dead_letters: &[OperationItem]) -> Result<(), Failure> {
        let now = OffsetDateTime::now_utc();
        let archives = dead_letters.iter().any(|dead_letter| dead_letter.archived.is_some());
        // Half of what the server takes leaves room for the rest of the statement.
        let most = if archives { WRITE_BYTES.min(self.asked_packet().await? / 2) } else { WRITE_BYTES };
        for dead_letters in portions(dead_letters, most) {
            let tables = tables(operation, dead_letters, now);
            let refused = self
                .bounded("recording dead letters", async {
                    let mut connection = self.connection().await?;
                    if let [lines] = &tables[..] {
                        return Ok((!lines.record(&mut connection).await?).then_some(lines.table));
                    }
                    let mut transaction = connection.start_transaction(TxOpts::default()).await?;
                    for lines in &tables {
                        if !lines.record(&mut transaction).await? {
                            transaction.rollback().await?;
                            return Ok(Some(lines.table));
                        }
                    }
                    transaction.commit().await?;
                    Ok(None)
                })
                .await?;
            if let Some(table) = refused {
                return Err(skipped(table));
            }
        }
        Ok(())
    }
}

/// Dead letters whose record fits into one statement.
fn portions(mut dead_letters: &[OperationItem], most: usize) -> impl Iterator<Item = &[OperationItem]> {
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = dead_letters.iter().take(WRITE).take_while(|dead_letter| {
            let before = bytes;
            let death = dead_letter.death.as_ref().map_or(0, |_| 3 * Death::TEXT_MAX_BYTES);
            bytes += dead_letter.archived.as_ref().map_or(0, String::len) + death;
            before == 0 || bytes <= most
        });
        let (portion, rest) = dead_letters.split_at(fits.count());
        dead_letters = rest;
        (!portion.is_empty()).then_some(portion)
    })
}

/// The failure for a record that is not there although its insert raised no error.
fn skipped(table: &str) -> Failure {
    let message = format!("a unique key of `{table}` that Sluice did not create refuses the row; drop that key");
    Failure::new(Kind::Permanent, DUPLICATE_KEY, message)
}

/// Rows for one table.
struct TableRows {
    table: &'static str,
    columns: &'static [&'static str],
    /// The first two columns are the table's primary key.
    values: Vec<Vec<Value>>,
}

impl TableRows {
    /// Inserts them, and says whether all of them are there. A row that is there already stays as it is; but that a row
    /// was not inserted does not prove that it is there.
    async fn record(&self, connection: &mut impl Queryable) -> Result<bool, mysql_async::Error> {
        let Self { table, columns, values } = self;
        let key = columns[0];
        let row = format!("({})", vec!["?"; columns.len()].join(", "));
        let rows = vec![row.as_str(); values.len()].join(", ");
        let columns = columns.join(", ");
        let statement = format!("INSERT INTO {table} ({columns}) VALUES {rows} ON DUPLICATE KEY UPDATE {key} = {key}");
        let inserted = connection.exec_iter(statement, Params::Positional(values.concat())).await?;
        let new = inserted.affected_rows();
        inserted.drop_result().await?;
        if usize::try_from(new) == Ok(values.len()) {
            return Ok(true);
        }
        let statement = format!("SELECT 1 FROM {table} WHERE {key} = ? AND {} = ?", self.columns[1]);
        for line in values {
            let there: Option<u8> = connection.exec_first(statement.as_str(), line[..2].to_vec()).await?;
            if there.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The rows that record these dead letters, to be written in this order.
fn tables(operation: &Operation, dead_letters: &[OperationItem], now: OffsetDateTime) -> Vec<TableRows> {
    let lines = dead_letters.iter().map(|dead_letter| values(operation, dead_letter, now).into()).collect();
    let archived = dead_letters.iter().filter_map(|dead_letter| {
        let archived: Value = dead_letter.archived.as_deref()?.into();
        Some(vec![operation.id.as_str().into(), dead_letter.number.into(), archived])
    });
    let undone = dead_letters.iter().flat_map(|dead_letter| {
        dead_letter.undoes.iter().map(|LineId { operation: of, number }| {
            vec![of.as_str().into(), (*number).into(), operation.id.as_str().into(), dead_letter.number.into()]
        })
    });
    let tables = [
        TableRows {
            table: "operation_items",
            columns: &["operation", "number", "dead_letter", "outcome", "detail", "at", "post", "death"],
            values: lines,
        },
        TableRows {
            table: "archived_dead_letters",
            columns: &["operation", "number", "transcript"],
            values: archived.collect(),
        },
        TableRows {
            table: "undone_items",
            columns: &["of_operation", "of_number", "operation", "number"],
            values: undone.collect(),
        },
    ];
    tables.into_iter().filter(|lines| !lines.values.is_empty()).collect()
}

fn values(operation: &Operation, dead_letter: &OperationItem, now: OffsetDateTime) -> [Value; 8] {
    [
        operation.id.as_str().into(),
        dead_letter.number.into(),
        dead_letter.dead_letter.as_str().into(),
        dead_letter.outcome.into(),
        dead_letter.detail.as_str().into(),
        datetime(now),
        dead_letter.post.map(|post| post.to_string()).into(),
        dead_letter.death.as_ref().and_then(|death| serde_json::to_string(death).ok()).into(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(number: u32, bytes: usize) -> OperationItem {
        let archived = Some("x".repeat(bytes));
        OperationItem {
            number,
            dead_letter: number.to_string(),
            post: None,
            outcome: "dropped",
            detail: String::new(),
            death: None,
            archived,
            undoes: Vec::new(),
        }
    }

    #[test]
    fn no_statement_is_larger_than_it_may_be_unless_for_one_dead_letter() {
        let dead_letters = [10, WRITE_BYTES, WRITE_BYTES / 2, WRITE_BYTES / 2, 2 * WRITE_BYTES, 0, 1];
        let dead_letters: Vec<_> = (1u32..).zip(dead_letters).map(|(number, bytes)| outcome(number, bytes)).collect();
        let portions: Vec<Vec<u32>> = portions(&dead_letters, WRITE_BYTES)
            .map(|portion| portion.iter().map(|dead_letter| dead_letter.number).collect())
            .collect();
        assert_eq!(portions, [vec![1], vec![2], vec![3, 4], vec![5], vec![6, 7]]);
    }
}
