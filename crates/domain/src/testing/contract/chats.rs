//! The contract of [`Chats`](crate::ports::Chats), and of conversations in an [`EventBatch`] and a send.

use super::{Storage, batch, device, event, t, ulid};
use crate::model::event::Failure;
use crate::model::message::ReceivedMedia;
use crate::model::{
    Chat, ChatChange, ChatMessage, Contact, CursorQuery, Device, Jid, MediaKind, MessageId, MessageStatus,
    Place, ShownMessage, Timestamp,
};
use crate::ports::{Completion, EventBatch, Express, NewEvent, OutboxEntry, StatusChange};

fn ana() -> Jid {
    Jid::phone("628111")
}

fn budi() -> Jid {
    Jid::phone("628222")
}

fn family() -> Jid {
    "120363000000000001@g.us".parse().expect("a group")
}

fn id(text: &str) -> MessageId {
    MessageId(text.into())
}

/// A time some seconds after the beginning.
fn secs(count: i64) -> Timestamp {
    t(count * 1_000)
}

/// A text of the sender, or of the account itself when there is none.
fn text(chat: &Jid, sender: Option<&Jid>, name: &str, at: Timestamp) -> ChatMessage {
    ChatMessage {
        id: id(name),
        chat: chat.clone(),
        place: Place::new(at, ulid()),
        sender: sender.cloned(),
        name: sender.map(|_| "~shown".into()),
        kind: "conversation".into(),
        text: name.into(),
        media: None,
    }
}

/// A text of the person in their own conversation.
fn from(person: &Jid, name: &str, at: Timestamp) -> ChatMessage {
    text(person, Some(person), name, at)
}

fn wrote(message: ChatMessage) -> NewEvent {
    let key = match &message.sender {
        Some(sender) => format!("{}/{sender}/{}", message.chat, message.id),
        None => format!("own/{}", message.id),
    };
    NewEvent {
        chat: Some(ChatChange::Wrote(Box::new(message))),
        ..event(Some(&key), &[])
    }
}

fn read_elsewhere(chat: &Jid, at: Timestamp) -> NewEvent {
    let chat = chat.clone();
    NewEvent {
        chat: Some(ChatChange::Read { chat, at }),
        ..event(None, &[])
    }
}

/// Records events in one commit.
async fn record(store: &Storage, device: &Device, events: Vec<NewEvent>) {
    let batch = EventBatch {
        events,
        ..batch(device)
    };
    store.events.record(batch).await.unwrap();
}

/// Records messages, each in a commit of its own.
async fn receive(store: &Storage, device: &Device, messages: Vec<ChatMessage>) {
    for message in messages {
        record(store, device, vec![wrote(message)]).await;
    }
}

async fn send(store: &Storage, device: &Device, said: ChatMessage) {
    let entry = OutboxEntry {
        device: device.id,
        message: said.id.clone(),
        to: said.chat.to_string(),
        at: said.place.at,
        said: Some(Box::new(said)),
        idempotency: None,
    };
    store.outbox.begin(entry, t(0)).await.unwrap();
}

async fn history(store: &Storage, device: &Device, chat: &Jid) -> Vec<ShownMessage> {
    let query = CursorQuery::new(None, 200);
    let page = store.chats.history(device.id, chat, None, query).await.unwrap();
    assert_eq!(page.next, None);
    page.items
}

/// What was said, newest first.
async fn texts(store: &Storage, device: &Device, chat: &Jid) -> Vec<String> {
    let all = history(store, device, chat).await;
    all.into_iter().map(|shown| shown.message.text).collect()
}

async fn chats(store: &Storage, device: &Device, search: Option<&str>) -> Vec<Chat> {
    let query = CursorQuery::new(None, 200);
    let page = store.chats.list(device.id, search, query).await.unwrap();
    page.items
}

async fn unread(store: &Storage, device: &Device, chat: &Jid) -> Option<u32> {
    let found = store.chats.get(device.id, chat).await.unwrap();
    found.map(|chat| chat.unread)
}

