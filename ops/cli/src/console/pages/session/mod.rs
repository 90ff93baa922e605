//! Logging in, and staying so: signed cookies, so that nothing is kept here or in MySQL, and people get in while it is
//! down.

mod cookie;
mod hosts;
pub(super) mod kept;
mod key;
mod once;
mod tries;

pub(super) use cookie::{Cookie, clear, given, set};
pub(crate) use hosts::{Hosts, HostsArg};
pub(super) use key::Session;
pub(crate) use key::SessionKey;
pub(crate) use once::Once;
pub(crate) use tries::Tries;
