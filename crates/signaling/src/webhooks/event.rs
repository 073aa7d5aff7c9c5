//! An event as it is sent.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::room::Happening;

/// What happened in a room, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoomEvent {
    /// The same at every attempt to deliver it, and never given twice.
    pub id: String,
    /// Counts the events of this room from 1, without gaps.
    pub number: u64,
    /// Milliseconds since 1970.
    pub created_at: u64,
    /// Where.
    pub room: EventRoom,
    /// What.
    #[serde(flatten)]
    pub happening: Happening,
}

/// The room of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventRoom {
    /// `RM_...`, as clients are told.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Tells apart rooms of the same name or id, also of servers before: numbers count within it.
    pub session: String,
}
