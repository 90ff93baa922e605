//! RabbitMQ's errors, classified.

use sluice_core::failure::{Failure, Kind};

/// The AMQP reply code of an error, if the broker sent one.
#[must_use]
pub fn amqp_code(error: &lapin::Error) -> Option<u16> {
    match error.kind() {
        lapin::ErrorKind::ProtocolError(protocol) => Some(protocol.get_id()),
        _ => None,
    }
}

/// Whether the broker closed the channel because what was named does not exist (404).
#[must_use]
pub fn is_unroutable_channel_error(error: &lapin::Error) -> bool {
    amqp_code(error) == Some(404)
}

/// 402 content too large, 403 access refused, 404 not found, 405 locked, 406 precondition failed and 530 not allowed
/// (an unknown virtual host) persist until somebody changes something on one of the two sides; all others (a closed
/// connection, a missed heartbeat, 320 connection forced, 541 internal error) are temporary. The library's
/// `can_be_recovered` is not used, because it considers 403, 404 and 406 recoverable.
#[must_use]
pub fn classify(error: &lapin::Error) -> Failure {
    // The server is not a broker, which remains so until somebody changes the address.
    if matches!(error.kind(), lapin::ErrorKind::IOError(io) if io.kind() == std::io::ErrorKind::Unsupported) {
        return Failure::new(Kind::Operator, "amqp_foreign", told(error));
    }
    // The TLS handshake failed, mostly because of an untrusted certificate: this does not resolve itself.
    if matches!(error.kind(), lapin::ErrorKind::IOError(io) if io.kind() == std::io::ErrorKind::InvalidData) {
        return Failure::new(Kind::Operator, "amqp_tls", told(error));
    }
    match amqp_code(error) {
        Some(code @ (402 | 403 | 404 | 405 | 406 | 530)) => {
            Failure::new(Kind::Operator, format!("amqp_{code}"), told(error))
        }
        Some(code) => Failure::new(Kind::Dependency, format!("amqp_{code}"), told(error)),
        None => Failure::new(Kind::Dependency, "amqp_unreachable", told(error)),
    }
}

/// The failure of declaring something, or of using what was just declared. That it is not found then says nothing of the
/// settings: the node is in a minority of its cluster, or the queue has no leader, and both pass.
#[must_use]
pub(crate) fn of_declared(failure: Failure) -> Failure {
    let kind = if failure.code == "amqp_404" { Kind::Dependency } else { failure.kind };
    Failure { kind, ..failure }
}

/// The broker's message if there is one, otherwise the library's.
fn told(error: &lapin::Error) -> String {
    match error.kind() {
        lapin::ErrorKind::ProtocolError(protocol) => protocol.get_message().to_string(),
        // The TLS library reports such data as "corrupt".
        lapin::ErrorKind::IOError(io) if io.to_string().contains("InvalidContentType") => {
            "the server there does not use TLS".to_owned()
        }
        lapin::ErrorKind::IOError(io) => io.to_string(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lapin::protocol::{AMQPError, AMQPErrorKind, AMQPHardError, AMQPSoftError};

    fn refused(kind: impl Into<AMQPErrorKind>) -> lapin::Error {
        lapin::ErrorKind::ProtocolError(AMQPError::new(kind.into(), "said so".into())).into()
    }

    #[test]
    fn what_only_an_operator_can_fix_is_told_apart_from_an_outage() {
        let kind = |error: &lapin::Error| classify(error).kind;
        assert_eq!(kind(&refused(AMQPSoftError::ACCESSREFUSED)), Kind::Operator);
        assert_eq!(kind(&refused(AMQPSoftError::PRECONDITIONFAILED)), Kind::Operator);
        assert_eq!(kind(&refused(AMQPHardError::NOTALLOWED)), Kind::Operator);
        assert_eq!(kind(&refused(AMQPHardError::CONNECTIONFORCED)), Kind::Dependency);
        assert_eq!(kind(&lapin::ErrorKind::MissingHeartbeatError.into()), Kind::Dependency);
    }

    #[test]
    fn a_certificate_that_is_not_trusted_is_an_operators_business() {
        let refused = std::io::Error::new(std::io::ErrorKind::InvalidData, "invalid peer certificate");
        let failure = classify(&lapin::Error::from(refused));
        assert_eq!((failure.kind, failure.code.as_str()), (Kind::Operator, "amqp_tls"));
    }

    #[test]
    fn the_brokers_own_words_are_kept() {
        let failure = classify(&refused(AMQPSoftError::NOTFOUND));
        assert_eq!((failure.code.as_str(), failure.message.as_str()), ("amqp_404", "said so"));
    }
}
