//! The nodes of a cluster in one address: `scheme://user:password@a:1,b:2,c:3/path?parameters`. All of them have the same
//! user, password, path and parameters.

use url::Url;

use crate::address::{self, ENDS};

/// The most nodes of an address.
pub const NODES_MAX: usize = 16;

/// Reads an address with one node or several; gives an address for each, in the order of the list.
///
/// # Errors
/// What is wrong, and with which node, without any part of the address that may be a password.
pub fn read(text: &str) -> Result<Vec<Url>, String> {
    address::check_form(text)?;
    let Some((scheme, rest)) = text.split_once("://") else { return address::read(text).map(|url| vec![url]) };
    let (authority, tail) = rest.split_at(rest.find(ENDS).unwrap_or(rest.len()));
    let (login, hosts) = authority.split_at(authority.rfind('@').map_or(0, |at| at + 1));
    let hosts: Vec<&str> = hosts.split(',').collect();
    if let [_] = hosts[..] {
        return address::read(text).map(|url| vec![url]);
    }
    if hosts.len() > NODES_MAX {
        return Err(format!("it lists {} nodes; at most {NODES_MAX} are taken", hosts.len()));
    }
    let mut urls: Vec<Url> = Vec::with_capacity(hosts.len());
    for (place, host) in hosts.iter().enumerate() {
        let number = place + 1;
        if host.is_empty() {
            return Err(format!("node {number} of its list is empty"));
        }
        let url = address::read(&format!("{scheme}://{login}{host}{tail}"))
            .map_err(|problem| format!("node {number} of its list: {problem}"))?;
        let same = |other: &Url| (other.host_str(), other.port()) == (url.host_str(), url.port());
        if let Some(first) = urls.iter().position(same) {
            return Err(format!("node {number} of its list is node {} once more", first + 1));
        }
        urls.push(url);
    }
    Ok(urls)
}

/// Host and port of each node, for messages.
#[must_use]
pub fn at(urls: &[Url], default_port: u16) -> String {
    urls.iter().map(|url| address::at(url, default_port)).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(text: &str) -> Result<String, String> {
        read(text).map(|urls| at(&urls, 5672))
    }

    #[test]
    fn each_node_has_what_stands_once_for_all() {
        let urls = read("amqp://me:pw@a:1,b,[::1]:3/%2f?heartbeat=5").expect("a good list");
        let texts: Vec<&str> = urls.iter().map(Url::as_str).collect();
        let wanted = ["amqp://me:pw@a:1/%2f?heartbeat=5", "amqp://me:pw@b/%2f?heartbeat=5"];
        assert_eq!(texts, [&wanted[..], &["amqp://me:pw@[::1]:3/%2f?heartbeat=5"]].concat());
        assert_eq!(at(&urls, 5672), "a:1,b:5672,[::1]:3");
    }

    #[test]
    fn one_node_is_an_address_as_ever_and_commas_elsewhere_are_no_list() {
        for (text, shown) in [
            ("amqp://h", "h:5672"),
            ("amqp://me:a,b@h:7/v", "h:7"),
            ("amqp://h/a,b", "h:5672"),
            ("amqp://h/?x=a,b", "h:5672"),
        ] {
            assert_eq!(nodes(text).as_deref(), Ok(shown), "{text}");
        }
    }

    #[test]
    fn a_node_that_is_wrong_is_named_by_its_place_and_nothing_secret_is_shown() {
        for (text, named) in [
            ("amqp://me:secret@a,,b", "node 2 of its list is empty"),
            ("amqp://me:secret@a,b,", "node 3 of its list is empty"),
            ("amqp://me:secret@a,b:x", "node 2 of its list: not a URL"),
            ("amqp://me:secret@a,b:1,a", "node 3 of its list is node 1 once more"),
            ("amqp://me:sec,secret/h", "node 1 of its list: not a URL"),
            ("amqp://me:1,secret/secret@h", "`@` after a `/`"),
            ("amqp://me:secret@a,b\n", "control character"),
        ] {
            let problem = nodes(text).expect_err(text);
            assert!(problem.contains(named) && !problem.contains("secret"), "{text}: {problem}");
        }
        let many =
            format!("amqp://{}", (0..=NODES_MAX).map(|number| format!("h{number}")).collect::<Vec<_>>().join(","));
        assert!(nodes(&many).is_err_and(|problem| problem.contains("17 nodes")));
    }
}
