//! Data channels through DTLS.

use bytes::BytesMut;
use plenum_types::DropReason;
use rtc_datachannel::message::Message;
use rtc_datachannel::message::message_channel_open::{ChannelType, DataChannelOpen};
use rtc_sctp::PayloadProtocolIdentifier as Ppi;
use rtc_shared::marshal::Marshal;

use super::call::Call;
use crate::PeerEvent;

fn open(label: &str) -> BytesMut {
    Message::DataChannelOpen(DataChannelOpen {
        channel_type: ChannelType::Reliable,
        priority: 0,
        reliability_parameter: 0,
        label: label.as_bytes().to_vec(),
        protocol: Vec::new(),
    })
    .marshal()
    .unwrap()
}

/// A call with a channel on stream 2.
fn with_channel(loss: f64) -> Call {
    let mut call = Call::connected();
    call.loss = loss;
    let now = call.now();
    call.client.connect_sctp(now);
    assert!(
        call.run_until(20_000, |call| call.client.sctp_connected),
        "{:?} {:?}",
        call.events,
        call.refused
    );
    let now = call.now();
    call.client.open_channel(now, 2, &open("chat"));
    assert!(call.run_until(20_000, |call| {
        call.client.received.contains(&(2, Ppi::Dcep, vec![2]))
    }));
    let label = "chat".to_owned();
    let opened = PeerEvent::DataChannelOpened { label, id: 2 };
    assert!(call.events.contains(&opened));
    call
}

fn received(call: &Call) -> Vec<(Vec<u8>, bool)> {
    call.events
        .iter()
        .filter_map(|event| match event {
            PeerEvent::DataReceived { bytes, text, .. } => Some((bytes.clone(), *text)),
            _ => None,
        })
        .collect()
}

#[test]
fn a_message_is_echoed() {
    let mut call = with_channel(0.0);
    let now = call.now();
    call.client
        .send_on_channel(now, 2, Ppi::String, "grüß Gott".as_bytes());
    call.client.send_on_channel(now, 2, Ppi::BinaryEmpty, &[0]);
    call.run(100);
    let expected = [("grüß Gott".as_bytes().to_vec(), true), (Vec::new(), false)];
    assert_eq!(received(&call), expected);
    for (bytes, text) in expected {
        call.peer.send_data(call.now(), 2, &bytes, text).unwrap();
    }
    call.run(100);
    let echo = &call.client.received[1..];
    assert_eq!(echo[0], (2, Ppi::String, "grüß Gott".as_bytes().to_vec()));
    assert_eq!(echo[1], (2, Ppi::BinaryEmpty, vec![0]));
    assert_eq!(call.refused, []);
}

#[test]
fn large_messages_survive_loss_and_fit_the_network() {
    let mut call = with_channel(0.1);
    let message: Vec<u8> = (0..60_000u32).map(|n| n as u8).collect();
    let now = call.now();
    call.client.send_on_channel(now, 2, Ppi::Binary, &message);
    assert!(call.run_until(60_000, |call| !received(call).is_empty()));
    assert_eq!(received(&call), [(message.clone(), false)]);
    let now = call.now();
    call.peer.send_data(now, 2, &message, false).unwrap();
    assert!(call.run_until(60_000, |call| {
        call.client.received.last() == Some(&(2, Ppi::Binary, message.clone()))
    }));
    assert!(call.largest_datagram <= 1_200, "{}", call.largest_datagram);
}

#[test]
fn what_is_too_large_is_refused_both_ways() {
    let mut call = with_channel(0.0);
    let message = vec![7; 64 * 1024 + 1];
    let now = call.now();
    call.client.send_on_channel(now, 2, Ppi::Binary, &message);
    call.run(2_000);
    assert_eq!(received(&call), []);
    assert_eq!(call.refused, [DropReason::DataUnwanted]);
    let now = call.now();
    let result = call.peer.send_data(now, 2, &message, false);
    assert_eq!(result, Err(DropReason::TooLarge));
    call.client
        .send_on_channel(now, 2, Ppi::Binary, &message[..10]);
    call.run(100);
    assert_eq!(received(&call).len(), 1, "the channel lives on");
}

#[test]
fn a_reader_that_is_too_slow_makes_the_sender_wait() {
    let mut call = with_channel(0.0);
    call.loss = 1.0;
    let now = call.now();
    let message = vec![7; 60_000];
    let sent = (0..100).filter(|_| call.peer.send_data(now, 2, &message, false).is_ok());
    assert_eq!(sent.count(), 4);
    let result = call.peer.send_data(now, 2, &message, false);
    assert_eq!(result, Err(DropReason::SendBatchFull));
}

#[test]
fn there_is_nothing_to_send_on_without_a_channel() {
    let mut call = Call::connected();
    let now = call.now();
    let result = call.peer.send_data(now, 0, b"hello", true);
    assert_eq!(result, Err(DropReason::DataUnwanted));
    let mut call = with_channel(0.0);
    let now = call.now();
    let result = call.peer.send_data(now, 4, b"hello", true);
    assert_eq!(result, Err(DropReason::DataUnwanted));
}

#[test]
fn data_on_a_stream_that_is_no_channel_is_refused() {
    let mut call = with_channel(0.0);
    let now = call.now();
    call.client.open_channel(now, 6, &[0xff, 1, 2]);
    call.client.send_on_channel(now, 6, Ppi::Binary, b"hello");
    call.run(100);
    assert_eq!(call.refused, [DropReason::DataUnwanted; 2]);
    assert_eq!(received(&call), []);
}

#[test]
fn malformed_sctp_is_refused() {
    let mut call = Call::connected();
    for bytes in [&[1][..], &[0; 12], &[0; 16], &[0xff; 200]] {
        let now = call.now();
        call.client.send_record(now, bytes);
    }
    call.run(100);
    assert_eq!(call.refused, [DropReason::SctpRefused; 4]);
}

#[test]
fn channels_are_bounded() {
    let mut call = with_channel(0.0);
    for id in 3..60 {
        let now = call.now();
        call.client.open_channel(now, id, &open("more"));
        call.run(30);
    }
    let opened = call
        .events
        .iter()
        .filter(|event| matches!(event, PeerEvent::DataChannelOpened { .. }));
    assert_eq!(opened.count(), 32);
    assert!(
        call.refused
            .iter()
            .all(|reason| *reason == DropReason::DataUnwanted)
    );
    assert_eq!(call.refused.len(), 58 - 32);
}
