//! Short ways to read and build the stanzas that every handler needs.

use crate::clock;
use std::fmt::Write as _;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node, NodeContent, Server};

pub use wacore_binary::builder::NodeBuilder as Build;

/// The server's own JID, `s.whatsapp.net` without a user.
pub fn server_jid() -> Jid {
    Jid::new("", Server::Pn)
}

pub fn text_attr(node: &Node, key: &str) -> Option<String> {
    node.attrs
        .get(key)
        .map(ToString::to_string)
        .filter(|value| !value.is_empty())
}

pub fn attr_is(node: &Node, key: &str, value: &str) -> bool {
    node.attrs.get(key).is_some_and(|found| found.as_str() == value)
}

pub fn jid_attr(node: &Node, key: &str) -> Option<Jid> {
    node.attrs.get(key).and_then(wacore_binary::NodeValue::to_jid)
}

pub fn number_attr(node: &Node, key: &str) -> Option<u64> {
    text_attr(node, key)?.parse().ok()
}

/// Content as bytes, whichever of the two encodings the client chose.
pub fn bytes_of(node: &Node) -> Vec<u8> {
    match node.content.as_ref() {
        Some(NodeContent::Bytes(bytes)) => bytes.clone(),
        Some(NodeContent::String(text)) => text.as_bytes().to_vec(),
        _ => Vec::new(),
    }
}

pub fn child_bytes(node: &Node, tag: &str) -> Vec<u8> {
    node.get_optional_child(tag).map(bytes_of).unwrap_or_default()
}

pub fn text_of(node: &Node) -> String {
    String::from_utf8_lossy(&bytes_of(node)).into_owned()
}

pub fn children(node: &Node) -> &[Node] {
    node.children().unwrap_or(&[])
}

pub fn children_of<'a>(node: &'a Node, tag: &str) -> &'a [Node] {
    node.get_optional_child(tag).map(children).unwrap_or_default()
}

pub fn without_attrs(mut node: Node, keys: &[&str]) -> Node {
    node.attrs.0.retain(|(key, _)| !keys.contains(&key.as_ref()));
    node
}

/// `<tag>` with nothing inside.
pub fn empty(tag: &'static str) -> Node {
    Build::new(tag).build()
}

pub fn with_bytes(tag: &'static str, bytes: impl Into<Vec<u8>>) -> Node {
    Build::new(tag).bytes(bytes).build()
}

/// The answer to an iq; a reply without children is the empty "ok".
pub fn result(request: &Node, content: Vec<Node>) -> Node {
    let from = jid_attr(request, "to").unwrap_or_else(server_jid);
    let reply = Build::new("iq")
        .attr("from", from)
        .attr("id", text_attr(request, "id").unwrap_or_default())
        .attr("type", "result")
        .attr("t", clock::now());
    finish(reply, content)
}

/// The refusal of an iq.
pub fn error(request: &Node, code: u16, text: &'static str) -> Node {
    let from = jid_attr(request, "to").unwrap_or_else(server_jid);
    Build::new("iq")
        .attr("from", from)
        .attr("id", text_attr(request, "id").unwrap_or_default())
        .attr("type", "error")
        .children([error_child(code, text)])
        .build()
}

pub fn error_child(code: u16, text: &'static str) -> Node {
    Build::new("error")
        .attr("code", u64::from(code))
        .attr("text", text)
        .build()
}

fn finish(builder: NodeBuilder, content: Vec<Node>) -> Node {
    if content.is_empty() {
        builder.build()
    } else {
        builder.children(content).build()
    }
}

/// One line for the ledger: the tag with its attributes and the tags below.
pub fn summary(node: &Node) -> String {
    let mut line = String::new();
    open_tag(node, &mut line);
    for child in children(node).iter().take(6) {
        open_tag(child, &mut line);
        let below: Vec<&str> = children(child)
            .iter()
            .take(4)
            .map(|node| node.tag.as_ref())
            .collect();
        if !below.is_empty() {
            line.push_str(&below.join(","));
        }
    }
    line
}

fn open_tag(node: &Node, line: &mut String) {
    line.push('<');
    line.push_str(&node.tag);
    for (key, value) in node.attrs.iter() {
        // Writing to a string cannot fail.
        let _ = write!(line, " {key}={value}");
    }
    line.push('>');
}
