//! Offer and answer (RFC 3264, RFC 8829) as pure functions: [`Offer::read`] says what a client
//! wants, [`Answer::write`] says what it gets. Rooms decide between the two.
//!
//! Plenum always answers. Invariants: one transport for all m-lines (BUNDLE, rtcp-mux); the
//! client's payload types and extension ids are used as offered; an answer has the m-lines of
//! its offer in the same order.

mod answer;
mod candidates;
mod codecs;
mod encodings;
mod extensions;
mod fragment;
mod offer;
mod one_way;
mod restrict;
mod section;
#[cfg(test)]
mod tests;

pub(crate) use answer::{Answer, SectionAnswer, SlotStream};
pub(crate) use candidates::Candidates;
pub(crate) use fragment::{Fragment, FragmentHead};
pub(crate) use offer::Offer;
pub(crate) use one_way::Way;
pub(crate) use section::RtpSection;
