//! Every way that a session can take.

use std::time::Duration;

use wagate_domain::model::{Jid, Secret};

use super::*;

const NOW: Timestamp = Timestamp(1_000_000);
const LATER: Timestamp = Timestamp(1_005_000);

fn qr(machine: &mut Machine) -> Vec<Effect> {
    machine.on(Signal::Qr(Secret::new("2@abc"), Duration::from_secs(20)), NOW)
}

fn connected() -> Machine {
    let mut machine = Machine::new();
    let effects = machine.on(Signal::Connected, NOW);
    assert_eq!(effects, [Effect::Report(EventBody::Connected), Effect::Welcome]);
    machine
}

#[test]
fn only_the_first_code_of_a_round_is_news() {
    let mut machine = Machine::new();
    let expires_at = NOW + Duration::from_secs(20);
    assert_eq!(
        qr(&mut machine),
        [Effect::Report(EventBody::QrIssued { expires_at })]
    );
    assert_eq!(qr(&mut machine), []);
    assert!(matches!(machine.state(), SessionState::AwaitingScan { qr, .. } if qr.reveal() == "2@abc"));
    machine.starting();
    assert_eq!(qr(&mut machine).len(), 1);
}

#[test]
fn codes_that_nobody_scans_end_at_rest() {
    let mut machine = Machine::new();
    qr(&mut machine);
    assert_eq!(
        machine.on(Signal::QrExhausted { disconnected: true }, NOW),
        [Effect::TakeDown]
    );
    assert_eq!(*machine.state(), SessionState::PairingTimedOut);
    assert_eq!(
        machine.on(Signal::Finished, NOW),
        [],
        "the end of the client is no news"
    );
}

#[test]
fn a_typed_code_outlives_the_codes_to_scan() {
    let mut machine = Machine::new();
    qr(&mut machine);
    assert_eq!(
        machine.on(Signal::QrExhausted { disconnected: false }, NOW),
        [Effect::AwaitTypedCode]
    );
    let jid: Jid = "628111:7@s.whatsapp.net".parse().unwrap();
    let paired = machine.on(
        Signal::Paired {
            jid: jid.clone(),
            lid: None,
        },
        NOW,
    );
    assert_eq!(
        paired,
        [Effect::Save, Effect::Report(EventBody::Paired { jid, lid: None })]
    );
    assert_eq!(machine.typed_code_expired(), [], "paired in time");
    let mut machine = Machine::new();
    qr(&mut machine);
    assert_eq!(machine.typed_code_expired(), [Effect::TakeDown]);
}

#[test]
fn a_lost_connection_is_told_once_and_its_return_too() {
    let mut machine = connected();
    assert_eq!(
        machine.on(Signal::Lost, NOW),
        [Effect::Report(EventBody::Disconnected)]
    );
    assert_eq!(
        *machine.state(),
        SessionState::Unreachable {
            since: NOW,
            attempts: 0
        }
    );
    assert_eq!(machine.on(Signal::Dialled(Dialled::Failed), LATER), []);
    assert_eq!(machine.on(Signal::Dialled(Dialled::Failed), LATER), []);
    assert_eq!(
        *machine.state(),
        SessionState::Unreachable {
            since: NOW,
            attempts: 2
        }
    );
    assert_eq!(machine.on(Signal::Dialled(Dialled::Reached), LATER), []);
    let back = machine.on(Signal::Connected, LATER);
    assert_eq!(back, [Effect::Report(EventBody::Connected), Effect::Welcome]);
    assert_eq!(*machine.state(), SessionState::Connected { since: LATER });
}

#[test]
fn connecting_anew_on_purpose_is_not_told_when_it_works() {
    let mut machine = connected();
    machine.starting();
    assert_eq!(*machine.state(), SessionState::Connecting);
    assert_eq!(machine.on(Signal::Connected, LATER), [Effect::Welcome]);
    machine.starting();
    let failed = machine.on(Signal::Dialled(Dialled::Failed), LATER);
    assert_eq!(failed, [Effect::Report(EventBody::Disconnected)]);
}

#[test]
fn a_verdict_is_told_once_and_nothing_follows_it() {
    let mut machine = connected();
    let verdict = machine.on(Signal::Ended(EndReason::Replaced), NOW);
    assert_eq!(
        verdict,
        [
            Effect::Report(EventBody::Ended(EndReason::Replaced)),
            Effect::TakeDown
        ]
    );
    for late in [
        Signal::Ended(EndReason::LoggedOut),
        Signal::Lost,
        Signal::Connected,
        Signal::Finished,
    ] {
        assert_eq!(machine.on(late, LATER), []);
    }
    assert_eq!(*machine.state(), SessionState::Ended(EndReason::Replaced));
    machine.starting();
    let back = machine.on(Signal::Connected, LATER);
    assert_eq!(
        back,
        [Effect::Report(EventBody::Connected), Effect::Welcome],
        "started again from rest"
    );
}

#[test]
fn logging_out_is_told_once_and_only_by_linked_devices() {
    let report = Effect::Report(EventBody::Ended(EndReason::LoggedOut));
    let mut machine = connected();
    assert_eq!(machine.logged_out(true), [report]);
    assert_eq!(machine.logged_out(true), []);
    assert_eq!(Machine::new().logged_out(false), []);
}

#[test]
fn failures_without_a_signal_are_seen() {
    let mut machine = Machine::new();
    assert_eq!(machine.look(false, 0, NOW), []);
    assert_eq!(*machine.state(), SessionState::Connecting);
    machine.look(false, 1, NOW);
    assert_eq!(
        *machine.state(),
        SessionState::Unreachable {
            since: NOW,
            attempts: 1
        }
    );
    machine.look(false, 1, LATER);
    assert_eq!(
        *machine.state(),
        SessionState::Unreachable {
            since: NOW,
            attempts: 1
        }
    );
    machine.look(false, 2, LATER);
    assert_eq!(
        *machine.state(),
        SessionState::Unreachable {
            since: NOW,
            attempts: 2
        }
    );
}

#[test]
fn a_failed_dial_is_not_counted_twice() {
    let mut machine = Machine::new();
    machine.on(Signal::Dialled(Dialled::Failed), NOW);
    machine.look(false, 1, LATER);
    assert_eq!(
        *machine.state(),
        SessionState::Unreachable {
            since: NOW,
            attempts: 1
        }
    );
}

#[test]
fn a_connection_that_vanished_silently_is_noticed() {
    let mut machine = connected();
    assert_eq!(machine.look(false, 0, NOW), []);
    assert_eq!(machine.look(true, 0, NOW), []);
    assert_eq!(machine.look(false, 0, NOW), []);
    assert_eq!(
        machine.look(false, 0, LATER),
        [Effect::Report(EventBody::Disconnected)]
    );
}

#[test]
fn a_client_that_ends_by_itself_is_replaced() {
    let mut machine = connected();
    let effects = machine.on(Signal::Finished, NOW);
    assert_eq!(
        effects,
        [Effect::Report(EventBody::Disconnected), Effect::Restart]
    );
}
