//! Notes what happens in rooms, for webhooks.

use std::time::Duration;

use plenum_types::{CloseReason, ParticipantId, PublicationId, RoomId};

use super::Registry;
use crate::names::camel_case;
use crate::output::Output;
use crate::room::{Happening, Noted, Person, Publication};

/// How often another speaker is noted at most.
const SPEAKER_INTERVAL: Duration = Duration::from_secs(1);

impl Registry {
    /// Gives an event of the room its number, and puts it out.
    pub(super) fn note(&mut self, room: RoomId, happening: Happening) {
        let Some(room) = self.rooms.get_mut(&room) else {
            return;
        };
        room.last_event += 1;
        let noted = Noted {
            room: room.id,
            name: room.name.clone(),
            number: room.last_event,
            happening,
        };
        self.outputs.push_back(Output::Event(Box::new(noted)));
    }

    /// A publication has started, unless it is only described anew.
    pub(super) fn note_started(&mut self, room: RoomId, who: ParticipantId, now: &Publication) {
        let Some(participant) = self.participant(room, who).map(Person::of) else {
            return;
        };
        let publication = now.info();
        let started = self.rooms.get_mut(&room).map(|room| &mut room.started);
        let before = started.and_then(|started| started.insert(now.id, publication.clone()));
        if before.is_none() {
            let happening = Happening::PublicationStarted {
                participant,
                publication,
            };
            self.note(room, happening);
        }
    }

    /// A publication of somebody who is still in the room has ended.
    pub(super) fn note_ended(&mut self, room: RoomId, who: ParticipantId, id: PublicationId) {
        let Some(participant) = self.participant(room, who).map(Person::of) else {
            return;
        };
        let started = self.rooms.get_mut(&room).map(|room| &mut room.started);
        if let Some(publication) = started.and_then(|started| started.remove(&id)) {
            let happening = Happening::PublicationEnded {
                participant,
                publication,
            };
            self.note(room, happening);
        }
    }

    /// Somebody who is still in the room is about to go, with all they publish.
    pub(super) fn note_leaving(&mut self, room: RoomId, who: ParticipantId, reason: &str) {
        let Some(state) = self.rooms.get(&room) else {
            return;
        };
        let owned = state.owners.iter().filter(|(_, owner)| **owner == who);
        let owned: Vec<PublicationId> = owned.map(|(publication, _)| *publication).collect();
        for publication in owned {
            self.note_ended(room, who, publication);
        }
        if let Some(participant) = self.participant(room, who).map(Person::of) {
            let reason = reason.to_owned();
            self.note(
                room,
                Happening::ParticipantLeft {
                    participant,
                    reason,
                },
            );
        }
    }

    /// Somebody's media connection is over, and not because they wanted it.
    pub(super) fn note_failure(&mut self, room: RoomId, who: ParticipantId, reason: CloseReason) {
        if matches!(reason, CloseReason::ClosedByClient | CloseReason::Removed) {
            return;
        }
        if let Some(participant) = self.participant(room, who).map(Person::of) {
            let reason = camel_case(reason.as_str());
            self.note(
                room,
                Happening::ConnectionFailed {
                    participant,
                    reason,
                },
            );
        }
    }

    /// The loudest may be another one.
    pub(super) fn note_speaker(&mut self, id: RoomId) {
        let now = self.now;
        let Some(room) = self.rooms.get_mut(&id) else {
            return;
        };
        let speaker = room.told_speakers.first();
        let loudest = speaker
            .and_then(|speaker| room.owners.get(&speaker.publication))
            .copied();
        let is_early = room
            .speaker_noted
            .is_some_and(|(_, at)| now < at + SPEAKER_INTERVAL);
        let Some(who) = loudest
            .filter(|who| !is_early && room.speaker_noted.is_none_or(|(before, _)| before != *who))
        else {
            return;
        };
        room.speaker_noted = Some((who, now));
        if let Some(participant) = self.participant(id, who).map(Person::of) {
            self.note(id, Happening::ActiveSpeaker { participant });
        }
    }

    /// Everybody leaves and all rooms close, because the server does.
    pub(super) fn note_shutdown(&mut self) {
        let rooms: Vec<RoomId> = self.rooms.keys().copied().collect();
        for room in rooms {
            let everybody: Vec<_> = self.rooms[&room].participants.keys().copied().collect();
            for who in everybody {
                self.note_leaving(room, who, "serverShutdown");
            }
            self.note(room, Happening::RoomFinished {});
        }
    }
}
