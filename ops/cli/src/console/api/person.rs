//! In whose name a client acts.

use sluice_core::moderation::Role;
use sluice_core::moderation::act::Actor;
use sluice_runtime::health::Problem;
use uuid::Uuid;

use super::input::{Asker, within};

/// The longest name of a person, as the tables have it.
const NAME_MAX_CHARS: usize = 100;

/// A person who acts. The client vouches for them: whoever may `moderate` says who its people are, and who is a lead.
pub(super) struct Person {
    name: String,
    role: Role,
}

impl Person {
    /// The person that a body names, or else the client itself.
    ///
    /// # Errors
    /// 422 when nobody can be called so.
    pub(super) fn new(asker: &Asker, by: Option<String>, role: Option<Role>) -> Result<Self, Problem> {
        let name = by.unwrap_or_else(|| asker.name.clone());
        within("by", &name, NAME_MAX_CHARS)?;
        Ok(Self { name, role: role.unwrap_or(Role::Moderator) })
    }

    /// Their name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Their role.
    pub(super) fn role(&self) -> Role {
        self.role
    }

    /// Them, with the token of their claim.
    pub(super) fn actor(&self, claim: Option<Uuid>) -> Actor<'_> {
        Actor { name: &self.name, role: self.role, claim }
    }
}
