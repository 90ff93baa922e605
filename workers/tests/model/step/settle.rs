//! How a delivery leaves its worker: acknowledged, released, dead-lettered or published again.

use crate::rules::{Broken, Counting};
use crate::state::{Answer, DeadLetter, InFlight, Message, Replay, Stage};

use super::Step;

impl Step<'_> {
    /// workers/src/handler/settle.rs, `Handler::given_back`.
    pub(super) fn given_back(&mut self, w: usize, k: usize) -> Answer {
        let returns = self.returns(w, k).saturating_add(1);
        let republished = returns >= self.protocol.max_deliveries && !self.protocol.is(Broken::EachReleaseCounts);
        if republished { Answer::Republish } else { Answer::Release }
    }

    pub(super) fn settle(&mut self, w: usize, k: usize) {
        let in_flight = *self.in_flight(w, k);
        let recorded = self.state.rows[usize::from(in_flight.message.post)] > 0;
        match in_flight.stage {
            Stage::Settling(Answer::Release) => {
                if !in_flight.gone {
                    let counted = self.protocol.counting == Counting::EachReturn;
                    self.requeue(in_flight.message, counted);
                    self.session(w).released |= 1 << in_flight.message.post;
                }
            }
            Stage::Confirmed => self.acknowledge(w, k, true),
            _ => self.acknowledge(w, k, recorded),
        }
        self.state.workers[w].consumers[k] = None;
    }

    /// The message is gone from the broker. `founded`: its post is recorded, or a dead letter is confirmed.
    pub(super) fn acknowledge(&mut self, w: usize, k: usize, founded: bool) {
        let in_flight = self.in_flight(w, k);
        let told = !in_flight.gone;
        in_flight.gone = true;
        self.state.unfounded_ack |= told && !founded;
    }

    pub(super) fn publish(&mut self, w: usize, k: usize) {
        if self.protocol.is(Broken::AckBeforeConfirm) && !self.in_flight(w, k).gone {
            return self.acknowledge(w, k, false);
        }
        self.dead_letter(w, k);
        self.in_flight(w, k).stage = Stage::Confirmed;
    }

    pub(super) fn dead_letter(&mut self, w: usize, k: usize) {
        let InFlight { message, stage, faults, .. } = *self.in_flight(w, k);
        match stage {
            Stage::Settling(Answer::DeadLetter(class)) => {
                self.state.dead.push(DeadLetter { post: message.post, class, faults, replay: Replay::None });
            }
            _ => self.state.ready.push(Message::new(message.post)),
        }
    }

    pub(super) fn requeue(&mut self, message: Message, counted: bool) {
        let returns = message.returns.saturating_add(counted.into());
        self.state.ready.push(Message { returns, acquired: message.acquired.saturating_add(1), ..message });
    }
}
