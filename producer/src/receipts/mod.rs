//! Receipts: the ids of confirmed posts, to be compared later with the queues and the rows (`sluice verify`).

mod file;
mod log;

pub use file::Receipts;
pub use log::ReceiptLog;
