//! Why RabbitMQ cannot be used.

use sluice_core::failure::{Failure, Kind};

/// RabbitMQ cannot be used: where, why, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerError {
    /// Host and port.
    pub at: String,
    /// The failure, classified.
    pub failure: Failure,
}

impl BrokerError {
    /// Whether retrying is useless until somebody changes the settings: wrong credentials, an unknown virtual host.
    #[must_use]
    pub fn needs_operator(&self) -> bool {
        self.failure.kind == Kind::Operator
    }
}

impl std::fmt::Display for BrokerError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let advice = match self.failure.code.as_str() {
            "amqp_403" => "check the user, the password and the virtual host in AMQP_URL, and the user's permissions",
            "amqp_530" | "amqp_404" => {
                "check the virtual host in AMQP_URL (`/` is written %2f) and the user's permissions"
            }
            "amqp_tls" => {
                "check that AMQP_URL has its TLS port; its certificate must be for this host, in time, and signed by an \
                 authority of this system or of SSL_CERT_FILE"
            }
            "amqp_foreign" => "check the host and the port in AMQP_URL, and whether the URL must begin with amqps://",
            "amqp_no_leader" => "start their nodes",
            "amqp_541" => "see RabbitMQ's log",
            _ => "is it running there? AMQP_URL sets the address",
        };
        write!(f, "cannot use RabbitMQ at {}: {}; {advice}", self.at, self.failure.message)
    }
}

impl std::error::Error for BrokerError {}
