//! Where and with which ticket a client uploads and downloads media.

use crate::stanza::Answered;
use crate::wire::node::{Build, empty, result};
use crate::world::address::Address;
use crate::world::link::Client;
use crate::world::state::State;
use wacore_binary::Node;

const TTL_SECS: u64 = 3_600;
const AUTH_TTL_SECS: u64 = 21_600;

#[expect(clippy::unnecessary_wraps, reason = "all request handlers have one shape")]
pub fn handle(state: &mut State, client: &Client, me: &Address, iq: &Node) -> Answered {
    let host = Build::new("host")
        .attr("hostname", state.settings.media_host.as_str())
        .attr("type", "primary")
        .children([empty("upload"), empty("download")])
        .build();
    let hosts = Build::new("media_conn")
        .attr("auth", state.media.auth_for(&me.phone))
        .attr("ttl", TTL_SECS)
        .attr("auth_ttl", AUTH_TTL_SECS)
        .attr("max_buckets", 12_u64)
        .children([host])
        .build();
    client.say(result(iq, vec![hosts]));
    Ok(())
}
