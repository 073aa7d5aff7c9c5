use super::*;
use plenum_rtp::Opened;
use plenum_rtp::{HeaderExtensions, RtpHeader, describe};
use plenum_types::{Codec, ExtensionMap};

const LOWEST: Rank = Rank {
    lowest: true,
    temporal_top: 0,
};
const HIGHER: Rank = Rank {
    lowest: false,
    temporal_top: 0,
};
const LAYERED: Rank = Rank {
    lowest: true,
    temporal_top: 2,
};

fn fill(eighths: usize) -> LinkFill {
    LinkFill {
        used: eighths * 8 + 1,
        capacity: 64,
    }
}

/// A VP8 packet of `frame`; a test changes what it is about.
fn packet(frame: u32) -> PacketDescription {
    let mut bytes = vec![0x80, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7];
    bytes[4..8].copy_from_slice(&(frame * 3_000).to_be_bytes());
    // S bit, no extension; an interframe.
    bytes.extend([0x10, 0x01, 0, 0, 0]);
    let header = RtpHeader::parse(&bytes).unwrap();
    let extensions = HeaderExtensions::parse(&bytes, &header, &ExtensionMap::new()).unwrap();
    describe(&bytes, header, extensions, Codec::Vp8).unwrap()
}

fn keyframe(frame: u32) -> PacketDescription {
    let mut d = packet(frame);
    d.payload.keyframe = true;
    d.payload.switching_point = true;
    d
}

fn layer(frame: u32, temporal: u8, switching_point: bool) -> PacketDescription {
    let mut d = packet(frame);
    d.payload.layer.temporal = temporal;
    d.payload.switching_point = switching_point;
    d
}

const OUT: Verdict = Verdict::Drop { ask: false };

#[test]
fn the_fuller_the_link_the_more_is_left_out() {
    for (eighths, discardable, higher, lowest) in [
        (3, true, true, true),
        (4, false, true, true),
        (5, false, true, true),
        (6, false, false, true),
        (7, false, false, false),
    ] {
        let kept = |d: &PacketDescription, rank| {
            Gate::default().judge(d, rank, fill(eighths)) == Verdict::Keep
        };
        let mut optional = packet(1);
        optional.payload.discardable = true;
        assert_eq!(kept(&optional, LOWEST), discardable, "{eighths}");
        assert_eq!(kept(&packet(1), HIGHER), higher, "{eighths}");
        assert_eq!(kept(&packet(1), LOWEST), lowest, "{eighths}");
    }
}

#[test]
fn what_the_first_packet_was_told_holds_for_the_frame() {
    let mut gate = Gate::default();
    assert_eq!(gate.judge(&packet(1), HIGHER, fill(0)), Verdict::Keep);
    assert_eq!(gate.judge(&packet(1), HIGHER, fill(7)), Verdict::Keep);
    assert_eq!(gate.judge(&packet(2), HIGHER, fill(7)), OUT);
    assert_eq!(gate.judge(&packet(2), HIGHER, fill(0)), OUT);
    // A late packet of the frame before.
    assert_eq!(gate.judge(&packet(1), HIGHER, fill(0)), Verdict::Keep);
}

#[test]
fn a_cut_lasts_until_a_keyframe_that_is_asked_for_once_there_is_room() {
    let mut gate = Gate::default();
    assert_eq!(gate.judge(&packet(1), HIGHER, fill(7)), OUT);
    assert_eq!(gate.judge(&packet(2), HIGHER, fill(4)), OUT);
    let ask = Verdict::Drop { ask: true };
    assert_eq!(gate.judge(&packet(3), HIGHER, fill(0)), ask);
    assert_eq!(gate.judge(&packet(4), HIGHER, fill(0)), OUT, "asked once");
    assert_eq!(gate.judge(&keyframe(5), HIGHER, fill(5)), OUT, "in vain");
    assert_eq!(gate.judge(&packet(6), HIGHER, fill(0)), ask);
    assert_eq!(gate.judge(&keyframe(7), HIGHER, fill(3)), Verdict::Resume);
    assert_eq!(gate.judge(&packet(7), HIGHER, fill(7)), Verdict::Keep);
    assert_eq!(gate.judge(&packet(8), HIGHER, fill(0)), Verdict::Keep);
}

#[test]
fn a_keyframe_whose_start_came_late_does_not_end_a_cut() {
    let mut gate = Gate::default();
    gate.judge(&packet(1), HIGHER, fill(7));
    let mut second = keyframe(2);
    second.payload.keyframe = false;
    second.payload.starts_frame = false;
    let ask = Verdict::Drop { ask: true };
    assert_eq!(gate.judge(&second, HIGHER, fill(0)), ask);
    assert_eq!(gate.judge(&keyframe(2), HIGHER, fill(0)), OUT);
    assert_eq!(gate.judge(&packet(3), HIGHER, fill(0)), ask, "another one");
}

#[test]
fn the_highest_temporal_layer_comes_back_where_the_encoder_allows_it() {
    let mut gate = Gate::default();
    assert_eq!(gate.judge(&layer(1, 2, false), LAYERED, fill(4)), OUT);
    assert_eq!(
        gate.judge(&layer(2, 0, true), LAYERED, fill(4)),
        Verdict::Keep
    );
    assert_eq!(gate.judge(&layer(3, 2, false), LAYERED, fill(0)), OUT);
    assert_eq!(
        gate.judge(&layer(4, 1, false), LAYERED, fill(0)),
        Verdict::Keep
    );
    assert_eq!(
        gate.judge(&layer(5, 2, true), LAYERED, fill(0)),
        Verdict::Keep
    );
    assert_eq!(
        gate.judge(&layer(6, 2, false), LAYERED, fill(0)),
        Verdict::Keep
    );
}

#[test]
fn a_refused_packet_cuts() {
    let mut gate = Gate::default();
    assert_eq!(gate.judge(&packet(1), LOWEST, fill(0)), Verdict::Keep);
    gate.on_refused(packet(1).header.timestamp);
    assert_eq!(gate.judge(&packet(1), LOWEST, fill(0)), OUT);
    let ask = Verdict::Drop { ask: true };
    assert_eq!(gate.judge(&packet(2), LOWEST, fill(0)), ask);
    assert_eq!(gate.judge(&keyframe(3), LOWEST, fill(0)), Verdict::Resume);
}

#[test]
fn the_highest_temporal_layer_comes_back_with_a_frame_that_opens_it() {
    let mut gate = Gate::default();
    assert_eq!(gate.judge(&layer(1, 2, false), LAYERED, fill(5)), OUT);
    assert_eq!(gate.judge(&layer(2, 2, false), LAYERED, fill(1)), OUT);
    let mut opens = layer(3, 0, true);
    opens.payload.opens = Opened::all_up_to(1);
    assert_eq!(gate.judge(&opens, LAYERED, fill(1)), Verdict::Keep);
    assert_eq!(gate.judge(&layer(4, 2, false), LAYERED, fill(1)), OUT);
    opens.header.timestamp = layer(5, 0, true).header.timestamp;
    opens.payload.opens = Opened::all_up_to(2);
    assert_eq!(gate.judge(&opens, LAYERED, fill(1)), Verdict::Keep);
    let back = gate.judge(&layer(6, 2, false), LAYERED, fill(1));
    assert_eq!(back, Verdict::Keep);
}
