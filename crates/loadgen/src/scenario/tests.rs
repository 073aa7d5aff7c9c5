//! Flags become clients.

use super::*;
use clap::Parser;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    args: Args,
}

fn plan(flags: &str) -> Result<Plan> {
    let words = std::iter::once("load").chain(flags.split_whitespace());
    Plan::new(&Cli::parse_from(words).args, true)
}

#[test]
fn scenarios_are_presets_that_flags_change() {
    let stream = plan("--scenario livestream --subscribers 3").unwrap();
    assert_eq!(stream.clients.len(), 4);
    assert_eq!(stream.clients[3].slots, (1, 1));
    assert!(stream.audio && stream.transport_cc);
    let audio = plan("--scenario audio").unwrap();
    assert_eq!((audio.publishing, audio.clients.len()), (10, 110));
    assert_eq!(audio.clients[10].slots, (10, 0));
    let meeting = plan("--scenario meeting --participants 5 --rooms 2 --no-audio").unwrap();
    assert_eq!(meeting.clients.len(), 10);
    assert_eq!(meeting.clients[9].slots, (0, 4));
    assert_eq!((meeting.facts.publishers, meeting.facts.subscribers), (10, 10));
}

#[test]
fn a_participant_is_two_clients_where_one_cannot_do_both() {
    let args = Cli::parse_from(["load", "--scenario", "meeting", "--participants", "4"]).args;
    let plan = Plan::new(&args, false).unwrap();
    assert_eq!((plan.publishing, plan.clients.len()), (4, 8));
    assert_eq!(plan.clients[7].role, Role::Subscriber);
}

#[test]
fn a_given_payload_makes_all_packets_equal() {
    let plan = plan("--payload 1000 --frame-packets 6 --layers 3").unwrap();
    let video = plan.video.unwrap();
    assert!(!video.varies);
    let bytes: Vec<usize> = video.layers.iter().map(|(_, bytes)| *bytes).collect();
    assert_eq!(bytes, [1_000, 2_000, 6_000]);
}

#[test]
fn the_default_frame_is_five_packets_of_1100_bytes() {
    let video = plan("").unwrap().video.unwrap();
    assert_eq!(video.layers[0].1, 5_500);
}

#[test]
fn what_would_do_nothing_is_refused() {
    assert!(plan("--video none").is_err());
    assert!(plan("--subscribers 0").is_err());
    assert!(plan("--publishers 0").is_err());
    assert!(plan("--publishers 0 --subscribers 0 --participants 1").is_err());
}

#[test]
fn audio_slots_bound_what_is_taken() {
    let plan = plan("--scenario meeting --participants 10 --audio-slots 3").unwrap();
    assert_eq!(plan.clients[0].slots, (3, 9));
    assert!(plan.speakers_only);
}