/// WhatsApp's clock has whole seconds: within one, what came later is newer.
pub async fn a_history_is_newest_first_and_comes_in_pages(store: &Storage) {
    let device = device(store, "one").await;
    let messages = [("a", 5), ("b", 5), ("c", 5), ("early", 1), ("late", 9)];
    let messages = messages.map(|(name, at)| from(&ana(), name, secs(at)));
    receive(store, &device, messages.to_vec()).await;
    receive(store, &device, vec![from(&budi(), "other", secs(6))]).await;
    let want = ["late", "c", "b", "a", "early"];
    assert_eq!(texts(store, &device, &ana()).await, want);
    let (mut read, mut after) = (Vec::new(), None);
    loop {
        let query = CursorQuery::new(after, 2);
        let page = store.chats.history(device.id, &ana(), None, query).await.unwrap();
        assert!(page.items.len() <= 2);
        read.extend(page.items.into_iter().map(|shown| shown.message.text));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(read, want);
    assert_eq!(texts(store, &device, &family()).await, [""; 0]);
}

/// Everything comes back as it was.
pub async fn a_message_is_shown_with_all_its_fields(store: &Storage) {
    let device = device(store, "one").await;
    let picture = ChatMessage {
        kind: "image".into(),
        text: "loo\u{0}k 🌸".into(),
        media: Some(ReceivedMedia {
            mimetype: Some("image/png".into()),
            file_name: Some("<b>.png".into()),
            size: Some(3),
            ..ReceivedMedia::new(MediaKind::Image)
        }),
        ..text(&family(), Some(&ana()), "M1", secs(1))
    };
    receive(store, &device, vec![picture.clone()]).await;
    let [shown] = &history(store, &device, &family()).await[..] else {
        panic!("one message")
    };
    let readable = |text: &str| text.replace(['\u{0}', '\u{fffd}'], "");
    assert_eq!(readable(&shown.message.text), readable(&picture.text));
    let text = shown.message.text.clone();
    assert_eq!(shown.message, ChatMessage { text, ..picture });
    assert_eq!((shown.status, &shown.failure), (None, &None));
    assert_eq!(shown.sender_name.as_deref(), Some("~shown"));
}

/// WhatsApp delivers again, and a message of the account may be heard of twice.
pub async fn a_message_is_there_once(store: &Storage) {
    let device = device(store, "one").await;
    let message = from(&ana(), "M1", secs(1));
    record(
        store,
        &device,
        vec![wrote(message.clone()), wrote(message.clone())],
    )
    .await;
    receive(store, &device, vec![message]).await;
    assert_eq!(texts(store, &device, &ana()).await, ["M1"]);
    assert_eq!(unread(store, &device, &ana()).await, Some(1));
    send(store, &device, text(&ana(), None, "M2", secs(2))).await;
    receive(store, &device, vec![text(&ana(), None, "M2", secs(3))]).await;
    assert_eq!(texts(store, &device, &ana()).await, ["M2", "M1"]);
}

/// Somebody may use an id again that is taken: of another sender it is another message.
pub async fn ids_of_others_do_not_hide_ours(store: &Storage) {
    let device = device(store, "one").await;
    send(store, &device, text(&family(), None, "M1", secs(1))).await;
    let copies = [
        text(&family(), Some(&ana()), "M1", secs(2)),
        text(&family(), Some(&budi()), "M1", secs(3)),
    ];
    receive(store, &device, copies.to_vec()).await;
    let all = history(store, &device, &family()).await;
    let statuses: Vec<_> = all.iter().map(|shown| shown.status).collect();
    assert_eq!(statuses, [None, None, Some(MessageStatus::Queued)]);
}

/// What was sent here says how far it came; of what was written on the phone nobody knows.
pub async fn own_messages_stand_between_those_of_others(store: &Storage) {
    let device = device(store, "one").await;
    receive(store, &device, vec![from(&ana(), "hi", secs(1))]).await;
    send(store, &device, text(&ana(), None, "hello", secs(2))).await;
    receive(
        store,
        &device,
        vec![text(&ana(), None, "from the phone", secs(3))],
    )
    .await;
    let failure = Failure {
        code: "whatsapp_refused".into(),
        wa_code: Some(463),
        text: "no".into(),
    };
    let change = StatusChange {
        message: id("hello"),
        status: MessageStatus::Failed,
        to: None,
        failure: Some(failure.clone()),
        at: secs(4),
        event: None,
    };
    store
        .outbox
        .finish(device.id, change, None, Express::NONE)
        .await
        .unwrap();
    let all = history(store, &device, &ana()).await;
    let seen: Vec<_> = all
        .iter()
        .map(|shown| {
            (
                shown.message.text.as_str(),
                shown.message.sender.is_none(),
                shown.status,
            )
        })
        .collect();
    let want = [
        ("from the phone", true, None),
        ("hello", true, Some(MessageStatus::Failed)),
        ("hi", false, None),
    ];
    assert_eq!(seen, want);
    assert_eq!(all[1].failure, Some(failure));
}

/// The list is what somebody looks at first: it says what was said last.
pub async fn the_list_has_the_newest_conversation_first(store: &Storage) {
    let (one, two) = (device(store, "one").await, device(store, "two").await);
    let messages = [
        from(&ana(), "a1", secs(1)),
        from(&budi(), "b1", secs(2)),
        text(&family(), Some(&budi()), "f1", secs(3)),
        from(&ana(), "a2", secs(4)),
        from(&budi(), "b0", secs(0)),
    ];
    receive(store, &one, messages.to_vec()).await;
    receive(store, &two, vec![from(&ana(), "other", secs(9))]).await;
    let listed = |chats: &[Chat]| -> Vec<(String, String)> {
        let line = |chat: &Chat| (chat.jid.to_string(), chat.last.message.text.clone());
        chats.iter().map(line).collect()
    };
    let want = [(ana(), "a2"), (family(), "f1"), (budi(), "b1")]
        .map(|(jid, text)| (jid.to_string(), text.to_owned()));
    assert_eq!(listed(&chats(store, &one, None).await), want);
    let first = store
        .chats
        .list(one.id, None, CursorQuery::new(None, 2))
        .await
        .unwrap();
    assert_eq!(listed(&first.items), want[..2]);
    receive(store, &one, vec![from(&ana(), "a3", secs(8))]).await;
    let second = store
        .chats
        .list(one.id, None, CursorQuery::new(first.next, 2))
        .await
        .unwrap();
    assert_eq!(listed(&second.items), want[2..], "what moved is not given again");
    assert_eq!(second.next, None);
    let got = store.chats.get(one.id, &ana()).await.unwrap().unwrap();
    assert_eq!((got.last.message.text.as_str(), got.unread), ("a3", 3));
    assert_eq!(
        store.chats.get(one.id, &Jid::phone("628999")).await.unwrap(),
        None
    );
}

/// One commit may hold a lot, and the same conversation many times.
pub async fn many_messages_of_one_commit_are_kept(store: &Storage) {
    let device = device(store, "one").await;
    let person = |number: i64| Jid::phone(format!("62{}", 1_000 + number % 7));
    let events = (0..4_000).map(|number| wrote(from(&person(number), &format!("M{number}"), secs(number))));
    record(store, &device, events.collect()).await;
    let all = chats(store, &device, None).await;
    assert_eq!(all.len(), 7);
    assert_eq!(all.iter().map(|chat| chat.unread).sum::<u32>(), 4_000);
    assert_eq!(all[0].last.message.text, "M3999");
}

/// Who answers, or reads on the phone, has read; a reaction asks nobody to read.
pub async fn unread_messages_are_counted_until_they_are_read(store: &Storage) {
    let device = device(store, "one").await;
    let reaction = |at| ChatMessage {
        kind: "reaction".into(),
        ..from(&ana(), &format!("r{at}"), secs(at))
    };
    receive(
        store,
        &device,
        vec![
            from(&ana(), "1", secs(1)),
            reaction(2),
            from(&ana(), "3", secs(3)),
        ],
    )
    .await;
    assert_eq!(unread(store, &device, &ana()).await, Some(2));
    send(store, &device, text(&ana(), None, "answer", secs(4))).await;
    assert_eq!(unread(store, &device, &ana()).await, Some(0));
    receive(store, &device, vec![from(&ana(), "5", secs(5))]).await;
    receive(store, &device, vec![text(&ana(), None, "by phone", secs(6))]).await;
    assert_eq!(unread(store, &device, &ana()).await, Some(0));
    receive(
        store,
        &device,
        vec![from(&ana(), "7", secs(7)), from(&budi(), "7b", secs(7))],
    )
    .await;
    record(store, &device, vec![read_elsewhere(&ana(), secs(8))]).await;
    assert_eq!(unread(store, &device, &ana()).await, Some(0));
    assert_eq!(unread(store, &device, &budi()).await, Some(1));
    let events = vec![
        wrote(from(&ana(), "9", secs(9))),
        wrote(text(&ana(), None, "10", secs(10))),
        wrote(from(&ana(), "11", secs(11))),
    ];
    record(store, &device, events).await;
    assert_eq!(unread(store, &device, &ana()).await, Some(1));
    record(store, &device, vec![read_elsewhere(&ana(), secs(3))]).await;
    assert_eq!(unread(store, &device, &ana()).await, Some(1), "that is long over");
    record(store, &device, vec![read_elsewhere(&family(), secs(3))]).await;
    assert_eq!(
        unread(store, &device, &family()).await,
        None,
        "nothing was said there"
    );
}

/// What is marked as read here is told with the ids that WhatsApp has to hear.
pub async fn reading_names_what_was_unread(store: &Storage) {
    let device = device(store, "one").await;
    let messages = [
        text(&family(), Some(&ana()), "M1", secs(1)),
        text(&family(), None, "mine", secs(2)),
        text(&family(), Some(&ana()), "M3", secs(3)),
        text(&family(), Some(&budi()), "M4", secs(4)),
    ];
    receive(store, &device, messages.to_vec()).await;
    let two = store.chats.unread(device.id, &family(), 9).await.unwrap();
    let want = [(id("M4"), budi()), (id("M3"), ana())];
    assert_eq!(two, want);
    assert_eq!(
        store.chats.unread(device.id, &family(), 1).await.unwrap(),
        want[..1]
    );
    store
        .chats
        .mark_read(device.id, &family(), secs(5))
        .await
        .unwrap();
    assert_eq!(unread(store, &device, &family()).await, Some(0));
    assert_eq!(store.chats.unread(device.id, &family(), 9).await.unwrap(), []);
    store.chats.mark_read(device.id, &ana(), secs(5)).await.unwrap();
    assert_eq!(unread(store, &device, &ana()).await, None);
}

/// A number may turn out to be another account, and a file something else than its name says.
pub async fn a_message_is_completed_before_it_leaves(store: &Storage) {
    let device = device(store, "one").await;
    let (guess, known) = (Jid::phone("5511987654321"), Jid::phone("551187654321"));
    receive(store, &device, vec![from(&guess, "earlier", secs(1))]).await;
    send(store, &device, text(&guess, None, "M1", secs(2))).await;
    let media = ReceivedMedia {
        mimetype: Some("application/pdf".into()),
        ..ReceivedMedia::new(MediaKind::Document)
    };
    let mut completion = Completion {
        message: id("M1"),
        chat: known.clone(),
        media: Some(media.clone()),
    };
    store.chats.complete(device.id, &completion).await.unwrap();
    assert_eq!(texts(store, &device, &guess).await, ["earlier"]);
    let moved = &history(store, &device, &known).await[0].message;
    assert_eq!((moved.kind.as_str(), &moved.media), ("document", &Some(media)));
    let order: Vec<Jid> = chats(store, &device, None)
        .await
        .into_iter()
        .map(|chat| chat.jid)
        .collect();
    assert_eq!(order, [known.clone(), guess]);
    completion.chat = budi();
    store.chats.complete(device.id, &completion).await.unwrap();
    assert_eq!(
        store.chats.get(device.id, &known).await.unwrap(),
        None,
        "nothing is left of it"
    );
    assert_eq!(texts(store, &device, &budi()).await, ["M1"]);
    completion.message = id("never sent");
    store.chats.complete(device.id, &completion).await.unwrap();
}

/// By what was said, in any case and any letters.
pub async fn a_history_is_searched(store: &Storage) {
    let device = device(store, "one").await;
    let file = ChatMessage {
        media: Some(ReceivedMedia {
            file_name: Some("ÄRGER_100%.pdf".into()),
            ..ReceivedMedia::new(MediaKind::Document)
        }),
        text: String::new(),
        ..from(&ana(), "M9", secs(9))
    };
    let mut messages = vec![
        from(&ana(), "Ärger im Büro", secs(1)),
        from(&ana(), "all fine", secs(2)),
        file,
    ];
    messages.extend((0..700).map(|number| from(&ana(), "noise", secs(100 + number))));
    record(store, &device, messages.into_iter().map(wrote).collect()).await;
    let find = |text: &'static str, after, limit| {
        let query = CursorQuery::new(after, limit);
        let (store, device) = (store.clone(), device.id);
        async move {
            store
                .chats
                .history(device, &ana(), Some(text), query)
                .await
                .unwrap()
        }
    };
    let both = find("äRGER", None, 9).await;
    let found: Vec<_> = both
        .items
        .iter()
        .map(|shown| shown.message.id.0.as_str())
        .collect();
    assert_eq!((found, both.next), (vec!["M9", "Ärger im Büro"], None));
    let first = find("ärger", None, 1).await;
    let second = find("ärger", first.next, 1).await;
    assert_eq!(second.items[0].message.text, "Ärger im Büro");
    assert_eq!(second.next, None);
    assert_eq!(find("100%", None, 9).await.items.len(), 1);
    assert_eq!(find("1%0", None, 9).await.items, []);
}

