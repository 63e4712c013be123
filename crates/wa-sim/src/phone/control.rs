//! What a person does with a simulated phone; the control API calls these and nothing else.

use crate::world::view::{
    CallView, MessageView, OutgoingMedia, ParticipantChanges, PhoneView, Script, SimError,
};
use crate::world::World;

// Signatures for SIM-B (bodies follow):
//
// impl World {
//     pub fn create_phone(&self, phone: &str, name: &str) -> Result<PhoneView, SimError>;   // Conflict when it exists
//     pub fn phones(&self) -> Vec<PhoneView>;
//     pub fn phone(&self, phone: &str) -> Result<PhoneView, SimError>;
//     pub fn set_script(&self, phone: &str, script: Script) -> Result<(), SimError>;
//     pub async fn scan(&self, phone: &str, qr: &str) -> Result<String, SimError>;            // device jid
//     pub async fn scan_by_push_name(&self, qr: &str) -> Result<String, SimError>;
//     pub async fn pair_code(&self, phone: &str, code: &str) -> Result<String, SimError>;
//     pub fn save_contact(&self, phone: &str, contact: &str, name: &str) -> Result<(), SimError>;
//     pub fn send_text(&self, phone: &str, to: &str, text: &str) -> Result<String, SimError>; // message id; `to` = phone or group JID
//     pub fn send_media(&self, phone: &str, to: &str, media: &OutgoingMedia) -> Result<String, SimError>;
//     pub fn messages(&self, phone: &str) -> Result<Vec<MessageView>, SimError>;
//     pub fn mark_read(&self, phone: &str, chat: &str, id: &str) -> Result<(), SimError>;
//     pub fn typing(&self, phone: &str, to: &str) -> Result<(), SimError>;
//     pub fn unlink(&self, phone: &str, device: &str) -> Result<(), SimError>;                // device = its jid
//     pub fn set_offline(&self, phone: &str) -> Result<(), SimError>;
//     pub fn set_online(&self, phone: &str) -> Result<(), SimError>;
//     pub fn call(&self, phone: &str, to: &str) -> Result<String, SimError>;                  // call id
//     pub fn calls(&self, phone: &str) -> Result<Vec<CallView>, SimError>;
//     pub fn create_group(&self, phone: &str, subject: &str, participants: &[String]) -> Result<String, SimError>; // group jid
//     pub fn change_participants(&self, phone: &str, group: &str, changes: &ParticipantChanges) -> Result<(), SimError>;
// }
//
// world::World:
//     pub fn new(settings: WorldSettings, ledger: Arc<Ledger>, faults: Arc<Faults>, media: Arc<MediaStore>) -> SharedWorld;
//     pub fn restore(settings, snapshot: world::Snapshot, ledger, faults, media) -> Result<SharedWorld, SimError>;
//     pub fn snapshot(&self) -> world::Snapshot;                 // Serialize + Deserialize
//     pub fn changes(&self) -> tokio::sync::watch::Receiver<u64>; // ticks whenever something worth saving changed
//     pub fn root_key(&self) -> [u8; 32];                        // GET /sim/root-key
// world::WorldSettings { media_host: String, chatstate_ttl: Duration }   // media_host = "127.0.0.1:8081"
// world::SharedWorld = Arc<World>
// connection::serve(socket: axum::extract::ws::WebSocket, world: SharedWorld)   // async, returns at the end of the connection
//
// MediaStore is used synchronously from inside the world's lock:
//     put(&self, kind: &str, ciphertext: &[u8]) -> String (direct_path, no '?'); get(&self, direct_path: &str) -> Option<bytes::Bytes>
