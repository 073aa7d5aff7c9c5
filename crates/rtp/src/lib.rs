//! RTP and RTCP as they lie on the wire: read in place, patched while copied.
//!
//! The way of a packet: [`RtpHeader::parse`] → [`HeaderExtensions::parse`] → [`describe`] gives a
//! [`PacketDescription`], a small `Copy` value that says everything routing needs. Then, for each
//! subscriber, [`write_packet`] copies the packet with a [`Patch`] and the subscriber's
//! [`OutgoingExtensions`].
//!
//! Nothing here keeps state but [`Templates`], allocates on the packet path, or trusts a length it
//! did not check.
//! Payload bytes are only read, and only written in the descriptor fields that must stay
//! continuous after a switch.

#![forbid(unsafe_code)]

mod bits;
mod codec;
mod dependency;
mod description;
mod error;
mod extension;
mod extension_writer;
mod packet;
mod padding;
mod patch;
pub mod rtcp;
mod rtx;

pub use codec::red::{RedFields, RedPatch};
pub use codec::{CodecFields, Vp8Fields, Vp9Fields};
pub use dependency::{
    DependencyDescriptor, DependencyFields, FrameDependencies, FrameRole, Indication, Opened,
    TemplateStructure, Templates,
};
pub use description::{
    PacketDescription, PayloadDescription, describe, describe_in_stream, describe_redundant,
};
pub use error::{ParseError, WriteError};
pub use extension::HeaderExtensions;
pub use extension_writer::OutgoingExtensions;
pub use packet::{RtpHeader, is_rtcp};
pub use padding::{add_padding, write_padding};
pub use patch::{Patch, max_growth, write_packet};
pub use rtx::unwrap_rtx;
