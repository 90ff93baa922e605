//! The hosts of links.

use std::net::Ipv4Addr;

/// The host of a link, without its scheme, user, port and path.
pub(super) fn host(link: &str) -> Option<&str> {
    let rest = link.split_once("://").map_or(link, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = host.split(':').next()?.trim_end_matches('.');
    (!host.is_empty()).then_some(host)
}

/// The longest name a host can have, in bytes of its ASCII form (RFC 1035). Domains above a longer one are not looked
/// for: it can have tens of thousands, each almost as long as itself.
const HOST_MAX: usize = 253;

/// Whether a host can be reached: `e.g` and `main.rs` look like links, but no registry has such an ending.
pub(super) fn is_public(host: &str) -> bool {
    // In ASCII no host gets shorter than one byte for each character.
    if host.chars().count() > HOST_MAX {
        return false;
    }
    let known = psl::suffix(host.as_bytes()).is_some_and(|suffix| suffix.is_known());
    address(host).is_some() || known || !host.is_ascii()
}

pub(super) fn address(host: &str) -> Option<Ipv4Addr> {
    host.parse().ok()
}

/// Whether an address leads somewhere else: not to this machine or network. Those that are kept for documentation do,
/// or no example could be tried.
pub(super) fn is_outside(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    let is_shared = first == 100 && second & 0xC0 == 0x40;
    let is_here = address.is_private() || address.is_loopback() || address.is_link_local() || first == 0;
    !(is_here || is_shared || address.is_multicast() || first >= 240)
}

/// A host and all domains above it.
pub(super) fn above(host: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(host), |host| host.split_once('.').map(|(_, above)| above))
}
