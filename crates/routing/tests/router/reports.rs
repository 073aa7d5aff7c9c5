//! Sender reports: sound and pictures of one publisher stay together.

use plenum_types::{Codec, MediaKind, NtpTime, SlotPolicy, SlotWish};

use crate::world::{World, pinned, server_ntp};

/// When the newest packet of a slot was captured, by our clock as the receiver concludes it.
fn captured_at(world: &mut World, slot: plenum_routing::SlotIndex) -> (NtpTime, u64) {
    let (now, ntp) = (world.now(), server_ntp(world.now_ms));
    let (_, info) = world
        .router
        .sender_report(now, ntp, slot)
        .expect("a report");
    let got = world.receivers[&slot]
        .got
        .values()
        .next_back()
        .expect("a packet");
    let ticks = got.description.header.timestamp.distance_from(info.rtp);
    let rate = f64::from(got.sent.content.codec.clock_rate());
    let offset_ms = (f64::from(ticks) * 1_000.0 / rate).round() as i64;
    assert!(offset_ms <= 0);
    let back = std::time::Duration::from_millis(offset_ms.unsigned_abs());
    let captured = server_ntp(world.now_ms - back.as_millis() as u64);
    (captured, got.sent.captured_ms)
}

#[test]
fn lips_stay_in_sync_over_switches() {
    for seed in 0..5 {
        println!("seed {seed}");
        let mut world = World::new(seed);
        world.network.jitter_ms = 15;
        let mut pairs = Vec::new();
        for peer in [1, 2] {
            let audio = world.publish(peer, Codec::Opus, 1);
            let video = world.publish(peer, Codec::Vp8, 3);
            let (ntp, delay) = {
                let sound = world.published(audio);
                (sound.ntp_start, sound.delay_ms)
            };
            let pictures = world.published(video);
            (pictures.ntp_start, pictures.delay_ms) = (ntp, delay);
            pairs.push((audio, video));
        }
        let wish = |id| SlotWish::new(SlotPolicy::Pinned(id));
        let sound = world.subscribe(9, 0, MediaKind::Audio, &[Codec::Opus], wish(pairs[0].0));
        let picture = world.subscribe(
            9,
            1,
            MediaKind::Video,
            &[Codec::Vp8],
            pinned(pairs[0].1, 180),
        );
        for step in 0..8 {
            let (audio, video) = pairs[step / 2 % 2];
            world.wish(9, 0, wish(audio));
            world.wish(9, 1, pinned(video, [180, 720][step % 2]));
            world.run_ms(2_500);
            let (heard, heard_truth) = captured_at(&mut world, sound);
            let (seen, seen_truth) = captured_at(&mut world, picture);
            let concluded = heard.seconds_since(seen) * 1_000.0;
            let truth = heard_truth as f64 - seen_truth as f64;
            assert!(
                (concluded - truth).abs() <= 20.0,
                "{concluded} ms for {truth} ms"
            );
        }
    }
}

#[test]
fn counts_what_was_sent() {
    let mut world = World::new(7);
    let id = world.publish(1, Codec::Opus, 1);
    let wish = SlotWish::new(SlotPolicy::Pinned(id));
    let slot = world.subscribe(9, 0, MediaKind::Audio, &[Codec::Opus], wish);
    let report = |world: &mut World| {
        let (now, ntp) = (world.now(), server_ntp(world.now_ms));
        world
            .router
            .sender_report(now, ntp, slot)
            .map(|(_, info)| info)
    };
    world.published(id).reports = false;
    world.run_ms(2_000);
    assert_eq!(report(&mut world), None);
    world.run_ms(4_000);
    assert!(
        report(&mut world).is_some(),
        "arrival must do after a while"
    );
    world.published(id).reports = true;
    world.run_ms(2_000);
    let info = report(&mut world).expect("a report");
    assert_eq!(info.packets as usize, world.receivers[&slot].got.len());
    assert_eq!(info.bytes, info.packets * 5);
}
