//! The tables as diesel sees them; `migrations/` makes them.

use diesel::{allow_tables_to_appear_in_same_query, joinable, table};

table! {
    meta (name) {
        name -> Text,
        value -> Text,
    }
}

table! {
    devices (id) {
        id -> Text,
        token -> Text,
        label -> Nullable<Text>,
        jid -> Nullable<Text>,
        lid -> Nullable<Text>,
        push_name -> Nullable<Text>,
        picture_url -> Nullable<Text>,
        workspace -> Nullable<Text>,
        calls -> Text,
        ended -> Nullable<Text>,
        search -> Text,
        created_at -> BigInt,
    }
}

table! {
    counters (name) {
        name -> Text,
        value -> BigInt,
    }
}

table! {
    webhooks (id) {
        id -> Text,
        device_id -> Nullable<Text>,
        seed_device_id -> Nullable<Text>,
        workspace -> Nullable<Text>,
        url -> Text,
        format -> Text,
        events -> Text,
        headers -> Text,
        secret -> Text,
        retiring_secret -> Nullable<Text>,
        retiring_until -> Nullable<BigInt>,
        state -> Text,
        disabled_reason -> Nullable<Text>,
        disabled_at -> Nullable<BigInt>,
        failing_since -> Nullable<BigInt>,
        created_at -> BigInt,
    }
}

table! {
    contacts (device_id, jid) {
        device_id -> Text,
        jid -> Text,
        lid -> Nullable<Text>,
        first_name -> Nullable<Text>,
        full_name -> Nullable<Text>,
        push_name -> Nullable<Text>,
        business_name -> Nullable<Text>,
    }
}

table! {
    number_lookups (phone) {
        phone -> Text,
        jid -> Nullable<Text>,
        checked_at -> BigInt,
    }
}

table! {
    events (id) {
        id -> Text,
        device_id -> Text,
        kind -> Text,
        dedupe_key -> Nullable<Text>,
        at -> BigInt,
        recorded_at -> BigInt,
        data -> Binary,
        seq -> BigInt,
    }
}

table! {
    deliveries (id) {
        id -> Text,
        event_id -> Text,
        webhook_id -> Text,
        device_id -> Text,
        lane -> Nullable<Text>,
        status -> Integer,
        due_at -> Nullable<BigInt>,
        leased -> Integer,
        attempts -> Integer,
        baseline -> Integer,
        error -> Nullable<Text>,
        body -> Binary,
        created_at -> BigInt,
        queued_at -> BigInt,
        settled_at -> Nullable<BigInt>,
    }
}

table! {
    attempts (delivery_id, number) {
        delivery_id -> Text,
        number -> Integer,
        at -> BigInt,
        took_ms -> BigInt,
        status -> Nullable<Integer>,
        error -> Nullable<Text>,
        request_head -> Text,
        response_head -> Text,
        response_body -> Binary,
    }
}

table! {
    sends (device_id, message_id) {
        device_id -> Text,
        message_id -> Text,
        status -> Integer,
        idempotency_key -> Nullable<Text>,
        fingerprint -> Nullable<Binary>,
        answer -> Nullable<Text>,
        created_at -> BigInt,
        recipient -> Text,
        failure -> Nullable<Text>,
        updated_at -> BigInt,
    }
}

table! {
    messages (device_id, chat, at, place) {
        device_id -> Text,
        chat -> Text,
        at -> BigInt,
        place -> Text,
        id -> Text,
        sender -> Nullable<Text>,
        name -> Nullable<Text>,
        kind -> Text,
        text -> Text,
        media -> Nullable<Text>,
    }
}

table! {
    chats (device_id, jid) {
        device_id -> Text,
        jid -> Text,
        name -> Nullable<Text>,
        last_at -> BigInt,
        last_place -> Text,
        unread -> Integer,
        read_at -> BigInt,
    }
}

table! {
    keys (device_id, kind, key) {
        device_id -> Text,
        kind -> Integer,
        key -> Binary,
        value -> Binary,
        expires_at -> Nullable<BigInt>,
    }
}

table! {
    admins (id) {
        id -> Text,
        name -> Text,
        password -> Text,
        created_at -> BigInt,
    }
}

table! {
    sign_ins (token) {
        token -> Binary,
        admin_id -> Nullable<Text>,
        api_key -> Nullable<Binary>,
        created_at -> BigInt,
        expires_at -> BigInt,
    }
}

table! {
    api_keys (id) {
        id -> Text,
        name -> Text,
        prefix -> Text,
        digest -> Binary,
        actions -> Text,
        device_id -> Nullable<Text>,
        workspace -> Nullable<Text>,
        created_at -> BigInt,
        last_used_at -> Nullable<BigInt>,
    }
}

joinable!(deliveries -> events (event_id));
joinable!(deliveries -> webhooks (webhook_id));
joinable!(sign_ins -> admins (admin_id));
allow_tables_to_appear_in_same_query!(admins, sign_ins);
allow_tables_to_appear_in_same_query!(chats, messages);
allow_tables_to_appear_in_same_query!(deliveries, events, webhooks);
