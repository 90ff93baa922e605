//! The error for a MySQL that cannot be used, with advice.

use sluice_core::failure::{Failure, Kind};

/// What can be done about a failure of MySQL's.
#[must_use]
pub fn advice(failure: &Failure) -> &'static str {
    match failure.code.as_str() {
        "mysql_1049" => "create it with `sluice migrate`, or check the name in DATABASE_URL",
        "mysql_1146" | "mysql_1054" | "mysql_1364" | "mysql_1932" => {
            "is the schema outdated? upgrade it with `sluice migrate`; undo any other change to the tables"
        }
        "mysql_engine" => "Sluice needs transactions to test rows and to record operations as a whole",
        "mysql_tls" => {
            "its certificate must be for this host, in time, and signed by a public authority or by the one in SSL_CERT_FILE"
        }
        "mysql_no_tls" => "give it a certificate, or take `require_ssl=true` out of DATABASE_URL",
        "mysql_3159" => "add `?require_ssl=true` to DATABASE_URL",
        "mysql_foreign" => "check the host and the port in DATABASE_URL",
        "mysql_1045" | "mysql_1698" => {
            "check the user and the password in DATABASE_URL; MariaDB also says this where it requires TLS \
             (`?require_ssl=true`)"
        }
        "mysql_auth_plugin" => {
            "check the user and the password in DATABASE_URL; the user must have caching_sha2_password or \
             mysql_native_password"
        }
        "mysql_1820" | "mysql_1862" | "mysql_3118" | "mysql_4151" => "unlock the user in DATABASE_URL",
        "mysql_1129" | "mysql_1130" => "allow connections from this machine (FLUSH HOSTS unblocks it)",
        "mysql_1044" | "mysql_1142" | "mysql_1143" | "mysql_1227" => "grant the permission to the user in DATABASE_URL",
        "mysql_1290" | "mysql_1792" | "mysql_1836" | "mysql_1036" | "mysql_1874" => {
            "the server is read-only: is it a replica, or in maintenance? DATABASE_URL sets the server"
        }
        "mysql_1021" | "mysql_1114" | "mysql_1030" => "free some space on the server's disk",
        "mysql_1205" => "another session holds a lock; SHOW PROCESSLIST on the server shows it",
        "mysql_timeout" => {
            "is it running there? is the table locked (SHOW PROCESSLIST), the disk full or the server overloaded? \
             DATABASE_URL sets the address"
        }
        "mysql_1040" | "mysql_1203" | "mysql_1226" => "raise the server's limit, or run fewer processes",
        _ if failure.kind == Kind::Dependency => "is it running there? DATABASE_URL sets the address",
        _ if failure.kind == Kind::Permanent => "was a column, a CHECK or a trigger of the table changed?",
        _ => "see the server's log",
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
