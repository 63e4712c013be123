//! Where events go: endpoints, what they want to hear, and how they stand.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::{DeviceId, EventKind, Secret, Timestamp, WebhookId, WorkspaceName};
use crate::{Error, Result};

/// Whose events an endpoint receives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookScope {
    /// One device's: its one endpoint of `POST /api/webhook`.
    Seed(DeviceId),
    /// One device's.
    Device(DeviceId),
    /// Those of all devices that carry this workspace's name when the event happens.
    Workspace(WorkspaceName),
    /// Everybody's.
    Global,
}

impl WebhookScope {
    /// The device, when it is about one.
    pub fn device(&self) -> Option<DeviceId> {
        match self {
            Self::Seed(device) | Self::Device(device) => Some(*device),
            Self::Workspace(_) | Self::Global => None,
        }
    }
}

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookFormat {
    /// One flat object, as receivers of older gateways expect it.
    Classic,
    /// `{id, type, timestamp, device, data}`.
    Standard,
}

impl WebhookFormat {
    /// Stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Classic => "classic",
            Self::Standard => "standard",
        }
    }
}

impl FromStr for WebhookFormat {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "classic" => Ok(Self::Classic),
            "standard" => Ok(Self::Standard),
            _ => Err(Error::invalid(
                "format",
                "format must be \"classic\" or \"standard\"",
            )),
        }
    }
}

/// Which kinds of events an endpoint wants: exact names, a family such as `message.*`, or everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFilter(BTreeSet<String>);

impl EventFilter {
    /// The pattern that everything matches.
    const ALL: &str = "*";

    /// Everything.
    pub fn all() -> Self {
        Self(BTreeSet::from([Self::ALL.into()]))
    }

    /// Reads patterns: `*`, `FAMILY.*`, or the name of a kind. None at all means everything;
    /// `Invalid` for one that matches no kind.
    pub fn parse<T: AsRef<str>>(patterns: &[T]) -> Result<Self> {
        if patterns.is_empty() {
            return Ok(Self::all());
        }
        for pattern in patterns {
            let pattern = pattern.as_ref();
            if !EventKind::ALL.iter().any(|kind| fits(pattern, *kind)) {
                return Err(Error::invalid(
                    "events",
                    format!("no event type fits {pattern:?}; for example: *, message.*, message.received"),
                ));
            }
        }
        Ok(Self(
            patterns.iter().map(|pattern| pattern.as_ref().into()).collect(),
        ))
    }

    /// Whether it wants this kind.
    pub fn wants(&self, kind: EventKind) -> bool {
        self.0.iter().any(|pattern| fits(pattern, kind))
    }

    /// The patterns, sorted.
    pub fn patterns(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

fn fits(pattern: &str, kind: EventKind) -> bool {
    let name = kind.as_str();
    match pattern.strip_suffix(".*") {
        Some(family) => name.split_once('.').is_some_and(|(of, _)| of == family),
        None => pattern == EventFilter::ALL || pattern == name,
    }
}

/// A header that every request to an endpoint carries. Its value may be a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomHeader {
    name: String,
    value: Secret,
}

impl CustomHeader {
    /// Longest value, in bytes.
    pub const MAX_VALUE: usize = 1_024;
    /// What we set ourselves, or what belongs to the connection.
    const RESERVED: [&str; 9] = [
        "connection",
        "content-length",
        "content-type",
        "expect",
        "host",
        "te",
        "transfer-encoding",
        "upgrade",
        "user-agent",
    ];

    /// Checks name and value; the name is kept in lower case.
    pub fn new(name: &str, value: impl Into<String>) -> Result<Self> {
        let bad = |reason: String| Error::invalid("headers", reason);
        let name = name.to_ascii_lowercase();
        let value = value.into();
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        if name.is_empty() || name.len() > 100 || !name.bytes().all(token) {
            return Err(bad(format!("{name:?} is not the name of a header")));
        }
        if name.starts_with("webhook-") || Self::RESERVED.contains(&name.as_str()) {
            return Err(bad(format!("the header {name} cannot be chosen")));
        }
        let printable = |b: u8| (0x20..0x7f).contains(&b);
        if value.len() > Self::MAX_VALUE || !value.bytes().all(printable) || value.trim() != value {
            return Err(bad(format!(
                "the value of {name} must be at most {} printable ASCII characters",
                Self::MAX_VALUE
            )));
        }
        Ok(Self {
            name,
            value: Secret::new(value),
        })
    }

    /// The name, in lower case.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value.
    pub fn value(&self) -> &Secret {
        &self.value
    }
}

/// How an endpoint stands. Events for one that is not active wait for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookState {
    /// It receives.
    Active,
    /// Its owner stopped it for a while.
    Paused,
    /// It was switched off because its receiver does not take events any more.
    Disabled {
        /// Why, in a few words.
        reason: String,
        /// When.
        at: Timestamp,
    },
}

impl WebhookState {
    /// Stable name.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Disabled { .. } => "disabled",
        }
    }
}

/// What signs deliveries: `whsec_` and the base64 of 24 to 64 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningSecret(Secret);

impl SigningSecret {
    const PREFIX: &str = "whsec_";

