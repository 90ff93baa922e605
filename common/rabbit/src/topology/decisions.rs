//! The exchange for people's decisions. It is apart from the way of posts: nothing of Sluice reads from it.

use lapin::options::ExchangeDeclareOptions;
use lapin::types::FieldTable;
use lapin::{Connection, ExchangeKind};

use super::{Drift, TIMEOUT, Topology, TopologyError, open};
use crate::broker::bounded;

impl Topology {
    /// Where decisions of people are published, for queues of the forum's own. Only there where a console has it as an
    /// endpoint: nothing of Sluice reads from it.
    #[must_use]
    pub fn decisions(&self) -> String {
        format!("{}_decisions", self.prefix)
    }

    /// Declares the exchange for decisions: topic and durable.
    ///
    /// # Errors
    /// [`TopologyError::Drift`] when one of another make is there, [`TopologyError::Failed`] when the broker could not
    /// be asked.
    pub async fn declare_decisions(&self, connection: &Connection) -> Result<(), TopologyError> {
        let channel = open(connection).await?;
        let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        let name = self.decisions();
        let declare =
            channel.exchange_declare(name.as_str().into(), ExchangeKind::Topic, options, FieldTable::default());
        bounded("declaring an exchange", TIMEOUT, declare).await.map_err(|failure| {
            match Drift::read(&name, &failure) {
                Some(drift) => TopologyError::Drift(drift),
                None => TopologyError::Failed(failure),
            }
        })?;
        let _ = bounded("closing a channel", TIMEOUT, channel.close(200, "done".into())).await;
        Ok(())
    }
}