/// By any name of a person, a number, or what a group is called.
pub async fn the_list_is_searched(store: &Storage) {
    let device = device(store, "one").await;
    let messages = [
        from(&ana(), "a", secs(1)),
        from(&budi(), "b", secs(2)),
        text(&family(), Some(&ana()), "f", secs(3)),
    ];
    receive(store, &device, messages.to_vec()).await;
    let known = Contact {
        full_name: Some("Ana Ñandú".into()),
        push_name: Some("sunflower".into()),
        ..Contact::new(ana())
    };
    let contacts = EventBatch {
        contacts: vec![known],
        ..batch(&device)
    };
    store.events.record(contacts).await.unwrap();
    let names = [
        (family(), "Familie Ünal".to_owned()),
        (Jid::phone("628999"), "nobody".to_owned()),
    ];
    store.chats.remember_names(device.id, &names).await.unwrap();
    for (search, want) in [
        ("ÑAND", vec![ana()]),
        ("Sunflower", vec![ana()]),
        ("ünal", vec![family()]),
        ("8222", vec![budi()]),
        ("628", vec![budi(), ana()]),
        ("nobody", vec![]),
    ] {
        let found = chats(store, &device, Some(search)).await;
        let found: Vec<Jid> = found.into_iter().map(|chat| chat.jid).collect();
        assert_eq!(found, want, "{search}");
    }
    let all = chats(store, &device, None).await;
    let shown: Vec<_> = all.iter().map(|chat| chat.name.as_deref()).collect();
    assert_eq!(shown, [Some("Familie Ünal"), None, Some("Ana Ñandú")]);
    assert_eq!(all[0].last.sender_name.as_deref(), Some("Ana Ñandú"));
}

