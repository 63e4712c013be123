//! The list of endpoints, for what holds for all of them.

use reqwest::Method;

/// Every endpoint with a method that it takes, and whether it is about one device.
pub const ENDPOINTS: [(Method, &str, bool); 16] = [
    (Method::POST, "/api/start", true),
    (Method::GET, "/api/qrcode", true),
    (Method::POST, "/api/qrcode", true),
    (Method::POST, "/api/pair", true),
    (Method::GET, "/api/status", true),
    (Method::POST, "/api/status", true),
    (Method::POST, "/api/send", true),
    (Method::GET, "/api/contacts", true),
    (Method::GET, "/api/groups", true),
    (Method::POST, "/api/logout", true),
    (Method::POST, "/api/reconnect", true),
    (Method::GET, "/api/devices", false),
    (Method::DELETE, "/api/device", true),
    (Method::POST, "/api/webhook", true),
    (Method::POST, "/api/workspace", true),
    (Method::GET, "/api/workspaces", false),
];
