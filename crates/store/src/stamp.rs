//! Which WhatsApp a database belongs to. Keys made with the simulator must never be tried on the real
//! servers, and the other way round.

use diesel::prelude::*;
use wagate_domain::Error;

use crate::dialect::Conn;
use crate::error::Failure;
use crate::schema::{counters, devices, meta};

/// A kind of WhatsApp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The real one.
    WhatsApp,
    /// The simulator.
    Simulated,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::WhatsApp => "whatsapp",
            Self::Simulated => "simulated",
        }
    }
}

/// The name of the mark in the table of marks.
const NAME: &str = "whatsapp";

pub(crate) fn stamp(conn: &mut Conn<'_>, kind: Kind) -> Result<(), Failure> {
    on!(conn, c => {
        let stamped: Option<String> =
            meta::table.find(NAME).select(meta::value).first(c).optional()?;
        match stamped.as_deref() {
            Some(stamped) if stamped == kind.as_str() => Ok(()),
            Some(_) => Err(refused(kind).into()),
            None if diesel::select(diesel::dsl::exists(devices::table.select(devices::id))).get_result(c)? => {
                Err(Error::invalid("database", "this data directory has devices but no mark of whose they are").into())
            }
            None => {
                diesel::insert_into(meta::table)
                    .values((meta::name.eq(NAME), meta::value.eq(kind.as_str())))
                    .execute(c)?;
                Ok(())
            }
        }
    })
}

/// A counter that says nothing: writing it shows that writing works.
pub(crate) fn beat(conn: &mut Conn<'_>) -> Result<(), Failure> {
    on!(conn, c => {
        diesel::insert_into(counters::table)
            .values((counters::name.eq("beat"), counters::value.eq(1)))
            .on_conflict(counters::name)
            .do_update()
            .set(counters::value.eq(counters::value + 1))
            .execute(c)?;
    });
    Ok(())
}

fn refused(kind: Kind) -> Error {
    let reason = match kind {
        Kind::WhatsApp => {
            "this data directory belongs to a simulated WhatsApp: the server needs a directory of its own"
        }
        Kind::Simulated => {
            "this data directory belongs to the real WhatsApp: the sandbox needs a directory of its own"
        }
    };
    Error::invalid("database", reason)
}
