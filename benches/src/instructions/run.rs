//! The operations, one after the other.

use std::io::{self, Write};
use std::time::Instant;

use plenum_types::SrtpProfile;

use super::counted_region;
use crate::cases::{self, PROFILES, Stream};
use crate::fan_out::FanOut;
use crate::link_hop::LinkHop;
use crate::packet::{CODECS, PACKETS_PER_FRAME};

/// Executions of a single stage.
const TIMES: u32 = 64;
/// Frames that a fan-out or a link forwards. As many as there are frames in a second are enough to be
/// representative, and few enough for an emulated processor.
const FRAMES: u32 = 10;
/// Subscribers of the fan-outs, growing.
const SUBSCRIBERS: [u32; 4] = [1, 10, 100, 500];

/// Executes every operation and writes a line for each to `names`: its name, how many times
/// [`counted_region`] is entered for it, and by how many units (operations, copies) the
/// instructions are to be divided.
///
/// # Errors
///
/// If `names` cannot be written to.
pub fn run(names: &mut impl Write, start: Instant) -> io::Result<()> {
    for (name, codec) in CODECS {
        stage(names, &format!("describe/{name}"), cases::describe(codec))?;
        stage(
            names,
            &format!("write_copy/{name}"),
            cases::write_copy(codec),
        )?;
    }
    for profile in PROFILES {
        let name = profile.as_str();
        stage(names, &format!("protect/{name}"), cases::protect(profile))?;
        unprotect(names, profile)?;
    }
    link_hop(names, start)?;
    fan_outs(names, start)
}

fn stage(names: &mut impl Write, name: &str, mut operation: impl FnMut()) -> io::Result<()> {
    // Buffers find their size, and tables are made, before anything is counted.
    operation();
    writeln!(names, "{name} 1 {TIMES}")?;
    counted_region(TIMES, &mut operation);
    Ok(())
}

fn unprotect(names: &mut impl Write, profile: SrtpProfile) -> io::Result<()> {
    let mut stream = Stream::new(profile);
    let datagrams: Vec<_> = (0..=TIMES).map(|_| stream.next_datagram()).collect();
    let mut datagrams = datagrams.into_iter();
    let next = || {
        if let Some(mut datagram) = datagrams.next() {
            stream.unprotect(&mut datagram);
            // Freed elsewhere: memory is not what is counted.
            std::mem::forget(datagram);
        }
    };
    stage(names, &format!("unprotect/{}", profile.as_str()), next)
}

fn link_hop(names: &mut impl Write, start: Instant) -> io::Result<()> {
    let mut link_hop = LinkHop::new(start);
    writeln!(names, "link_hop {FRAMES} {}", FRAMES * PACKETS_PER_FRAME)?;
    for _ in 0..FRAMES {
        let frame = link_hop.next_frame();
        counted_region(1, &mut || {
            link_hop.hop(&frame);
        });
    }
    Ok(())
}

/// One livestream that grows, so that nobody joins twice.
fn fan_outs(names: &mut impl Write, start: Instant) -> io::Result<()> {
    let profile = SrtpProfile::AeadAes128Gcm;
    let mut fan_out = FanOut::new(0, profile, start);
    for subscribers in SUBSCRIBERS {
        fan_out.grow_to(subscribers);
        let copies = FRAMES * PACKETS_PER_FRAME * subscribers;
        let name = format!("fan_out/{subscribers}/{}", profile.as_str());
        writeln!(names, "{name} {FRAMES} {copies}")?;
        for _ in 0..FRAMES {
            // What happens between frames is not counted.
            let mut burst = fan_out.next_burst();
            counted_region(1, &mut || {
                fan_out.handle_burst(&mut burst);
            });
        }
    }
    Ok(())
}
