//! The database: its connections, and the one way to use them.

use std::future::Future;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use mysql_async::prelude::{FromRow, Queryable as _};
use mysql_async::{Conn, Opts, OptsBuilder, Params, Pool, Value};
use sluice_core::address;
use sluice_core::config::{ConfigError, DatabaseArgs};
use sluice_core::failure::{Failure, Kind};
use sluice_core::foreign::MYSQL;
use sluice_core::nodes;
use url::Url;

use crate::error::StoreError;
use crate::failure::classify;
use crate::foreign;
use crate::nodes::Nodes;
use crate::options::{check_parameters, session};
use crate::under_way::{GivenUp, UnderWay};

/// The longest wait for one statement, taking a connection included.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// The database.
pub struct Store {
    pub(crate) nodes: Nodes,
    at: String,
    pub(crate) database: String,
    /// The largest packet that the server was last seen to take.
    pub(crate) packet: AtomicUsize,
    /// Whether a server has ever answered there.
    met: AtomicBool,
    given_up: GivenUp,
    /// The row that its commits are tested with.
    pub(crate) commit_test: u16,
}

impl Store {
    /// The database these settings name. Nothing is opened yet.
    ///
    /// # Errors
    /// When `DATABASE_URL` is no address of a database.
    pub fn new(args: &DatabaseArgs) -> Result<Self, ConfigError> {
        const SETTING: &str = "DATABASE_URL";
        const EXAMPLE: &str = "mysql://user:password@host:3306/name";
        let wrong = |problem: &str| ConfigError::of_form(SETTING, problem, EXAMPLE);
        let urls = args.database_url.nodes(SETTING, &["mysql"], EXAMPLE)?;
        let options: Vec<Opts> =
            urls.iter().map(options).collect::<Result<_, String>>().map_err(|problem| wrong(&problem))?;
        let Some(one) = options.first() else { return Err(wrong("it has no host")) };
        let database = one.db_name().filter(|name| !name.is_empty()).map(str::to_owned);
        let database = database.ok_or_else(|| wrong("it has no database name"))?;
        let at = one.socket().map_or_else(|| nodes::at(&urls, one.tcp_port()), str::to_owned);
        let (packet, met) = (AtomicUsize::new(usize::MAX), AtomicBool::new(false));
        let (given_up, commit_test) = (GivenUp::default(), fastrand::u16(..));
        Ok(Self { nodes: Nodes::new(options), at, database, packet, met, given_up, commit_test })
    }

    /// Host and port; of several nodes, of each, separated by commas.
    #[must_use]
    pub fn at(&self) -> &str {
        &self.at
    }

    /// The database's name.
    #[must_use]
    pub fn database(&self) -> &str {
        &self.database
    }

    /// Ends all connections, without a long wait.
    pub async fn close(&self) {
        let _ = tokio::time::timeout(Duration::from_millis(200), self.pool().disconnect()).await;
    }

    /// Adds to a failure where it happened and what can be done.
    #[must_use]
    pub fn with_context(&self, failure: Failure) -> StoreError {
        StoreError { at: self.at.clone(), database: self.database.clone(), failure }
    }

    /// A connection to the node in use, or to the next one that answers.
    pub(crate) async fn connection(&self) -> Result<Conn, mysql_async::Error> {
        self.nodes.connection().await
    }

    pub(crate) fn pool(&self) -> Pool {
        self.nodes.pool()
    }

    /// How to reach the node in use.
    pub(crate) fn options(&self) -> Opts {
        self.nodes.options().clone()
    }

    /// A statement that is about to be sent on a connection, and that the caller may stop waiting for.
    pub(crate) fn under_way(&self, connection: &Conn) -> UnderWay {
        UnderWay::new(connection, &self.given_up)
    }

    /// Waits until the server has ended the statements that were given up so far: they may hold locks on rows that are
    /// about to be written again. Not longer than a statement may take; what runs on by then may run for long.
    pub async fn given_up_ended(&self) {
        let _ = tokio::time::timeout(PATIENCE, self.given_up.ended()).await;
    }

