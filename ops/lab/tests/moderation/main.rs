//! People's review as a model whose every reachable state is looked at: one post with its case, at most one appeal and at
//! most one second review, two moderators and a lead, the database, two senders and the forum.
//!
//! ```text
//!  guards ──► state ──► action: what can happen ──► step: what follows ──► property: what must hold
//!  └ the product's own: `Case::claim`, `decide`, `escalate`, `hold`, `skipped`, `undo`, `opine`,
//!    `hides_decisions_from`, `may_be_drawn`, `reopened`, `standing`
//! ```
//!
//! People make their ids and tokens themselves and ask again with the same ones when an answer is lost; a claim and a
//! lease may end at any moment; the forum may take an event and be cut off before it says so. Each action names the
//! place of the product that it stands for. What the model leaves out: time, other posts, and what a text says.
//!
//! - `holds`: the protocol as it is, under mixtures of acts and faults.
//! - `broken`, `blind`: one check left out on purpose; the model must notice.

mod action;
mod blind;
mod broken;
mod check;
mod guards;
mod holds;
mod property;
mod rules;
mod sending;
mod state;
mod step;
