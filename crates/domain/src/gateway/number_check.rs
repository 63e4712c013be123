//! Checking many numbers: which of them have an account. WhatsApp is asked in small questions, one after the other, as a
//! session that also has messages to send can bear.

use std::collections::{HashMap, HashSet};

use futures_util::future::try_join_all;

use super::Gateway;
use super::jobs::Work;
use crate::model::{
    CheckedNumber, DeviceId, Jid, Job, JobId, JobKind, JobState, NumberFound, PhoneNumber, Region, Token,
};
use crate::ports::Session;
use crate::{Error, Result};

/// Most numbers of one check.
const MAX_NUMBERS: usize = 10_000;
/// Numbers in one question.
const CHUNK: usize = 50;
/// Most characters that are kept of what was given as a number.
const MAX_SHOWN: usize = 64;

/// A check that has begun.
pub(super) struct Checking {
    pub(super) id: JobId,
    device: DeviceId,
    /// The numbers that could be read, each with its place.
    numbers: Vec<(usize, PhoneNumber)>,
}

impl Gateway {
    /// Begins to find out which of these numbers have an account. Each is read as sends read it; one that cannot be
    /// read is told in its line. `WrongState` when the device is not connected, or checks numbers already.
    #[tracing::instrument(skip_all, fields(device = %token, numbers = numbers.len()))]
    pub async fn check_numbers(&self, token: &Token, numbers: Vec<String>) -> Result<Job> {
        if numbers.is_empty() || numbers.len() > MAX_NUMBERS {
            let reason = format!("numbers must be a list of 1 to {MAX_NUMBERS} numbers");
            return Err(Error::invalid("numbers", reason));
        }
        let device = self.device(token).await?;
        self.connected_session(&device)?;
        self.jobs.require_room()?;
        let region = self.region_for(&device);
        let lines: Vec<CheckedNumber> = numbers.iter().map(|text| line(text, region)).collect();
        let places = lines.iter().enumerate();
        let numbers: Vec<(usize, PhoneNumber)> = places
            .filter_map(|(place, line)| match &line.found {
                NumberFound::Unknown(phone) => Some((place, phone.clone())),
                NumberFound::Unreadable(_) | NumberFound::Known(..) => None,
            })
            .collect();
        let kind = JobKind::NumberCheck {
            device: device.id,
            token: device.token,
        };
        let progress = (lines.len() - numbers.len(), lines.len());
        self.begin(kind, progress, lines, |id| {
            Work::Check(Checking {
                id,
                device: device.id,
                numbers,
            })
        })
    }

    /// Asks for one chunk after the other. What was answered stays known, however it ends.
    pub(super) async fn check(&self, checking: &Checking) -> JobState {
        let asking = async {
            for chunk in checking.numbers.chunks(CHUNK) {
                let known = self.ask_for(checking.device, chunk).await?;
                self.jobs.tell(checking.id, known);
            }
            Ok(())
        };
        tokio::select! {
            () = self.jobs.cancelled(checking.id) => JobState::Cancelled,
            asked = asking => match asked {
                Ok(()) => JobState::Done,
                Err(error) => JobState::Failed(error),
            }
        }
    }

    async fn ask_for(
        &self,
        device: DeviceId,
        chunk: &[(usize, PhoneNumber)],
    ) -> Result<Vec<(usize, NumberFound)>> {
        let found = self.parts.devices.get(device).await?;
        let device = found.ok_or_else(|| Error::NotFound {
            what: "device",
            id: device.to_string(),
        })?;
        let session = self.connected_session(&device)?;
        let phones: Vec<&PhoneNumber> = chunk.iter().map(|(_, phone)| phone).collect();
        let accounts = self.accounts_of(&*session, &phones).await?;
        let known = chunk.iter().map(|(place, phone)| {
            let jid = accounts.get(phone).cloned().flatten();
            (*place, NumberFound::Known(phone.clone(), jid))
        });
        Ok(known.collect())
    }

    /// The accounts behind numbers, from the cache or asked of WhatsApp in one question.
    async fn accounts_of(
        &self,
        session: &dyn Session,
        phones: &[&PhoneNumber],
    ) -> Result<HashMap<PhoneNumber, Option<Jid>>> {
        let mut accounts = HashMap::new();
        let mut unknown = Vec::new();
        let mut seen = HashSet::new();
        for phone in phones.iter().copied().filter(|phone| seen.insert(*phone)) {
            match self.parts.directory.lookup(phone).await? {
                Some(known) if self.is_fresh(&known) => {
                    accounts.insert(phone.clone(), known.jid);
                }
                _ => unknown.push(phone.clone()),
            }
        }
        if unknown.is_empty() {
            return Ok(accounts);
        }
        let answers = session.look_up(&unknown).await?;
        // Together: they wait for the disk once.
        try_join_all(
            answers
                .iter()
                .map(|answer| self.parts.directory.remember_lookup(answer)),
        )
        .await?;
        accounts.extend(answers.into_iter().map(|answer| (answer.phone, answer.jid)));
        Ok(accounts)
    }
}

fn line(text: &str, region: Option<Region>) -> CheckedNumber {
    CheckedNumber {
        number: text.chars().take(MAX_SHOWN).collect(),
        found: match PhoneNumber::parse(text, region) {
            Ok(phone) => NumberFound::Unknown(phone),
            Err(error) => NumberFound::Unreadable(error),
        },
    }
}
