//! The values that all layers speak. Each is parsed once, at the door, and trusted inside.

pub mod admin;
pub mod api_key;
pub mod change;
pub mod chat;
pub mod contact;
pub mod delivery;
pub mod device;
pub mod event;
pub mod group;
pub mod id;
pub mod jid;
pub mod job;
pub mod media;
pub mod message;
pub mod page;
pub mod phone;
pub mod secret;
pub mod session;
pub mod settings;
pub mod sign_in;
pub mod time;
pub mod typing;
pub mod webhook;

pub use admin::{Admin, AdminName, Password, PasswordHash};
pub use api_key::{ApiKey, ApiKeyName, KeyAction, KeyDigest, KeyReach, KeyScope, PlainKey};
pub use change::Change;
pub use chat::{Chat, ChatChange, ChatMessage, Place, ShownMessage};
pub use contact::Contact;
pub use delivery::{
    Attempt, Delivery, DeliveryCounts, DeliveryFilter, DeliveryOutcome, DeliveryStanding, EndpointVerdict,
    Replay, Replayed, Setback, Settlement, StoredDelivery,
};
pub use device::{
    CallSettings, Device, DeviceFilter, DeviceLabel, DeviceQuery, DeviceStanding, Token, Workspace,
    WorkspaceName,
};
pub use event::{Event, EventBody, EventKind};
pub use group::{Group, Participant, ParticipantRole};
pub use id::{AdminId, ApiKeyId, DeliveryId, DeviceId, EventId, JobId, WebhookId};
pub use jid::{Jid, JidServer};
pub use job::{CheckedNumber, Job, JobFilter, JobKind, JobState, Line, NumberFound};
pub use media::{MediaFile, MediaKind};
pub use message::{
    Answer, Content, Idempotency, IdempotencyKey, MessageId, MessageStatus, OutgoingMessage, ReceivedMessage,
    SentMessage, StoredSend,
};
pub use page::{CursorPage, CursorQuery, Page, PageQuery};
pub use phone::{PhoneNumber, Region};
pub use secret::Secret;
pub use session::{EndReason, PairCode, Pairing, SessionState, StateName};
pub use settings::{ChosenSettings, RegionChoice, Retention};
pub use sign_in::{Account, SessionToken, SetupCode, SetupDigest, SignIn, TokenDigest};
pub use time::Timestamp;
pub use typing::{Typing, TypingState};
pub use webhook::{
    CustomHeader, EventFilter, RetiringSecret, SigningSecret, Webhook, WebhookFormat, WebhookScope,
    WebhookState,
};
