//! MySQL or MariaDB: the only place that holds SQL.
//!
//! The driver has no timeouts of its own, so every use of a connection, taking it included, stands under
//! `Store::bounded`. A statement that timed out may have been committed all the same: every statement here can be
//! repeated without harm.

mod archive;
mod audit;
mod content;
mod counts;
mod engine;
mod failure;
mod foreign;
mod insertion;
mod migrate;
mod operations;
mod packet;
mod plain;
mod posts;
mod refused;
mod rehearsal;
mod replays;
mod row;
mod under_way;

pub use archive::{DropOperation, Dropped, LastOperation};
pub use audit::AuditEntry;
pub use content::{Content, ID_CONFLICT, StoredContent};
pub use counts::{ByVerdict, Stored};
pub use failure::classify;
pub use insertion::Insertion;
pub use migrate::{Migrated, SchemaError};
pub use operations::{LineId, Operation, OperationItem, OperationKind};
pub use replays::{PastItem, PastReplay, Taken};
pub use row::{Recorded, Row, RowOutcome, StoredPost};

use std::future::Future;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use mysql_async::{Conn, Opts, OptsBuilder, Pool, PoolConstraints, PoolOpts};
use url::Url;

use sluice_core::address::{self, Parameter, is_bool, is_within};
use sluice_core::config::{ConfigError, DatabaseArgs};
use sluice_core::failure::{Failure, Kind};
use sluice_core::foreign::MYSQL;
use under_way::UnderWay;

/// The longest wait for one statement, taking a connection included.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// The longest wait for a row's lock. Below [`PATIENCE`], so that a locked row is seen as what it is and not as a
/// database that hangs.
const LOCK_WAIT_SECONDS: u32 = 2;
/// Connections a process may hold. The recorder writes with one and finds out with up to five more which row makes a
/// group fail; probes and reads take another. The driver takes them back in a task of its own, so statements that
/// follow each other closely may use two or three in turn; all are kept.
pub const CONNECTIONS: usize = 8;
/// How long a connection is kept that nobody uses. Without such a time the driver closes each one as soon as it is
/// given back, and a statement costs the opening of a connection.
const KEPT_IDLE: Duration = Duration::from_secs(60);
/// Statements kept prepared on a connection: more than there are sizes of a group of rows.
const STATEMENTS: usize = 64;

/// What may be asked of a connection in its address. All else that the driver knows is set here, for every connection.
const PARAMETERS: [Parameter; 7] = [
    Parameter { name: "require_ssl", takes: "true or false", fits: is_bool },
    Parameter { name: VERIFY_CA, takes: "true or false", fits: is_bool },
    Parameter { name: VERIFY_IDENTITY, takes: "true or false", fits: is_bool },
    Parameter { name: "built_in_roots", takes: "true or false", fits: is_bool },
    Parameter {
        name: "compression",
        takes: "`fast`, `on`, `best` or 0 to 9",
        fits: |value| matches!(value, "fast" | "on" | "best") || (value.len() == 1 && is_within(value, &(0..=9))),
    },
    Parameter { name: "enable_cleartext_plugin", takes: "true or false", fits: is_bool },
    Parameter { name: "socket", takes: "the path of a socket", fits: |value| value.starts_with('/') },
];
const VERIFY_CA: &str = "verify_ca";
const VERIFY_IDENTITY: &str = "verify_identity";

/// Holds the parameters for TLS against each other, and says in the log which checks are turned off.
fn check_tls(url: &Url) -> Result<(), String> {
    let given = |name: &str| address::parameter(url, name);
    let tls = given("require_ssl").as_deref() == Some("true");
    let how = [VERIFY_CA, VERIFY_IDENTITY, "built_in_roots"].into_iter().find(|name| given(name).is_some());
    if let Some(name) = how.filter(|_| !tls) {
        return Err(format!("its parameter `{name}` is about TLS, and there is none without `require_ssl=true`"));
    }
    let unchecked = match (given(VERIFY_CA).as_deref(), given(VERIFY_IDENTITY).as_deref()) {
        (Some("false"), _) => {
            "verify_ca=false: any certificate will do, so whoever is in between can read and change everything"
        }
        (_, Some("false")) => "verify_identity=false: the certificate may be any other server's",
        _ => return Ok(()),
    };
    tracing::warn!("DATABASE_URL turns a check of TLS off: {unchecked}");
    Ok(())
}

