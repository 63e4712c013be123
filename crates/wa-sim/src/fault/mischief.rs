//! Messages that do not come as they should: twice, damaged, or in strange company.

use wacore_binary::{Node, NodeContent};

use crate::clock;
use crate::wire::node::{Build, empty, server_jid};

/// So far from its end an envelope of any kind holds ciphertext, MAC or signature, never the frame around them.
const FROM_END: usize = 16;

/// What is done to one message on its way to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mischief {
    /// It comes twice in a row.
    Duplicate,
    /// What is encrypted in it is damaged.
    Garble,
    /// Stanzas that no client knows come before it.
    Unknown,
}

/// The message with each of its envelopes damaged, so that they parse and do not decrypt.
pub(crate) fn garbled(message: &Node) -> Node {
    let mut damaged = message.clone();
    if let Some(NodeContent::Nodes(children)) = &mut damaged.content {
        for enc in children.iter_mut().filter(|child| child.tag == "enc") {
            if let Some(NodeContent::Bytes(bytes)) = &mut enc.content
                && let Some(inside) = bytes.len().checked_sub(FROM_END)
            {
                bytes[inside] ^= 0xff;
            }
        }
    }
    damaged
}

/// A stanza, a notification and an info that no client has heard of.
pub(crate) fn unknown() -> [Node; 3] {
    let notification = Build::new("notification")
        .attr("from", server_jid())
        .attr("id", format!("U{}", clock::now_ms()))
        .attr("type", "unheard_of")
        .attr("t", clock::now())
        .children([empty("novelty")])
        .build();
    let info = Build::new("ib")
        .attr("from", server_jid())
        .children([empty("unheard_of")])
        .build();
    [
        Build::new("unheard_of").attr("type", "novelty").build(),
        notification,
        info,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::node::{children, with_bytes};

    #[test]
    fn only_the_envelopes_are_damaged() {
        let children_of = [with_bytes("enc", [7; 40]), with_bytes("device-identity", [7; 40])];
        let message = Build::new("message")
            .attr("id", "A")
            .children(children_of)
            .build();
        let damaged = garbled(&message);
        assert_ne!(children(&damaged)[0], children(&message)[0]);
        assert_eq!(children(&damaged)[1], children(&message)[1]);
        assert_eq!(damaged.attrs, message.attrs);
    }
}
