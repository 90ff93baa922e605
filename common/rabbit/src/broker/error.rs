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
                "is its port one for TLS, and its certificate signed by an authority of this system or of SSL_CERT_FILE?"
            }
            "amqp_foreign" => "check the host and the port in AMQP_URL, and whether it has to be amqps://",
            "amqp_541" => "its own log says more",
            _ => "is it running there? AMQP_URL says where to look",
        };
        write!(f, "cannot use RabbitMQ at {}: {}; {advice}", self.at, self.failure.message)
    }
}

impl std::error::Error for BrokerError {}
