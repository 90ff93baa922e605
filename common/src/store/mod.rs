//! MySQL or MariaDB: the only place that holds SQL.
//!
//! The driver has no timeouts of its own, so every use of a connection, taking it included, stands under
//! `Store::bounded`. A statement that timed out may have been committed all the same: every statement here can be
//! repeated without harm.

mod acts;
mod counts;
mod insertion;
mod kept;
mod migrate;
#[cfg(feature = "devstack")]
mod mishap;
mod posts;
mod record;
mod rehearsal;
mod replays;

pub use acts::{Act, ActKind, LetterOutcome, LineId};
pub use counts::{ByVerdict, Stored};
pub use insertion::Insertion;
pub use kept::{Dropped, Fate, Form};
pub use migrate::{Migrated, SchemaError};
pub use posts::{Recorded, Row, StoredPost};
pub use record::RecordLine;
pub use rehearsal::Rehearsed;
pub use replays::{PastLetter, PastReplay, Taken};

use std::future::Future;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use mysql_async::{Opts, OptsBuilder, Pool, PoolConstraints, PoolOpts};

use crate::config::{ConfigError, DatabaseArgs};
use crate::failure::{Failure, Kind};

/// The longest wait for one statement, taking a connection included.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// The longest wait for a row's lock. Below [`PATIENCE`], so that a locked row is seen as what it is and not as a
/// database that hangs.
const LOCK_WAIT_SECONDS: u32 = 2;
/// Connections a process may hold. The recorder writes with one; probes and reads take another.
const CONNECTIONS: usize = 4;
/// How long a connection is kept that nobody uses. Without such a time the driver closes each one as soon as it is given
/// back, and a statement costs the opening of a connection.
const KEPT_IDLE: Duration = Duration::from_secs(60);
/// Statements kept prepared on a connection: more than there are sizes of a group of rows.
const STATEMENTS: usize = 64;

/// The database.
pub struct Store {
    options: Opts,
    /// Replaced after a failure that is no post's. A connection that hangs would keep its place in the pool until the
    /// kernel gives it up; one that was made while the server was read-only may stay so after the server is not.
    pool: Mutex<Pool>,
    at: String,
    database: String,
}

impl Store {
    /// The database these settings name. Nothing is opened yet.
    ///
    /// # Errors
    /// When `DATABASE_URL` is no address of a database.
    pub fn new(args: &DatabaseArgs) -> Result<Self, ConfigError> {
        const SETTING: &str = "DATABASE_URL";
        const EXAMPLE: &str = "mysql://user:password@host:3306/name";
        let url = args.database_url.parsed(SETTING, &["mysql"], EXAMPLE)?;
        let wrong = |problem: String| ConfigError::new(SETTING, format!("{problem}; write it like {EXAMPLE}"));
        let parsed = Opts::from_url(args.database_url.expose()).map_err(|error| wrong(error.to_string()))?;
        let database = parsed.db_name().filter(|name| !name.is_empty()).map(str::to_owned);
        let database = database.ok_or_else(|| wrong("it names no database".to_owned()))?;
        let at = format!("{}:{}", url.host_str().unwrap_or_default(), parsed.tcp_port());
        // RabbitMQ's library looks there by itself; a private authority is then named once for both.
        let authority = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
        let tls = match (parsed.ssl_opts().cloned(), authority) {
            (Some(tls), Some(file)) => Some(tls.with_root_certs(vec![file.into()])),
            (tls, _) => tls,
        };
        let options = session(OptsBuilder::from_opts(parsed).ssl_opts(tls));
        Ok(Self { pool: Mutex::new(Pool::new(options.clone())), options, at, database })
    }

    /// Host and port.
    #[must_use]
    pub fn at(&self) -> &str {
        &self.at
    }

    /// The database's name.
    #[must_use]
    pub fn database(&self) -> &str {
        &self.database
    }

    /// Ends all connections, waiting no longer than a moment.
    pub async fn close(&self) {
        let _ = tokio::time::timeout(Duration::from_millis(200), self.pool().disconnect()).await;
    }

    /// Adds to a failure where it happened and what can be done.
    #[must_use]
    pub fn blame(&self, failure: Failure) -> StoreError {
        StoreError { at: self.at.clone(), database: self.database.clone(), failure }
    }

