//! What `DATABASE_URL` may ask for, and what is the same for every connection.

use std::time::Duration;

use mysql_async::{Opts, OptsBuilder, PoolConstraints, PoolOpts};
use sluice_core::address::{self, Parameter, is_bool, is_within};
use url::Url;

/// The most connections of a process. The recorder writes with one and uses up to five more to find the row that makes
/// a group fail, the case opener uses up to three; probes and reads take another. The driver takes connections back in
/// a separate task, so statements in quick succession may use two or three in turn; all are kept.
pub const CONNECTIONS: usize = 10;
/// The longest wait for a row's lock. Below [`crate::PATIENCE`], so that a locked row does not look like a database
/// that hangs.
const LOCK_WAIT_SECONDS: u32 = 2;
/// How long an idle connection is kept. Without this setting the driver closes each connection as soon as it is given
/// back, so that every statement opens a new one.
const KEPT_IDLE: Duration = Duration::from_secs(60);
/// Statements kept prepared on a connection: more than there are sizes of a group of rows and of a group of cases.
const STATEMENTS: usize = 96;

/// The parameters that `DATABASE_URL` may have. All other options of the driver are set here, for every connection.
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

/// Refuses parameters that are unknown or wrong.
///
/// # Errors
/// What is wrong with the first of them.
pub(crate) fn check_parameters(url: &Url) -> Result<(), String> {
    address::check(url, &PARAMETERS)?;
    check_tls(url)
}

/// Refuses parameters for TLS that contradict each other, and logs which checks are turned off.
fn check_tls(url: &Url) -> Result<(), String> {
    let given = |name: &str| address::parameter(url, name);
    let tls = given("require_ssl").as_deref() == Some("true");
    let how = [VERIFY_CA, VERIFY_IDENTITY, "built_in_roots"].into_iter().find(|name| given(name).is_some());
    if let Some(name) = how.filter(|_| !tls) {
        return Err(format!("its parameter `{name}` is for TLS, and requires `require_ssl=true`"));
    }
    let unchecked = match (given(VERIFY_CA).as_deref(), given(VERIFY_IDENTITY).as_deref()) {
        (Some("false"), _) => {
            "verify_ca=false: any certificate is accepted, so anybody between the two can read and change everything"
        }
        (_, Some("false")) => "verify_identity=false: a certificate of any other server is accepted",
        _ => return Ok(()),
    };
    tracing::warn!("DATABASE_URL turns off a TLS check: {unchecked}");
    Ok(())
}

/// The options of every connection.
pub(crate) fn session(options: OptsBuilder) -> Opts {
    let pool = PoolOpts::default()
        .with_constraints(PoolConstraints::new(0, CONNECTIONS).unwrap_or_default())
        .with_inactive_connection_ttl(KEPT_IDLE)
        // The session's state is the same for all uses, so nothing needs to be reset between two of them.
        .with_reset_connection(false);
    options
        .pool_opts(pool)
        // The driver would otherwise switch to the Unix socket, away from the address in the URL.
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
