//! The protocol between broker, workers, MySQL and operators as a model whose every reachable state is looked at.
//!
//! ```text
//!  rules ──► state ──► action: what can happen ──► step: what follows ──► property: what must hold
//!                                                   │ asks the product's `decide` and `allows_another`
//! ```
//!
//! Tests on real servers see a few of the orders in which things can happen; here all of them are seen, in a small
//! world: two posts, two workers, a bounded number of faults. Each action names the place of the product that it
//! stands for ([`action::Action`]). What the model leaves out: time (a wait may end at any moment), the order of the
//! queue (any message may be next), the content of posts.
//!
//! - `holds`: the protocol as it is, under every mixture of faults.
//! - `broken`: one step done wrongly on purpose; the check must notice.
//! - `price`: what the protocol does not promise, with the shortest way there.

mod action;
mod broken;
mod check;
mod holds;
mod price;
mod property;
mod rules;
mod state;
mod step;
