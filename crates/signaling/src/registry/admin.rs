//! What backends ask about rooms.

use std::time::Duration;

use plenum_types::RoomId;

use super::{Registry, Timer};
use crate::admin::{AdminAct, AdminError, AdminReply, AdminRequest, RoomSpec, RoomView};
use crate::messages::{ClosingReason, CodecName, LeaveReason, ParticipantInfo};
use crate::registry::join::MAX_NAME;
use crate::room::{Happening, Participant, Room, RoomSettings};

/// Longest that a room stays open without participants, seconds: a day.
const EMPTY_TIMEOUT_MAX_S: u32 = 86_400;

/// Most codecs that a room can name; more would repeat some.
const CODECS_MAX: usize = 5;

impl Registry {
    /// What may be sent in a room; empty: anything.
    pub(super) fn codecs_of(&self, room: RoomId) -> &[CodecName] {
        let room = self.rooms.get(&room);
        room.map_or(&[], |room| &room.settings.codecs)
    }

    /// Answers a request of somebody who may ask it.
    pub(crate) fn handle_admin(
        &mut self,
        request: &AdminRequest,
    ) -> Result<AdminReply, AdminError> {
        if self.closing {
            return Err(AdminError::Closing);
        }
        match &request.act {
            AdminAct::ListRooms => {
                let rooms = self.rooms.values().map(|room| self.view(room));
                Ok(AdminReply::Rooms(rooms.collect()))
            }
            AdminAct::CreateRoom(spec) => self.create_room(spec),
            AdminAct::LookAtRoom { room } => {
                let room = &self.rooms[&self.room_named(room)?];
                Ok(AdminReply::Room(self.view(room)))
            }
            AdminAct::CloseRoom { room } => {
                let room = self.room_named(room)?;
                self.close_room(room);
                Ok(AdminReply::Done)
            }
            AdminAct::ListParticipants { room } => {
                let room = &self.rooms[&self.room_named(room)?];
                Ok(AdminReply::Participants(infos(room)))
            }
            AdminAct::LookAtParticipant(whom) => {
                let (room, who) = self.whom(whom)?;
                let participant = self.participant(room, who);
                let participant = participant.ok_or(AdminError::UnknownParticipant)?;
                Ok(AdminReply::Participant(participant.info()))
            }
            AdminAct::ChangeParticipant(whom, change) => {
                self.change_participant(whom, change, request.now_s)
            }
            AdminAct::RemoveParticipant(whom) => self.expel(whom, request.now_s),
            AdminAct::Mute {
                whom,
                publication,
                muted,
            } => self.mute_from_outside(whom, publication, *muted),
            AdminAct::SendData { room, spec } => self.send_data(room, spec),
            AdminAct::Explain(whom) => self.explain_to_backend(whom),
        }
    }

    pub(super) fn room_named(&self, name: &str) -> Result<RoomId, AdminError> {
        self.names.get(name).copied().ok_or(AdminError::UnknownRoom)
    }

    fn view(&self, room: &Room) -> RoomView {
        let settings = &room.settings;
        RoomView {
            id: room.id.to_string(),
            name: room.name.clone(),
            participants: room.participants.len(),
            publications: room.owners.len(),
            max_participants: self.most_participants(settings),
            empty_timeout: u32::try_from(settings.empty_timeout.as_secs()).unwrap_or(u32::MAX),
            max_slots: settings.slots(self.config.limits.slots),
            codecs: settings.codecs.clone(),
        }
    }

    /// Most participants of a room with such settings.
    pub(super) fn most_participants(&self, settings: &RoomSettings) -> usize {
        let limit = self.config.limits.participants;
        settings
            .max_participants
            .map_or(limit, |most| most.min(limit))
    }

    fn create_room(&mut self, spec: &RoomSpec) -> Result<AdminReply, AdminError> {
        if self.draining.is_some() {
            return Err(AdminError::Closing);
        }
        if spec.name.is_empty()
            || spec.name.len() > MAX_NAME
            || spec.max_participants == Some(0)
            || spec.codecs.len() > CODECS_MAX
            || spec.empty_timeout > EMPTY_TIMEOUT_MAX_S
        {
            return Err(AdminError::OutOfRange);
        }
        if self.names.contains_key(&spec.name) {
            return Err(AdminError::RoomExists);
        }
        let settings = RoomSettings {
            max_participants: spec.max_participants.map(|most| most as usize),
            empty_timeout: Duration::from_secs(spec.empty_timeout.into()),
            max_slots: spec.max_slots.map(|most| most as usize),
            codecs: spec.codecs.clone(),
        };
        let opened = self.open_room(spec.name.clone(), settings);
        let id = opened.map_err(|_| AdminError::ServerFull)?;
        let reply = AdminReply::Room(self.view(&self.rooms[&id]));
        self.close_if_empty(id);
        Ok(reply)
    }

    fn close_room(&mut self, id: RoomId) {
        let everybody: Vec<_> = self.rooms[&id].participants.keys().copied().collect();
        for who in everybody {
            let closing = Some(ClosingReason::RoomClosed);
            self.remove_participant(id, who, LeaveReason::RoomClosed, closing);
        }
        self.forget_room(id);
    }

    /// A room has nobody: it is closed, at once or when its time is over.
    pub(super) fn close_if_empty(&mut self, id: RoomId) {
        let Some(room) = self.rooms.get_mut(&id) else {
            return;
        };
        if !room.participants.is_empty() {
            return;
        }
        if room.settings.empty_timeout.is_zero() {
            return self.forget_room(id);
        }
        let due = self.now + room.settings.empty_timeout;
        if let Some(before) = room.empty_until.replace(due) {
            self.timers.remove(&(before, Timer::EmptyRoom(id)));
        }
        self.timers.insert((due, Timer::EmptyRoom(id)));
    }

    /// The time of an empty room is over, unless somebody came.
    pub(super) fn end_empty_room(&mut self, id: RoomId) {
        let room = self.rooms.get(&id);
        if room.is_some_and(|room| room.participants.is_empty()) {
            self.forget_room(id);
        }
    }

    fn forget_room(&mut self, id: RoomId) {
        self.note(id, Happening::RoomFinished {});
        if let Some(room) = self.rooms.remove(&id) {
            self.names.remove(&room.name);
            if let Some(due) = room.empty_until {
                self.timers.remove(&(due, Timer::EmptyRoom(id)));
            }
        }
    }
}

fn infos(room: &Room) -> Vec<ParticipantInfo> {
    room.participants.values().map(Participant::info).collect()
}
