//! MySQL's and MariaDB's errors, classified by their codes.
//!
//! The codes were seen on MariaDB 10.11 and MySQL 9.7; their meanings are those of the MySQL error message reference.

use std::io::ErrorKind;

use mysql_async::{DriverError, Error, IoError, ServerError};

use sluice_core::failure::{Failure, Kind};
use sluice_core::kind::without_values;

/// The code of a row that a unique key refuses.
pub(crate) const DUPLICATE_KEY: &str = "mysql_1062";

/// A query that always has a row had none.
pub(crate) fn no_row() -> Error {
    Error::Other("a query that always gives a row gave none".into())
}

/// Whose fault a server error is, as far as its code tells. Whether it hits every post is found out by asking the table
/// ([`sluice_core::disposition::blame`]).
///
/// An unforeseen code is transient: the post is tried again a bounded number of times and then dead-lettered with the
/// code. So it neither blocks the queue for ever nor costs a post at the first attempt.
fn kind_of(code: u16) -> Kind {
    match code {
        // Lock wait, deadlock, interrupted; MariaDB's and MySQL's statement time limit.
        1205 | 1213 | 1317 | 1969 | 3024 => Kind::Transient,
        // Too many connections (of all, of this user, by its quota), prepared statements, threads; out of memory.
        1040 | 1203 | 1226 | 1461 | 1135 | 1037 | 1038 | 1041 => Kind::Dependency,
        // Shutting down, a connection that was killed or broke on the server's side.
        1053 | 1927 | 1152 | 1158..=1161 => Kind::Dependency,
        // Read-only: the server, the transactions, the table, the engine; a cluster's node that is not ready.
        1290 | 1836 | 1792 | 1036 | 1874 | 1047 | 3100 => Kind::Dependency,
        // Disk full, table full, the storage engine's own errors, a binary log that cannot be written; below a thousand
        // are the server's errors with files.
        1021 | 1114 | 1030 | 1598 | 1..=999 => Kind::Dependency,
        // Too long, not null, out of range, wrong date, cut, wrong value, bad JSON, a CHECK that refused, a trigger's
        // SIGNAL.
        1406 | 1048 | 1264 | 1292 | 1265 | 1366 | 3140 | 3819 | 4025 | 1644 => Kind::Permanent,
        // Access, also without the TLS that is required; a blocked host, an account that is locked or has to change its
        // password.
        3159 | 1044 | 1045 | 1142 | 1143 | 1227 | 1698 | 1129 | 1130 | 1820 | 1862 | 3118 | 4151 => Kind::Operator,
        // Unknown database, table or column, a foreign column that must have a value, something that a view or a
        // trigger lacks, syntax: an operator has to fix it.
        1049 | 1146 | 1932 | 1054 | 1364 | 1356 | 1449 | 1305 | 1064 => Kind::Operator,
        // A value that is larger than the server takes.
        1301 => Kind::Permanent,
        _ => Kind::Transient,
    }
}

/// Whose fault an error of the server or the driver is.
#[must_use]
pub fn classify(error: &Error) -> Failure {
    match error {
        Error::Server(server) if server.code == 1062 => duplicate(&server.message),
        // The row is larger than the server takes, as it says or as the driver knows.
        Error::Server(server) if server.code == 1153 => {
            Failure::new(Kind::Permanent, "too_large", server.message.clone())
        }
        Error::Server(server) => {
            let kind = kind_of(server.code);
            Failure::new(kind, format!("mysql_{}", server.code), told(kind, server))
        }
        Error::Driver(DriverError::PacketTooLarge) => {
            Failure::new(Kind::Permanent, "too_large", "the row is larger than max_allowed_packet")
        }
        // The certificate is not trusted, and will not be until somebody changes something.
        Error::Io(IoError::Tls(_)) => Failure::new(Kind::Operator, "mysql_tls", bare(error)),
        Error::Io(IoError::Io(io)) if io.kind() == ErrorKind::InvalidData => {
            Failure::new(Kind::Operator, "mysql_tls", bare(error))
        }
        Error::Driver(DriverError::NoClientSslFlagFromServer) => {
            Failure::new(Kind::Operator, "mysql_no_tls", "the server offers no TLS")
        }
        // MySQL's possible answer to an unknown user: it asks for an arbitrary login method, and the driver does not
        // have all of them.
        Error::Driver(DriverError::UnknownAuthPlugin { .. }) => {
            Failure::new(Kind::Operator, "mysql_auth_plugin", bare(error))
        }
        // A broken or refused connection, whatever part of the driver noticed it.
        Error::Driver(_) | Error::Io(_) | Error::Other(_) => {
            Failure::new(Kind::Dependency, "mysql_unreachable", bare(error))
        }
        Error::Url(_) => Failure::new(Kind::Operator, "mysql_url", bare(error)),
    }
}

/// What a trigger or a procedure of the site's own says.
const SIGNAL: u16 = 1644;

/// The server's message. One about a row may quote it, and with it a user's text; one about an account, a table or a
/// site's own trigger is for operators.
fn told(kind: Kind, server: &ServerError) -> String {
    match kind {
        Kind::Permanent | Kind::Transient if server.code != SIGNAL => without_values(&server.message),
        _ => server.message.clone(),
    }
}

