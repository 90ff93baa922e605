//! People's review: the cases of held posts, what people decide, and the way of decisions to the forum.
//!
//! ```text
//!  open      a case for each stored held post                 review_cases
//!  claim     who holds a case, by the database's clock        review_claims
//!  decide    a decision, its event and the case, in one transaction; undo is one more decision
//!  appeal    an appeal, or the end of a case by the forum     review_cases
//!  opinion   a second one, by somebody who sees no decision   second_opinions
//!  announce  the event that a post is held, out of its case   review_cases
//!  outbox    events get their places in the feed              decision_outbox
//!  delivery  what each endpoint was sent                      decision_deliveries
//! ```
//!
//! The guards are [`sluice_core::moderation::act`]. Every transaction that writes locks all cases of its post first, so
//! that no two of them are under way for one post; and every call may be repeated with the ids its caller made.

mod about;
mod announce;
mod appeal;
mod case;
mod claim;
mod decide;
mod decided;
mod decision;
mod delivery;
mod endpoint;
mod forget;
mod held;
mod history;
mod list;
mod measure;
mod neighbours;
mod new_decision;
mod next;
mod note;
mod open;
mod opinion;
mod outbox;
mod past;
mod precision;
mod queues;
mod time_to_decision;
mod transaction;
mod undo;
mod waiting;
mod withdraw;

pub use appeal::{Appeal, AppealRefusal};
pub use case::{Findings, StoredCase};
pub use claim::{Ask, LEASE, LEASE_MOST, Release};
pub use decide::{DecisionRequest, Recheck};
pub use decided::DecidedPost;
pub use decision::{Decision, Ruling, Standing};
pub use delivery::{Delivery, Failed};
pub use endpoint::{Endpoint, EndpointStatus};
pub use forget::Erased;
pub use held::HeldPost;
pub use history::{Forgotten, PastClaim, PastDelivery};
pub use list::CaseFilter;
pub use measure::Measures;
pub use next::{Claimed, Nothing};
pub use note::Note;
pub use open::NewCase;
pub(crate) use open::try_case;
pub use opinion::{Opinion, Ruled};
pub use past::PastDecision;
pub use queues::QueueCounts;
pub use time_to_decision::TimeToDecision;
pub(crate) use transaction::{again, begin};
pub use undo::UndoRequest;
pub use waiting::ReviewCounts;
