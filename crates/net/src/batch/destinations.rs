//! Finds the open run of a destination: a small open-addressing table that is emptied with every
//! flush.
//!
//! Probing is bounded. A destination that finds no place gets a new run for each datagram, which
//! costs calls but keeps its order, so addresses chosen to collide hurt nobody else.

use std::net::IpAddr;

use plenum_types::Path;

use super::run::Run;

/// Places, a power of two, twice the most runs; 16 KiB, so that it stays in the L1 cache.
const PLACES: usize = 8_192;

/// Places looked at for one destination.
const PROBES: usize = 8;

/// No run.
const EMPTY: u16 = u16::MAX;

/// Where a destination is, or can be put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Index into the table; `None` if its neighbourhood is full.
    position: Option<u16>,
    /// The newest run of the destination.
    pub(crate) run: Option<u16>,
}

/// Destination → its newest run.
pub(crate) struct Destinations {
    places: Box<[u16]>,
    used: Vec<u16>,
}

impl Destinations {
    /// An empty table.
    pub(crate) fn new() -> Self {
        Self {
            places: vec![EMPTY; PLACES].into_boxed_slice(),
            used: Vec::with_capacity(PLACES),
        }
    }

    /// Finds `path` among `runs`.
    pub(crate) fn find(&self, path: &Path, runs: &[Run]) -> Place {
        let home = home(path);
        for probe in 0..PROBES {
            let position = (home + probe) % PLACES;
            let run = self.places[position];
            let position = Some(position as u16);
            if run == EMPTY {
                return Place {
                    position,
                    run: None,
                };
            }
            if runs[usize::from(run)].path == *path {
                let run = Some(run);
                return Place { position, run };
            }
        }
        Place {
            position: None,
            run: None,
        }
    }

    /// Makes `run` the newest of the destination at `place`.
    pub(crate) fn put(&mut self, place: Place, run: u16) {
        let Some(position) = place.position else {
            return;
        };
        let entry = &mut self.places[usize::from(position)];
        if *entry == EMPTY {
            self.used.push(position);
        }
        *entry = run;
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        for position in self.used.drain(..) {
            self.places[usize::from(position)] = EMPTY;
        }
    }
}

/// First place to look at: a multiplicative hash of address and port (Knuth, TAOCP 6.4).
fn home(path: &Path) -> usize {
    const SHIFT: u32 = u64::BITS - PLACES.trailing_zeros();
    let ip = match path.remote.ip() {
        IpAddr::V4(ip) => u64::from(ip.to_bits()),
        IpAddr::V6(ip) => {
            let bits = ip.to_bits();
            (bits as u64) ^ ((bits >> 64) as u64).rotate_left(23)
        }
    };
    let key = ip.rotate_left(16) ^ u64::from(path.remote.port());
    (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> SHIFT) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(port: u16) -> Path {
        Path::to(([127, 0, 0, 1], port).into())
    }

    #[test]
    fn finds_what_was_put_until_cleared() {
        let mut table = Destinations::new();
        let mut runs = Vec::new();
        for port in 1..=2_000 {
            let place = table.find(&path(port), &runs);
            assert_eq!(place.run, None);
            runs.push(Run::new(path(port), 10));
            table.put(place, port - 1);
        }
        let found = (1..=2_000)
            .filter(|port| table.find(&path(*port), &runs).run == Some(port - 1))
            .count();
        assert!(found > 1_900, "only {found} of 2000 found a place");
        table.clear();
        assert_eq!(table.find(&path(1), &runs).run, None);
    }

    #[test]
    fn a_full_neighbourhood_refuses_instead_of_searching_on() {
        let mut table = Destinations::new();
        let target = home(&path(1));
        let collide: Vec<Path> = (1..=u16::MAX)
            .flat_map(|port| (0..4).map(move |host| Path::to(([10, 0, 0, host], port).into())))
            .filter(|path| home(path) == target)
            .take(PROBES + 1)
            .collect();
        assert_eq!(collide.len(), PROBES + 1);
        let mut runs = Vec::new();
        for (index, path) in collide.iter().enumerate() {
            let place = table.find(path, &runs);
            assert_eq!(place.position.is_some(), index < PROBES);
            runs.push(Run::new(*path, 10));
            table.put(place, index as u16);
        }
    }
}
