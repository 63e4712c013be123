//! Stanzas that a device has not acknowledged yet.
//!
//! A queued stanza is gone only when its device answers it; what was merely written to a socket comes again, marked
//! `offline`, at the next login. Losing this rule would hide exactly the loss that tests look for.

use crate::clock;
use crate::wire::node::{number_attr, text_attr};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use wacore_binary::Node;

/// How long a client may take to answer before it counts as a broken rule.
const ACK_GRACE_SECS: u64 = 10;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Waiting {
    node: Node,
    /// Unix seconds of the last write to a socket.
    sent_at: Option<u64>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Queue {
    waiting: VecDeque<Waiting>,
}

/// Whether clients acknowledge stanzas of this kind.
pub fn is_acknowledged(node: &Node) -> bool {
    matches!(node.tag.as_ref(), "message" | "receipt" | "notification" | "call")
}

impl Queue {
    pub fn push(&mut self, node: Node, sent: bool) {
        self.waiting.push_back(Waiting {
            node,
            sent_at: sent.then(clock::now),
        });
    }

    /// Forgets the stanza that the device has answered; false when there was none.
    pub fn acknowledge(&mut self, class: &str, id: &str) -> bool {
        let found = self.waiting.iter().position(|waiting| {
            waiting.node.tag == class && text_attr(&waiting.node, "id").as_deref() == Some(id)
        });
        found.is_some_and(|index| self.waiting.remove(index).is_some())
    }

    /// Everything in order, as it is sent after a login; it stays queued.
    pub fn drain_to_socket(&mut self) -> Vec<Node> {
        let now = clock::now();
        self.waiting
            .iter_mut()
            .map(|waiting| {
                waiting.sent_at = Some(now);
                let mut node = waiting.node.clone();
                let missed = number_attr(&node, "t").map_or(0, |t| now.saturating_sub(t));
                node.attrs.insert("offline", missed);
                node
            })
            .collect()
    }

    /// Stanzas that the device has had long enough and not answered.
    pub fn overdue(&self) -> Vec<(String, String)> {
        let deadline = clock::now().saturating_sub(ACK_GRACE_SECS);
        self.waiting
            .iter()
            .filter(|waiting| waiting.sent_at.is_some_and(|at| at < deadline))
            .map(|waiting| {
                (
                    waiting.node.tag.to_string(),
                    text_attr(&waiting.node, "id").unwrap_or_default(),
                )
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::node::Build;

    fn message(id: &'static str) -> Node {
        Build::new("message").attr("id", id).build()
    }

    #[test]
    fn keeps_what_was_sent_until_it_is_acknowledged() {
        let mut queue = Queue::default();
        queue.push(message("A"), true);
        queue.push(message("B"), false);
        let again = queue.drain_to_socket();
        assert_eq!(again.len(), 2);
        assert!(again.iter().all(|node| node.attrs.contains_key("offline")));
        assert!(queue.acknowledge("message", "A"));
        assert!(!queue.acknowledge("receipt", "B"));
        assert_eq!(queue.drain_to_socket().len(), 1);
    }
}
