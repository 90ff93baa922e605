//! One exchange or queue: how it is declared, and how it differs from what the broker has.

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{Channel, Connection, ExchangeKind};

use super::{Drift, ROUTING_KEY, TIMEOUT, TopologyError, open};
use crate::broker::bounded;
use crate::failure::of_declared;
use sluice_core::failure::Failure;

/// One exchange or queue, as Sluice declares it.
#[derive(Debug, Clone)]
pub enum Entity {
    /// A durable direct exchange.
    Exchange {
        /// Its name.
        name: String,
    },
    /// A durable quorum queue, bound to an exchange by [`ROUTING_KEY`].
    Queue {
        /// Its name.
        name: String,
        /// The exchange that fills it.
        bound_to: String,
        /// Its arguments.
        arguments: Vec<(&'static str, AMQPValue)>,
    },
}

impl Entity {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Exchange { name } | Self::Queue { name, .. } => name,
        }
    }

    /// Whether it is there, without a look at its arguments. RabbitMQ 3 answers everybody, 4.3 only whoever has a
    /// permission on it.
    pub(super) async fn is_there(&self, connection: &Connection) -> Result<bool, Failure> {
        let channel = open(connection).await?;
        match self.assert(&channel, &[], true).await {
            Ok(()) => {
                let _ = bounded("closing a channel", TIMEOUT, channel.close(200, "done".into())).await;
                Ok(true)
            }
            Err(failure) if failure.code == "amqp_404" => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    pub(super) async fn declare(&self, channel: &Channel) -> Result<(), TopologyError> {
        let declared = match self {
            Self::Exchange { .. } => self.assert(channel, &[], false).await,
            Self::Queue { name, bound_to, arguments } => match self.assert(channel, arguments, false).await {
                Ok(()) => {
                    let (queue, exchange) = (name.as_str().into(), bound_to.as_str().into());
                    let bind = channel.queue_bind(
                        queue,
                        exchange,
                        ROUTING_KEY.into(),
                        QueueBindOptions::default(),
                        FieldTable::default(),
                    );
                    bounded("binding a queue", TIMEOUT, bind).await
                }
                refused => refused,
            },
        };
        declared.map_err(|failure| match Drift::read(self.name(), &failure) {
            Some(drift) => TopologyError::Drift(drift),
            None => TopologyError::Failed(of_declared(failure)),
        })
    }

    /// Declares it with these arguments, or, if passive, only asks whether it exists.
    async fn assert(
        &self,
        channel: &Channel,
        arguments: &[(&'static str, AMQPValue)],
        passive: bool,
    ) -> Result<(), Failure> {
        match self {
            Self::Exchange { name } => {
                let options = ExchangeDeclareOptions { durable: true, passive, ..ExchangeDeclareOptions::default() };
                let declare = channel.exchange_declare(
                    name.as_str().into(),
                    ExchangeKind::Direct,
                    options,
                    FieldTable::default(),
                );
                bounded("declaring an exchange", TIMEOUT, declare).await
            }
            Self::Queue { name, .. } => {
                let options = QueueDeclareOptions { durable: true, passive, ..QueueDeclareOptions::default() };
                let table = table(arguments);
                bounded("declaring a queue", TIMEOUT, channel.queue_declare(name.as_str().into(), options, table))
                    .await
                    .map(drop)
            }
        }
    }

    /// Collects every difference. The broker names one at a time, so the next request has the value found for it, until
    /// the broker agrees.
    pub(super) async fn differences(
        &self,
        connection: &Connection,
        found: &mut Vec<Drift>,
    ) -> Result<(), TopologyError> {
        // Declaring would create what is missing.
        if !self.is_there(connection).await? {
            found.push(Drift::missing(self.name()));
            return Ok(());
        }
        let mut arguments = match self {
            Self::Exchange { .. } => Vec::new(),
            Self::Queue { arguments, .. } => arguments.clone(),
        };
        // More rounds than there are arguments, and an end with a broker that never agrees.
        for _ in 0..32 {
            let Err(failure) = self.assert(&open(connection).await?, &arguments, false).await else { return Ok(()) };
            let Some(drift) = Drift::read(self.name(), &failure) else { return Err(TopologyError::Failed(failure)) };
            let taken_over = drift.take_over(&mut arguments);
            found.push(drift);
            if !taken_over {
                return Ok(());
            }
        }
        Ok(())
    }
}

fn table(arguments: &[(&'static str, AMQPValue)]) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, value) in arguments {
        table.insert(ShortString::from(*name), value.clone());
    }
    table
}