    /// Wraps these bytes.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        use base64::Engine as _;
        let text = base64::prelude::BASE64_STANDARD.encode(bytes);
        Self(Secret::new(format!("{}{text}", Self::PREFIX)))
    }

    /// The text: call it only where it leaves the process on purpose.
    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }
}

impl FromStr for SigningSecret {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        use base64::Engine as _;
        let bytes = text
            .strip_prefix(Self::PREFIX)
            .and_then(|rest| base64::prelude::BASE64_STANDARD.decode(rest).ok())
            .filter(|bytes| (24..=64).contains(&bytes.len()));
        match bytes {
            Some(_) => Ok(Self(Secret::new(text))),
            None => Err(Error::invalid(
                "secret",
                "secret must be whsec_ and the base64 of 24 to 64 bytes",
            )),
        }
    }
}

/// A secret that was replaced and still signs beside the new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetiringSecret {
    /// The former secret.
    pub secret: SigningSecret,
    /// Until when.
    pub until: Timestamp,
}

/// An endpoint that receives events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Our id.
    pub id: WebhookId,
    /// Whose events it receives.
    pub scope: WebhookScope,
    /// Where they go; checked when it was set.
    pub url: String,
    /// How they are written.
    pub format: WebhookFormat,
    /// Which of them.
    pub events: EventFilter,
    /// Sent along with each.
    pub headers: Vec<CustomHeader>,
    /// Signs what goes there.
    pub secret: SigningSecret,
    /// Signs as well, for a while after a change.
    pub retiring: Option<RetiringSecret>,
    /// How it stands.
    pub state: WebhookState,
    /// Since when its receiver has taken nothing; `None` when the last attempt succeeded, or there was none.
    pub failing_since: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Webhook {
    /// Most custom headers.
    pub const MAX_HEADERS: usize = 20;

    /// The device's one classic endpoint, as `POST /api/webhook` makes it.
    pub fn seed(
        id: WebhookId,
        device: DeviceId,
        url: impl Into<String>,
        secret: SigningSecret,
        created_at: Timestamp,
    ) -> Self {
        Self {
            id,
            scope: WebhookScope::Seed(device),
            url: url.into(),
            format: WebhookFormat::Classic,
            events: EventFilter::all(),
            headers: Vec::new(),
            secret,
            retiring: None,
            state: WebhookState::Active,
            failing_since: None,
            created_at,
        }
    }

    /// What signs at this moment, the newest first.
    pub fn secrets(&self, now: Timestamp) -> Vec<SigningSecret> {
        let retiring = self.retiring.as_ref().filter(|retiring| now < retiring.until);
        std::iter::once(&self.secret)
            .chain(retiring.map(|retiring| &retiring.secret))
            .cloned()
            .collect()
    }
}

impl fmt::Display for WebhookScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seed(_) | Self::Device(_) => f.write_str("device"),
            Self::Workspace(_) => f.write_str("workspace"),
            Self::Global => f.write_str("global"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_know_names_families_and_everything() {
        let filter = |patterns: &[&str]| EventFilter::parse(patterns).unwrap();
        assert!(filter(&[]).wants(EventKind::Call));
        assert!(filter(&["*"]).wants(EventKind::WebhookDisabled));
        let messages = filter(&["message.*", "session.ended"]);
        for (kind, wanted) in [
            (EventKind::Message, true),
            (EventKind::Progress(super::super::MessageStatus::Read), true),
            (EventKind::Ended, true),
            (EventKind::Connected, false),
            (EventKind::Receipt, false),
        ] {
            assert_eq!(messages.wants(kind), wanted, "{kind}");
        }
        for bad in ["message", "message.sended", "mess.*", "", ".*", "**"] {
            assert_eq!(
                EventFilter::parse(&[bad]).unwrap_err().code(),
                "invalid_events",
                "{bad}"
            );
        }
    }

    #[test]
    fn headers_of_ours_and_broken_ones_are_refused() {
        assert_eq!(CustomHeader::new("X-Tenant", "7").unwrap().name(), "x-tenant");
        assert!(CustomHeader::new("authorization", "Basic eA==").is_ok());
        for (name, value) in [
            ("", "x"),
            ("a b", "x"),
            ("Webhook-Signature", "x"),
            ("Host", "x"),
            ("content-length", "3"),
            ("x-a", "line\r\nbreak"),
            ("x-a", " padded"),
            ("x-a", "\u{e9}"),
        ] {
            assert_eq!(
                CustomHeader::new(name, value).unwrap_err().code(),
                "invalid_headers",
                "{name}"
            );
        }
    }

    #[test]
    fn secrets_have_their_form() {
        let made = SigningSecret::from_bytes(&[7; 32]);
        assert_eq!(made.reveal().parse::<SigningSecret>().unwrap(), made);
        for bad in ["", "whsec_", "whsec_c2hvcnQ=", "c2VjcmV0", "whsec_!!!"] {
            assert_eq!(
                bad.parse::<SigningSecret>().unwrap_err().code(),
                "invalid_secret",
                "{bad}"
            );
        }
        assert_eq!(format!("{made:?}"), "SigningSecret([secret])");
    }
}
