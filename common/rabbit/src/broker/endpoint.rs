//! The address of the broker: `AMQP_URL`, checked, and in the form that lapin and the certificate need.

use sluice_core::address::{self, Parameter, is_within};
use sluice_core::config::{BrokerArgs, ConfigError, SecretUrl};

/// The interval of heartbeats; a dead peer is noticed after twice as long.
const HEARTBEAT_SECONDS: u16 = 10;

/// The largest frame, in bytes, where all messages are our own. RabbitMQ 4.3 refuses less than 8192.
const LEAN_FRAME_MAX: u32 = 16 * 1024;

/// The parameters that the address may have. Bounds that are not the broker's own follow from how Sluice uses a
/// connection.
const PARAMETERS: [Parameter; 4] = [
    Parameter { name: "heartbeat", takes: "1 to 600 seconds", fits: |value| is_within(value, &(1..=600)) },
    Parameter { name: "frame_max", takes: "8192 to 1048576 bytes", fits: |value| is_within(value, &(8192..=1 << 20)) },
    Parameter { name: "channel_max", takes: "32 to 65535 channels", fits: |value| is_within(value, &(32..=65_535)) },
    Parameter {
        name: "auth_mechanism",
        takes: "`plain` or `amqplain`",
        fits: |value| matches!(value, "plain" | "amqplain"),
    },
];

/// Where the broker is.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    /// The address for lapin: without TLS, which is made below it.
    pub(super) url: SecretUrl,
    /// The name in the broker's certificate, where the address asks for TLS.
    pub(super) tls: Option<String>,
    /// Host and port, for messages.
    pub(super) at: String,
}

impl Endpoint {
    pub(super) fn read(args: &BrokerArgs) -> Result<Self, ConfigError> {
        const EXAMPLE: &str = "amqp://user:password@host:5672/%2f";
        let refused = |problem: String| ConfigError::new("AMQP_URL", format!("{problem}; write it like {EXAMPLE}"));
        let mut url = args.amqp_url.parsed("AMQP_URL", &["amqp", "amqps"], EXAMPLE)?;
        address::check(&url, &PARAMETERS).map_err(refused)?;
        if url.path() == "/" {
            // Taken literally, a trailing slash is the virtual host "", which nobody has.
            url.set_path("/%2f");
        }
        if address::parameter(&url, "heartbeat").is_none() {
            url.query_pairs_mut().append_pair("heartbeat", &HEARTBEAT_SECONDS.to_string());
        }
        let port = url.port().unwrap_or(if url.scheme() == "amqps" { 5671 } else { 5672 });
        let (at, host) = (address::at(&url, port), address::host(&url));
        let tls = (url.scheme() == "amqps").then(|| host.clone());
        if tls.is_some() && (url.set_port(Some(port)).is_err() || url.set_scheme("amqp").is_err()) {
            return Err(refused("its port cannot be set".to_owned()));
        }
        // For lapin an address in brackets is no host at all, and it connects to localhost.
        if host.contains(':') && url.set_host(Some(&host.replace(':', "%3A"))).is_err() {
            return Err(refused("its host cannot be used".to_owned()));
        }
        Ok(Self { url: url.as_str().into(), tls, at })
    }

    /// The same with smaller frames, unless the address has their size.
    pub(super) fn lean(&self) -> Self {
        // There always is a query: the heartbeat's.
        let url = self.url.expose();
        let url = if url.contains("frame_max=") { url.to_owned() } else { format!("{url}&frame_max={LEAN_FRAME_MAX}") };
        Self { url: url.as_str().into(), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(url: &str) -> Result<Endpoint, ConfigError> {
        let prefix = "post".parse().expect("a prefix");
        Endpoint::read(&BrokerArgs { amqp_url: url.into(), prefix, max_length: None })
    }

    #[test]
    fn a_trailing_slash_means_the_default_virtual_host() {
        for url in ["amqp://h/", "amqp://h/%2f"] {
            let endpoint = endpoint(url).expect("a good address");
            assert!(endpoint.url.expose().starts_with("amqp://h/%2f?heartbeat=10"), "{}", endpoint.url.expose());
        }
    }

    #[test]
    fn an_address_of_ipv6_is_what_the_library_connects_to_and_what_the_certificate_has_to_name() {
        let endpoint = endpoint("amqps://me:secret@[2001:db8::1]/v").expect("a good address");
        assert_eq!((endpoint.at.as_str(), endpoint.tls.as_deref()), ("[2001:db8::1]:5671", Some("2001:db8::1")));
        let read: lapin::uri::AMQPUri = endpoint.url.expose().parse().expect("what the library reads");
        assert_eq!((read.authority.host.as_str(), read.authority.port), ("2001:db8::1", 5671));
    }

    #[test]
    fn a_parameter_that_is_wrong_or_unknown_is_refused_by_its_name() {
        for (query, named) in [
            ("heartbeat=abc", "`heartbeat` is `abc`; it takes 1 to 600 seconds"),
            ("heartbeat=0", "heartbeat"),
            ("frame_max=1", "`frame_max` is `1`; it takes 8192 to 1048576 bytes"),
            ("frame_max=8191", "frame_max"),
            ("channel_max=1", "channel_max"),
            ("connection_timeout=30000", "`connection_timeout`, only heartbeat"),
            ("auth_mechanism=external", "auth_mechanism"),
            ("heartbeat=5&frame_max=8192&heartbeat=6", "`heartbeat` is given twice"),
            ("verify=none", "verify"),
        ] {
            let error = endpoint(&format!("amqp://h/%2f?{query}")).expect_err(query);
            assert!(error.setting == "AMQP_URL" && error.problem.contains(named), "{query}: {error}");
        }
        assert!(endpoint("amqp://h/%2f?heartbeat=5&frame_max=8192&channel_max=64&auth_mechanism=amqplain").is_ok());
    }

    #[test]
    fn the_default_port_depends_on_the_scheme() {
        assert_eq!(endpoint("amqp://h").map(|endpoint| endpoint.at), Ok("h:5672".to_owned()));
        assert_eq!(endpoint("amqps://h").map(|endpoint| endpoint.at), Ok("h:5671".to_owned()));
    }

    #[test]
    fn smaller_frames_are_asked_for_unless_the_address_says_how_large() {
        let lean = |url| endpoint(url).expect("a good address").lean().url.expose().to_owned();
        assert_eq!(lean("amqp://h/%2f"), "amqp://h/%2f?heartbeat=10&frame_max=16384");
        assert_eq!(lean("amqp://h/%2f?frame_max=9000"), "amqp://h/%2f?frame_max=9000&heartbeat=10");
    }

    #[test]
    fn tls_is_made_below_the_library_and_all_else_of_the_address_stays() {
        let secure = endpoint("amqps://me:secret@h/v?heartbeat=7").expect("a good address");
        assert_eq!((secure.url.expose(), secure.tls.as_deref()), ("amqp://me:secret@h:5671/v?heartbeat=7", Some("h")));
        let other = endpoint("amqps://h:7/%2f?heartbeat=7").expect("a good address");
        assert_eq!((other.url.expose(), other.tls.as_deref()), ("amqp://h:7/%2f?heartbeat=7", Some("h")));
        let plain = endpoint("amqp://h/%2f?heartbeat=7").expect("a good address");
        assert_eq!((plain.url.expose(), plain.tls), ("amqp://h/%2f?heartbeat=7", None));
    }
}
