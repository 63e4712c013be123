//! People in an account's address book, and names seen on their messages.

use serde::{Deserialize, Serialize};

use super::Jid;

/// What we know of one person. An update merges into what is stored: `None` leaves a field as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The person, by phone number when known, else by LID.
    pub jid: Jid,
    /// The hidden identity, when known.
    pub lid: Option<Jid>,
    /// First name in the phone's address book.
    pub first_name: Option<String>,
    /// Full name in the phone's address book.
    pub full_name: Option<String>,
    /// Name that the person shows to others.
    pub push_name: Option<String>,
    /// Name of the person's business.
    pub business_name: Option<String>,
}

impl Contact {
    /// A contact of whom only the address is known.
    pub fn new(jid: Jid) -> Self {
        Self {
            jid,
            lid: None,
            first_name: None,
            full_name: None,
            push_name: None,
            business_name: None,
        }
    }

    /// What to call the person: as in the address book, else as they call themselves.
    pub fn best_name(&self) -> Option<&str> {
        self.names().next()
    }

    /// All names of the person, the best first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        [
            &self.full_name,
            &self.first_name,
            &self.push_name,
            &self.business_name,
        ]
        .into_iter()
        .filter_map(|name| name.as_deref().filter(|name| !name.is_empty()))
    }

    /// Takes over what `newer` knows.
    pub fn merge(&mut self, newer: &Self) {
        let take = |old: &mut Option<String>, new: &Option<String>| {
            if new.is_some() {
                old.clone_from(new);
            }
        };
        take(&mut self.first_name, &newer.first_name);
        take(&mut self.full_name, &newer.full_name);
        take(&mut self.push_name, &newer.push_name);
        take(&mut self.business_name, &newer.business_name);
        if newer.lid.is_some() {
            self.lid.clone_from(&newer.lid);
        }
    }
}
