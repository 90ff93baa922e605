//! The largest packet that the server takes (`max_allowed_packet`), and rows beyond it.
//!
//! MySQL answers a packet over its limit with an error, and MariaDB ends the connection, which looks like an outage.
//! The limit may be changed at any time, so it is read with every plain row, and a row is only called too large after
//! the server has refused it.

use std::sync::atomic::Ordering;

use mysql_async::Conn;
use mysql_async::prelude::Queryable as _;

use super::Store;
use super::posts::{ROW_MAX_BYTES, too_large};
use super::row::Row;
use sluice_core::failure::{Failure, Kind};

impl Store {
    /// The largest packet that the server was last seen to take, in bytes; `usize::MAX` before it was first asked.
    #[must_use]
    pub fn packet(&self) -> usize {
        self.packet.load(Ordering::Relaxed)
    }

    /// The limit as it is now.
    ///
    /// # Errors
    /// The server's.
    pub(super) async fn asked_packet(&self) -> Result<usize, Failure> {
        self.bounded("reading max_allowed_packet", async { self.ask_packet(&mut self.connection().await?).await })
            .await?;
        Ok(self.packet())
    }

    /// Asks the server for the limit that new connections have.
    pub(super) async fn ask_packet(&self, connection: &mut Conn) -> Result<(), mysql_async::Error> {
        if let Some(packet) = connection.query_first::<usize, _>("SELECT @@global.max_allowed_packet").await? {
            self.packet.store(packet, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Why this row is too large, if it is: for every server, or for this one as it was last asked.
    #[must_use]
    pub fn too_large(&self, row: &Row) -> Option<Failure> {
        let (bytes, packet) = (row.packet_bytes(), self.packet());
        if row.bytes() > ROW_MAX_BYTES {
            return Some(too_large(row));
        }
        let message = || format!("the row has {bytes} bytes, more than the server's max_allowed_packet of {packet}");
        (bytes >= packet).then(|| Failure::new(Kind::Permanent, "too_large", message()))
    }
}
