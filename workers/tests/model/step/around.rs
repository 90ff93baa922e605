//! What happens around the workers: in MySQL, at the broker, and by an operator's hand.

use crate::action::Action;
use crate::rules::Broken;
use crate::state::{Message, Replay};

use super::{LOOKS, Step};

impl Step<'_> {
    pub(super) fn around(&mut self, action: Action) {
        let state = &mut self.state;
        match action {
            Action::AdriftCommits { p } => {
                state.adrift[p] = false;
                self.store(p);
            }
            Action::AdriftFades { p } => state.adrift[p] = false,
            Action::Away => {
                state.left.outages -= 1;
                state.mysql = false;
            }
            Action::Back => state.mysql = true,
            Action::Duplicate { p } => {
                state.left.duplicates -= 1;
                state.ready.push(Message::new(u8::try_from(p).expect("a few posts")));
            }
            Action::ReplayPublish { i } | Action::ReplayRemove { i } => self.replay(action, i),
            Action::MoveBack { i } => {
                state.left.moves -= 1;
                let dead_letter = state.dead.remove(i);
                state.ready.push(Message { claimed: LOOKS, ..Message::new(dead_letter.post) });
            }
            Action::OperatorDies => {
                state.left.lapses -= 1;
                state.dead.retain(|dead_letter| dead_letter.replay != Replay::OnlyInFlight);
                state.dead.iter_mut().for_each(|dead_letter| dead_letter.replay = Replay::None);
            }
            other => unreachable!("{other:?} is done elsewhere"),
        }
    }

    fn replay(&mut self, action: Action, i: usize) {
        let post = self.state.dead[i].post;
        let first = matches!(action, Action::ReplayPublish { .. });
        if first {
            self.state.left.replays -= 1;
        }
        // A replay is a new message: the broker's count begins anew.
        if first != self.protocol.is(Broken::ReplayAcksFirst) {
            self.state.ready.push(Message::new(post));
        }
        match (first, self.protocol.is(Broken::ReplayAcksFirst)) {
            (true, false) => self.state.dead[i].replay = Replay::Copied,
            (true, true) => self.state.dead[i].replay = Replay::OnlyInFlight,
            (false, _) => {
                self.state.dead.remove(i);
            }
        }
    }
}