    fn pool(&self) -> Pool {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for the driver at most [`PATIENCE`], and classifies what it says.
    async fn bounded<T>(
        &self,
        what: &str,
        call: impl Future<Output = Result<T, mysql_async::Error>>,
    ) -> Result<T, Failure> {
        self.bounded_by(PATIENCE, what, call).await
    }

    /// The same, with a patience of its own.
    async fn bounded_by<T>(
        &self,
        patience: Duration,
        what: &str,
        call: impl Future<Output = Result<T, mysql_async::Error>>,
    ) -> Result<T, Failure> {
        let answer = match tokio::time::timeout(patience, call).await {
            Ok(answer) => answer.map_err(Failure::from),
            Err(_) => Err(Failure::timed_out("mysql", what, patience)),
        };
        if let Err(Failure { kind: Kind::Dependency | Kind::Operator, .. }) = answer {
            self.begin_anew();
        }
        answer
    }

    /// Leaves the connections that there are.
    fn begin_anew(&self) {
        let fresh = Pool::new(self.options.clone());
        let stuck = std::mem::replace(&mut *self.pool.lock().unwrap_or_else(PoisonError::into_inner), fresh);
        drop(stuck);
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("at", &self.at).field("database", &self.database).finish_non_exhaustive()
    }
}

/// The options of every connection.
fn session(options: OptsBuilder) -> Opts {
    let pool = PoolOpts::default()
        .with_constraints(PoolConstraints::new(0, CONNECTIONS).unwrap_or_default())
        .with_inactive_connection_ttl(KEPT_IDLE)
        // The session's state is the same for all uses, so nothing needs to be reset between two of them.
        .with_reset_connection(false);
    options
        .pool_opts(pool)
        // The Unix socket would leave the address that was asked for.
        .prefer_socket(false)
        .tcp_keepalive(Some(Duration::from_secs(10)))
        .stmt_cache_size(STATEMENTS)
        // Affected rows then mean rows that are new.
        .client_found_rows(false)
        .setup(vec![format!(
            "SET NAMES utf8mb4, SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', \
             SESSION time_zone = '+00:00', SESSION innodb_lock_wait_timeout = {LOCK_WAIT_SECONDS}"
        )])
        .into()
}

/// What can be done about a failure of MySQL's.
#[must_use]
pub fn advice(failure: &Failure) -> &'static str {
    match failure.code.as_str() {
        "mysql_1049" => "make it with `sluice migrate`, or check the name in DATABASE_URL",
        "mysql_1146" | "mysql_1054" | "mysql_1364" | "mysql_1932" => {
            "is the schema an older one? bring the schema up with `sluice migrate`; what else was changed in the tables \
             has to be changed back"
        }
        "mysql_tls" => "is its certificate signed by a public authority, or by the one in SSL_CERT_FILE?",
        "mysql_1045" | "mysql_1698" => "check the user and the password in DATABASE_URL",
        "mysql_auth_plugin" => {
            "check the user and the password in DATABASE_URL; a user has to have caching_sha2_password or \
             mysql_native_password"
        }
        "mysql_1820" | "mysql_1862" | "mysql_3118" | "mysql_4151" => "unlock the user of DATABASE_URL",
        "mysql_1129" | "mysql_1130" => "let the server take connections from this machine (FLUSH HOSTS unblocks it)",
        "mysql_1044" | "mysql_1142" | "mysql_1143" | "mysql_1227" => "give the user of DATABASE_URL the permission",
        "mysql_1290" | "mysql_1792" | "mysql_1836" | "mysql_1036" | "mysql_1874" => {
            "it is read-only: a replica, or a server in upkeep? DATABASE_URL says which one is used"
        }
        "mysql_1021" | "mysql_1114" | "mysql_1030" => "make room on the server's disk",
        "mysql_1040" | "mysql_1203" | "mysql_1226" => "raise the server's limit, or run fewer processes",
        _ if failure.kind == Kind::Dependency => "is it running there? DATABASE_URL says where to look",
        _ => "the server's log may say more",
    }
}

/// MySQL cannot be used: where, why, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreError {
    /// Host and port.
    pub at: String,
    /// The database's name.
    pub database: String,
    /// Why.
    pub failure: Failure,
}

impl StoreError {
    /// Whether trying again is of no use before somebody changes something: credentials, permissions, a missing
    /// database or table.
    #[must_use]
    pub fn needs_operator(&self) -> bool {
        self.failure.kind == Kind::Operator
    }
}

impl std::fmt::Display for StoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { at, database, failure } = self;
        write!(
            f,
            "cannot use database `{database}` at {at}: {} ({}); {}",
            failure.message,
            failure.code,
            advice(failure)
        )
    }
}

impl std::error::Error for StoreError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(url: &str) -> Result<Store, ConfigError> {
        Store::new(&DatabaseArgs { database_url: url.into() })
    }

    #[tokio::test]
    async fn a_wrong_address_is_refused_by_the_settings_name_and_without_its_password() {
        for wrong in ["mysql://me:hunter2@host:3306", "postgres://me:hunter2@host/db", "me:hunter2@host", "mysql://"] {
            let error = store(wrong).expect_err(wrong);
            assert_eq!(error.setting, "DATABASE_URL");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
    }

    #[tokio::test]
    async fn no_debug_form_shows_the_password() {
        let store = store("mysql://me:hunter2@host:3306/db").expect("a good address");
        assert!(!format!("{store:?}").contains("hunter2"));
    }
}
