//! The address of the broker: `AMQP_URL`, checked, and in the form that lapin and the certificate need.

use std::sync::Arc;

use sluice_core::address::{self, Parameter, is_within};
use sluice_core::config::{BrokerArgs, ConfigError, SecretUrl};
use sluice_core::nodes;

use super::nodes::{Host, Nodes};

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

/// What lapin is told of where the broker is: an address that needs no look-up. The real ones are [`Nodes`].
const NOWHERE: &str = "127.0.0.1";

/// Where the broker is.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    /// The address for lapin: user, virtual host and parameters; without nodes and TLS, which are found and made below
    /// it.
    pub(super) url: SecretUrl,
    /// The nodes, which all copies share.
    pub(super) nodes: Arc<Nodes>,
    /// Whether the address asks for TLS.
    pub(super) tls: bool,
    /// Host and port of each node, for messages.
    pub(super) at: String,
}

impl Endpoint {
    pub(super) fn read(args: &BrokerArgs) -> Result<Self, ConfigError> {
        const SETTING: &str = "AMQP_URL";
        const EXAMPLE: &str = "amqp://user:password@host:5672/%2f";
        let refused = |problem: &str| ConfigError::of_form(SETTING, problem, EXAMPLE);
        let urls = args.amqp_url.nodes(SETTING, &["amqp", "amqps"], EXAMPLE)?;
        let Some(mut url) = urls.first().cloned() else { return Err(refused("it has no host")) };
        address::check(&url, &PARAMETERS).map_err(|problem| refused(&problem))?;
        let tls = url.scheme() == "amqps";
        let port = if tls { 5671 } else { 5672 };
        let at = nodes::at(&urls, port);
        let hosts =
            urls.iter().map(|url| Host { name: address::host(url), port: url.port().unwrap_or(port) }).collect();
        if url.path() == "/" {
            // Taken literally, a trailing slash is the virtual host "", which nobody has.
            url.set_path("/%2f");
        }
        if address::parameter(&url, "heartbeat").is_none() {
            url.query_pairs_mut().append_pair("heartbeat", &HEARTBEAT_SECONDS.to_string());
        }
        if url.set_host(Some(NOWHERE)).is_err() || url.set_scheme("amqp").is_err() {
            return Err(refused("its host cannot be set"));
        }
        Ok(Self { url: url.as_str().into(), nodes: Arc::new(Nodes::new(hosts)), tls, at })
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
            assert_eq!(endpoint.url.expose(), "amqp://127.0.0.1/%2f?heartbeat=10");
        }
    }

    #[test]
    fn the_nodes_are_those_of_the_address_and_a_name_has_no_brackets() {
        let endpoint = endpoint("amqps://me:secret@[2001:db8::1],b:7/v").expect("a good address");
        assert_eq!(endpoint.at, "[2001:db8::1]:5671,b:7");
        let host = |name: &str, port| Host { name: name.to_owned(), port };
        assert_eq!(endpoint.nodes.hosts(), [host("2001:db8::1", 5671), host("b", 7)]);
    }

    #[test]
    fn a_parameter_that_is_wrong_or_unknown_is_refused_by_its_name() {
        for (query, named) in [
            ("heartbeat=abc", "`heartbeat` is `abc`; it must be 1 to 600 seconds"),
            ("heartbeat=0", "heartbeat"),
            ("frame_max=1", "`frame_max` is `1`; it must be 8192 to 1048576 bytes"),
            ("frame_max=8191", "frame_max"),
            ("channel_max=1", "channel_max"),
            ("connection_timeout=30000", "`connection_timeout` is unknown; known parameters: heartbeat"),
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
        assert_eq!(lean("amqp://h/%2f"), "amqp://127.0.0.1/%2f?heartbeat=10&frame_max=16384");
        assert_eq!(lean("amqp://h/%2f?frame_max=9000"), "amqp://127.0.0.1/%2f?frame_max=9000&heartbeat=10");
    }

    #[test]
    fn tls_is_made_below_the_library_and_user_virtual_host_and_parameters_stay() {
        for (scheme, tls) in [("amqps", true), ("amqp", false)] {
            let read = endpoint(&format!("{scheme}://me:secret@h/v?heartbeat=7")).expect("a good address");
            assert_eq!((read.url.expose(), read.tls), ("amqp://me:secret@127.0.0.1/v?heartbeat=7", tls));
        }
    }
}
