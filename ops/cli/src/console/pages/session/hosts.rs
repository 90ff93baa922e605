//! Under which names people reach the console. A browser that is led here by another name (DNS rebinding) is refused.

use std::net::IpAddr;

use axum::http::uri::Authority;
use url::Url;

/// One address of the setting.
pub(crate) type HostsArg = Url;

/// The names that are served: `localhost`, any bare address (a page of another site has a name), and those of the
/// settings.
#[derive(Debug, Clone)]
pub(crate) struct Hosts(Vec<Url>);

impl Hosts {
    /// With these addresses beside the names that are always served.
    pub(crate) fn new(addresses: Vec<Url>) -> Self {
        Self(addresses)
    }

    /// Reads one address of the setting: `https://console.example`.
    ///
    /// # Errors
    /// The form.
    pub(crate) fn parse(text: &str) -> Result<HostsArg, String> {
        let form = || "an address without a path, such as https://console.example".to_owned();
        let url = Url::parse(text).map_err(|_| form())?;
        let plain = matches!(url.scheme(), "http" | "https") && url.path() == "/" && url.query().is_none();
        if plain && url.username().is_empty() && url.fragment().is_none() { Ok(url) } else { Err(form()) }
    }

    /// Whether this `Host` is served, and if so, whether TLS is in front of it.
    pub(crate) fn secure(&self, host: &str) -> Option<bool> {
        let host: Authority = host.parse().ok()?;
        let is = |url: &&Url| {
            let port = host.port_u16().or_else(|| Some(if url.scheme() == "https" { 443 } else { 80 }));
            url.host_str().is_some_and(|name| name.eq_ignore_ascii_case(host.host()))
                && url.port_or_known_default() == port
        };
        if let Some(url) = self.0.iter().find(is) {
            return Some(url.scheme() == "https");
        }
        let bare = host.host().trim_start_matches('[').trim_end_matches(']');
        (bare.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok()).then_some(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare_addresses_and_the_names_of_the_settings_are_served() {
        let hosts = Hosts::new(vec![
            Hosts::parse("https://console.example").expect("an address"),
            Hosts::parse("http://inside:8082").expect("an address"),
        ]);
        for (host, secure) in [
            ("localhost:8082", Some(false)),
            ("127.0.0.1:8082", Some(false)),
            ("[::1]:8082", Some(false)),
            ("10.1.2.3", Some(false)),
            ("console.example", Some(true)),
            ("Console.Example:443", Some(true)),
            ("console.example:8443", None),
            ("inside:8082", Some(false)),
            ("inside", None),
            ("evil.example", None),
            ("localhost.evil.example", None),
            ("", None),
            ("a b", None),
        ] {
            assert_eq!(hosts.secure(host), secure, "{host}");
        }
        for wrong in ["console.example", "ftp://console.example", "https://console.example/a", "https://a@b", ""] {
            assert!(Hosts::parse(wrong).is_err(), "{wrong}");
        }
    }
}