/// A row that a unique key refuses, which is the row's own fault. The primary key is an exception, because all inserts
/// of posts ignore it: somebody else stored the row between two looks, so the next look finds it.
///
/// The server says `Duplicate entry 'VALUE' for key 'KEY'`. The value may be a text of a user's, so only the key is
/// told.
fn duplicate(message: &str) -> Failure {
    let key = message.rsplit_once(" for key ").map_or("?", |(_, key)| key.trim_matches('\''));
    let kind = if key.ends_with("PRIMARY") { Kind::Transient } else { Kind::Permanent };
    Failure::new(kind, DUPLICATE_KEY, format!("Duplicate entry for key '{key}'"))
}

/// The innermost message: the layers above it only repeat "Input/output error:".
fn bare(error: &Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(code: u16) -> Error {
        Error::Server(ServerError { code, message: "said so".to_owned(), state: "HY000".to_owned() })
    }

    #[test]
    fn each_code_has_the_owner_its_meaning_gives_it() {
        let kind = |code| classify(&server(code)).kind;
        for (codes, expected) in [
            (&[1205u16, 1213, 1317, 1969, 3024][..], Kind::Transient),
            (&[1040, 1203, 1226, 1461, 1041, 1053, 1927, 1290, 1836, 1792, 1036, 1047], Kind::Dependency),
            (&[1021, 1114, 1030, 3], Kind::Dependency),
            (&[1406, 1048, 1264, 1292, 1265, 1366, 3140, 3819, 4025, 1644, 1153], Kind::Permanent),
            (&[3159, 1044, 1045, 1142, 1227, 1129, 1820, 4151], Kind::Operator),
            (&[1049, 1146, 1054, 1364, 1064], Kind::Operator),
        ] {
            for code in codes {
                assert_eq!(kind(*code), expected, "code {code}");
            }
        }
    }

    #[test]
    fn a_unique_key_that_refuses_is_named_and_the_users_text_is_not() {
        let refused = |message: &str| {
            let (message, state) = (message.to_owned(), "23000".to_owned());
            classify(&Error::Server(ServerError { code: 1062, message, state }))
        };
        let failure = refused("Duplicate entry 'a private \'title\' for key \'x\'' for key 'posts.u'");
        assert_eq!((failure.kind, failure.code.as_str()), (Kind::Permanent, DUPLICATE_KEY));
        assert_eq!(failure.message, "Duplicate entry for key 'posts.u'");
        assert_eq!(refused("Duplicate entry 'x' for key 'PRIMARY'").kind, Kind::Transient);
    }

    #[test]
    fn a_row_that_is_refused_does_not_have_its_text_told() {
        let said = |code, message: &str| {
            let (message, state) = (message.to_owned(), "HY000".to_owned());
            classify(&Error::Server(ServerError { code, message, state })).message
        };
        for (code, message, told) in [
            (
                1366,
                "Incorrect string value: 'a secret' for column 'title' at row 1",
                "Incorrect string value: ? for column 'title' at row 1",
            ),
            (1292, "Truncated incorrect DOUBLE value: 'a secret'", "Truncated incorrect DOUBLE value: ?"),
            (9999, "nobody foresaw 'a secret'", "nobody foresaw ?"),
            (1045, "Access denied for user 'sluice'@'host'", "Access denied for user 'sluice'@'host'"),
            (1644, "the author 'bob' is blocked here", "the author 'bob' is blocked here"),
        ] {
            assert_eq!(said(code, message), told);
        }
    }

    #[test]
    fn a_code_nobody_foresaw_is_tried_again_and_then_dead_lettered() {
        assert_eq!(classify(&server(9999)).kind, Kind::Transient);
    }

    #[test]
    fn a_certificate_that_is_not_trusted_is_an_operators_business() {
        let refused = std::io::Error::new(ErrorKind::InvalidData, "invalid peer certificate");
        let failure = classify(&Error::Io(IoError::Io(refused)));
        assert_eq!((failure.kind, failure.code.as_str()), (Kind::Operator, "mysql_tls"));
    }

    #[test]
    fn a_server_without_the_tls_that_is_asked_for_is_an_operators_business() {
        let failure = classify(&Error::Driver(DriverError::NoClientSslFlagFromServer));
        assert_eq!((failure.kind, failure.code.as_str()), (Kind::Operator, "mysql_no_tls"));
    }

    #[test]
    fn a_user_that_has_no_way_in_is_an_operators_business() {
        let unknown = DriverError::UnknownAuthPlugin { name: "sha256_password".to_owned() };
        let failure = classify(&Error::Driver(unknown));
        assert_eq!((failure.kind, failure.code.as_str()), (Kind::Operator, "mysql_auth_plugin"));
    }

    #[test]
    fn a_lost_connection_is_nobody_s_post_s_fault() {
        let lost = Error::Io(IoError::Io(std::io::Error::other("reset by peer")));
        let failure = classify(&lost);
        assert_eq!((failure.kind, failure.message.as_str()), (Kind::Dependency, "reset by peer"));
    }
}
