//! What a worker process goes through: sessions, probes, holds, stops and deaths.

use crate::action::Action;
use sluice_core::disposition::Outcome;

use crate::rules::{Broken, Nature};
use crate::state::{Session, Stage};

use super::Step;

impl Step<'_> {
    pub(super) fn process(&mut self, action: Action) {
        let mysql = self.state.mysql;
        match action {
            Action::Open { w } => {
                let session = Session { taking: true, withdrawn: false, stopping: false, released: 0 };
                let worker = &mut self.state.workers[w];
                (worker.session, worker.pauses) = (Some(session), 0);
            }
            Action::Probe { w } => {
                let restarted = self.protocol.is(Broken::FlapRestartsTheHold);
                let worker = &mut self.state.workers[w];
                worker.gate_open = true;
                worker.pauses = if restarted { 0 } else { worker.pauses };
            }
            Action::Steady { w } => {
                let worker = &mut self.state.workers[w];
                worker.pauses = 0;
                worker.consumers.iter_mut().flatten().for_each(|in_flight| in_flight.held = 0);
            }
            Action::HoldOver { w } if self.protocol.is(Broken::ReleaseBeforeCancel) => self.withdraw(w),
            Action::HoldOver { w } | Action::CancelLate { w } => self.session(w).taking = false,
            Action::Withdraw { w } => self.withdraw(w),
            Action::Close { w } => {
                let stopping = self.session(w).stopping;
                let worker = &mut self.state.workers[w];
                worker.session = None;
                worker.alive = !stopping;
            }
            Action::Start { w } => {
                let worker = &mut self.state.workers[w];
                (worker.alive, worker.gate_open, worker.pauses) = (true, mysql, 0);
            }
            Action::Stop { w } => {
                self.state.left.stops -= 1;
                let worker = &mut self.state.workers[w];
                match &mut worker.session {
                    Some(session) => (session.taking, session.stopping) = (false, true),
                    None => worker.alive = false,
                }
            }
            other => unreachable!("{other:?} is no step of a process"),
        }
    }

    /// `withdrawn.cancel()`: whatever waits is interrupted. An insert that is under way goes on without its waiter.
    fn withdraw(&mut self, w: usize) {
        self.session(w).withdrawn = true;
        for k in 0..self.protocol.consumers {
            let Some(in_flight) = self.state.workers[w].consumers[k] else { continue };
            match in_flight.stage {
                Stage::Inserting => self.state.adrift[usize::from(in_flight.message.post)] = true,
                Stage::AtGate | Stage::Backoff | Stage::Committed => {}
                Stage::Taken | Stage::Settling(_) | Stage::Confirmed => continue,
            }
            self.conclude(w, k, Outcome::Interrupted);
        }
    }

    /// The process is gone: the broker takes back what it had, MySQL may still do what it was told.
    pub(super) fn die(&mut self, w: usize) {
        for in_flight in std::mem::replace(&mut self.state.workers[w].consumers, vec![None; self.protocol.consumers]) {
            let Some(in_flight) = in_flight else { continue };
            if in_flight.stage == Stage::Inserting && self.protocol.nature(in_flight.message.post) != Nature::Deadly {
                self.state.adrift[usize::from(in_flight.message.post)] = true;
            }
            if !in_flight.gone {
                self.requeue(in_flight.message, true);
            }
        }
        let worker = &mut self.state.workers[w];
        (worker.alive, worker.gate_open, worker.pauses, worker.session) = (false, true, 0, None);
    }

    pub(super) fn break_off(&mut self, w: usize) {
        self.state.left.breaks -= 1;
        self.session(w).taking = false;
        for k in 0..self.protocol.consumers {
            if let Some(in_flight) = self.state.workers[w].consumers[k].filter(|in_flight| !in_flight.gone) {
                self.requeue(in_flight.message, true);
                self.in_flight(w, k).gone = true;
            }
        }
    }
}