/// The database.
pub struct Store {
    options: Opts,
    /// Replaced after a failure that is no post's. A connection that hangs would keep its place in the pool until the
    /// kernel gives it up; one that was made while the server was read-only may stay so after the server is not.
    pool: Mutex<Pool>,
    at: String,
    database: String,
    /// The largest packet that the server was last seen to take.
    packet: AtomicUsize,
    /// Whether a server has ever answered there.
    met: AtomicBool,
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
        address::check(&url, &PARAMETERS).map_err(wrong)?;
        check_tls(&url).map_err(wrong)?;
        if url.path().trim_matches('/').contains('/') {
            return Err(wrong("there is more than the database's name in its path".to_owned()));
        }
        // What it would say of a wrong parameter holds the value.
        let parsed = Opts::from_url(args.database_url.expose())
            .map_err(|_| wrong("it is no address of a database".to_owned()))?;
        let database = parsed.db_name().filter(|name| !name.is_empty()).map(str::to_owned);
        let database = database.ok_or_else(|| wrong("it names no database".to_owned()))?;
        let at = parsed.socket().map_or_else(|| address::at(&url, parsed.tcp_port()), str::to_owned);
        // RabbitMQ's library looks there by itself; a private authority is then named once for both.
        let authority = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
        let tls = match (parsed.ssl_opts().cloned(), authority) {
            (Some(tls), Some(file)) => Some(tls.with_root_certs(vec![file.into()])),
            (tls, _) => tls,
        };
        let options = OptsBuilder::from_opts(parsed).ip_or_hostname(address::host(&url)).ssl_opts(tls);
        let options = session(options);
        let (packet, met) = (AtomicUsize::new(usize::MAX), AtomicBool::new(false));
        Ok(Self { pool: Mutex::new(Pool::new(options.clone())), options, at, database, packet, met })
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
    pub fn with_context(&self, failure: Failure) -> StoreError {
        StoreError { at: self.at.clone(), database: self.database.clone(), failure }
    }

    fn pool(&self) -> Pool {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What is about to be sent on a connection, which nobody may wait for to the end.
    fn under_way(&self, connection: &Conn) -> UnderWay {
        UnderWay::new(connection.id(), &self.options)
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
            Ok(answer) => answer.map_err(|error| classify(&error)),
            Err(_) if !self.met.load(Ordering::Relaxed) => Err(self.met_nobody(what).await),
            Err(_) => Err(Failure::timed_out("mysql", what, patience)),
        };
        if answer.is_ok() {
            self.met.store(true, Ordering::Relaxed);
        }
        if let Err(Failure { kind: Kind::Dependency | Kind::Operator, .. }) = answer {
            self.begin_anew();
        }
        answer
    }

    /// A server that has never answered, and does not now: is it one of MySQL at all?
    async fn met_nobody(&self, what: &str) -> Failure {
        match foreign::ask(self.options.ip_or_hostname(), self.options.tcp_port()).await {
            Some(speaks) if speaks != MYSQL => {
                let message = format!("what listens there speaks {speaks}, not {MYSQL}");
                Failure::new(Kind::Operator, "mysql_foreign", message)
            }
            Some(_) | None => Failure::timed_out("mysql", what, PATIENCE),
        }
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
        "mysql_engine" => "nothing can be tried, or recorded as a whole, in such a table",
        "mysql_tls" => "is its certificate signed by a public authority, or by the one in SSL_CERT_FILE?",
        "mysql_foreign" => "check the host and the port in DATABASE_URL",
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
        "mysql_1205" => "another session holds a lock; SHOW PROCESSLIST on the server names it",
        "mysql_timeout" => {
            "is it running there, and is the table locked (SHOW PROCESSLIST), the disk full or the server overloaded? \
             DATABASE_URL says where to look"
        }
        "mysql_1040" | "mysql_1203" | "mysql_1226" => "raise the server's limit, or run fewer processes",
        _ if failure.kind == Kind::Dependency => "is it running there? DATABASE_URL says where to look",
        _ if failure.kind == Kind::Permanent => "was a column, a CHECK or a trigger of the table changed?",
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
    async fn an_address_of_ipv6_is_what_the_driver_is_told() {
        let store = store("mysql://me@[2001:db8::1]/db").expect("a good address");
        assert_eq!((store.at(), store.options.ip_or_hostname()), ("[2001:db8::1]:3306", "2001:db8::1"));
    }

    #[tokio::test]
    async fn a_parameter_that_is_wrong_or_unknown_is_refused_by_its_name() {
        for (query, named) in [
            ("require_ssl=yes", "`require_ssl` is `yes`; it takes true or false"),
            ("require_ssl", "require_ssl"),
            ("ssl-mode=REQUIRED", "`ssl-mode`, only require_ssl"),
            ("pool_max=50", "pool_max"),
            ("verify_ca=true", "none without `require_ssl=true`"),
            ("require_ssl=false&verify_identity=true", "none without `require_ssl=true`"),
            ("require_ssl=true&require_ssl=false", "given twice"),
            ("compression=11", "compression"),
        ] {
            let error = store(&format!("mysql://me@h/db?{query}")).expect_err(query);
            assert!(error.setting == "DATABASE_URL" && error.problem.contains(named), "{query}: {error}");
        }
        assert!(store("mysql://me@h/db?require_ssl=true&verify_ca=true&verify_identity=false&compression=9").is_ok());
        assert!(store("mysql://me@h/db/").is_ok() && store("mysql://me@h/db/other").is_err());
    }

    #[tokio::test]
    async fn no_debug_form_shows_the_password() {
        let store = store("mysql://me:hunter2@host:3306/db").expect("a good address");
        assert!(!format!("{store:?}").contains("hunter2"));
    }
}
