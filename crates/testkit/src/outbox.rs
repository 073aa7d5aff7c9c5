//! The send batch of a simulated socket.

use plenum_types::{Path, SendBatch};

/// Collects what a shard sends.
#[derive(Debug, Default)]
pub struct Outbox {
    reserved: Option<Path>,
    buffer: Vec<u8>,
    datagrams: Vec<(Path, Vec<u8>)>,
}

impl Outbox {
    /// Takes what was sent, in order.
    pub fn take(&mut self) -> Vec<(Path, Vec<u8>)> {
        std::mem::take(&mut self.datagrams)
    }
}

impl SendBatch for Outbox {
    fn reserve(&mut self, path: Path, capacity: usize) -> Option<&mut [u8]> {
        self.reserved = Some(path);
        self.buffer.clear();
        self.buffer.resize(capacity, 0);
        Some(&mut self.buffer)
    }

    fn commit(&mut self, length: usize) {
        if let Some(path) = self.reserved.take() {
            self.datagrams.push((path, self.buffer[..length].to_vec()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;

    #[test]
    fn a_reservation_without_commit_is_forgotten() {
        let path = Path::to(SocketAddr::from(([10, 0, 0, 1], 1)));
        let mut outbox = Outbox::default();
        outbox.reserve(path, 4).unwrap().fill(1);
        outbox.reserve(path, 4).unwrap().fill(2);
        outbox.commit(3);
        assert_eq!(outbox.take(), [(path, vec![2, 2, 2])]);
        assert!(outbox.take().is_empty());
    }
}