/// Texts are kept as long as events, and no longer.
pub async fn old_messages_are_pruned_in_steps(store: &Storage) {
    let device = device(store, "one").await;
    let messages = (1..=4).map(|number| from(&ana(), &format!("M{number}"), secs(number)));
    receive(store, &device, messages.collect()).await;
    receive(store, &device, vec![from(&budi(), "gone", secs(1))]).await;
    let mut steps = Vec::new();
    for _ in 0..3 {
        steps.push(store.chats.prune(secs(4), 3).await.unwrap());
    }
    assert_eq!(steps, [3, 1, 0]);
    assert_eq!(texts(store, &device, &ana()).await, ["M4"]);
    let left: Vec<Jid> = chats(store, &device, None)
        .await
        .into_iter()
        .map(|chat| chat.jid)
        .collect();
    assert_eq!(left, [ana()]);
}

/// What people wrote goes with the device.
pub async fn a_deleted_device_leaves_nothing(store: &Storage) {
    let (one, two) = (device(store, "one").await, device(store, "two").await);
    for device in [&one, &two] {
        receive(store, device, vec![from(&ana(), "hi", secs(1))]).await;
    }
    store.devices.delete(one.id).await.unwrap();
    assert_eq!(chats(store, &one, None).await, []);
    assert_eq!(texts(store, &one, &ana()).await, [""; 0]);
    assert_eq!(texts(store, &two, &ana()).await, ["hi"]);
}
