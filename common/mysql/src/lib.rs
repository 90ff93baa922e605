//! MySQL or MariaDB: the only place that holds SQL.
//!
//! The driver has no timeouts of its own, so every use of a connection, taking it included, stands under
//! `Store::bounded`. A statement that timed out may have been committed all the same: every statement here can be
//! repeated without harm.

mod archive;
mod audit;
mod authors;
mod beginnings;
mod commit_test;
mod content;
mod counts;
mod engine;
mod error;
mod failure;
mod foreign;
mod grants;
mod insertion;
mod migrate;
mod migration_lock;
mod nodes;
mod operation;
mod options;
mod packet;
mod plain;
mod posts;
mod prune;
mod record;
mod refused;
mod rehearsal;
mod replays;
pub mod review;
mod row;
mod schema_error;
mod store;
mod under_way;

pub use archive::{DropOperation, Dropped, LastOperation};
pub use audit::AuditEntry;
pub use authors::Author;
pub use content::{Content, ID_CONFLICT, StoredContent};
pub use counts::{ByVerdict, Stored};
pub use error::{StoreError, advice};
pub use failure::classify;
pub use grants::grants;
pub use insertion::Insertion;
pub use migrate::Migrated;
pub use operation::{LineId, Operation, OperationItem, OperationKind};
pub use options::CONNECTIONS;
pub use prune::{Batch, Keep, Page, PastPrune, Prune, PrunedPost};
pub use replays::{PastItem, PastReplay, Taken};
pub use row::{Recorded, Row, RowOutcome, StoredPost};
pub use schema_error::SchemaError;
pub use store::{PATIENCE, Store};