    /// Waits for the driver at most [`PATIENCE`], and classifies what it says.
    pub(crate) async fn bounded<T>(
        &self,
        what: &str,
        call: impl Future<Output = Result<T, mysql_async::Error>>,
    ) -> Result<T, Failure> {
        self.bounded_by(PATIENCE, what, call).await
    }

    /// The same with another limit than [`PATIENCE`].
    pub(crate) async fn bounded_by<T>(
        &self,
        patience: Duration,
        what: &str,
        call: impl Future<Output = Result<T, mysql_async::Error>>,
    ) -> Result<T, Failure> {
        let left = self.nodes.left();
        let answer = match tokio::time::timeout(patience, call).await {
            Ok(answer) => answer.map_err(|error| classify(&error)),
            Err(_) if !self.met.load(Ordering::Relaxed) => Err(self.met_nobody(what).await),
            Err(_) => Err(Failure::timed_out("mysql", what, patience)),
        };
        if answer.is_ok() {
            self.met.store(true, Ordering::Relaxed);
        }
        if let Err(Failure { kind: Kind::Dependency | Kind::Operator, .. }) = answer {
            self.nodes.leave(left);
        }
        answer
    }

    /// The rows that a statement gives; none where it only changes something.
    pub(crate) async fn read<T: FromRow + Send + 'static>(
        &self,
        what: &str,
        statement: String,
        asked: Vec<Value>,
    ) -> Result<Vec<T>, Failure> {
        let asked = if asked.is_empty() { Params::Empty } else { Params::Positional(asked) };
        self.bounded(what, async {
            let mut connection = self.connection().await?;
            connection.exec(statement, asked).await
        })
        .await
    }

    /// The failure for a server that has never answered: it may not be MySQL at all.
    async fn met_nobody(&self, what: &str) -> Failure {
        let node = self.options();
        match foreign::ask(node.ip_or_hostname(), node.tcp_port()).await {
            Some(speaks) if speaks != MYSQL => {
                let message = format!("the server there speaks {speaks}, not {MYSQL}");
                Failure::new(Kind::Operator, "mysql_foreign", message)
            }
            Some(_) | None => Failure::timed_out("mysql", what, PATIENCE),
        }
    }
}

/// How to reach one node.
fn options(url: &Url) -> Result<Opts, String> {
    check_parameters(url)?;
    if url.path().trim_matches('/').contains('/') {
        return Err("its path contains more than the database name".to_owned());
    }
    // The driver's error for a wrong parameter contains its value.
    let parsed = Opts::from_url(url.as_str()).map_err(|_| "it is not a database URL".to_owned())?;
    // RabbitMQ's library reads this variable by itself, so a private authority is named once for both servers.
    let authority = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
    let tls = match (parsed.ssl_opts().cloned(), authority) {
        (Some(tls), Some(file)) => Some(tls.with_root_certs(vec![file.into()])),
        (tls, _) => tls,
    };
    Ok(session(OptsBuilder::from_opts(parsed).ip_or_hostname(address::host(url)).ssl_opts(tls)))
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("at", &self.at).field("database", &self.database).finish_non_exhaustive()
    }
}

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
        assert_eq!((store.at(), store.options().ip_or_hostname()), ("[2001:db8::1]:3306", "2001:db8::1"));
    }

    #[tokio::test]
    async fn a_parameter_that_is_wrong_or_unknown_is_refused_by_its_name() {
        for (query, named) in [
            ("require_ssl=yes", "`require_ssl` is `yes`; it must be true or false"),
            ("require_ssl", "require_ssl"),
            ("ssl-mode=REQUIRED", "`ssl-mode` is unknown; known parameters: require_ssl"),
            ("pool_max=50", "pool_max"),
            ("verify_ca=true", "requires `require_ssl=true`"),
            ("require_ssl=false&verify_identity=true", "requires `require_ssl=true`"),
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
