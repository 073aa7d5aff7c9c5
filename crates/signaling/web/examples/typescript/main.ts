// A viewer that tells what arrives. Open it with ?token= from `plenum token --dev --room tea --identity ada`.

import { PlenumError, Room, type RemoteParticipant, type RemotePublication, type RemoteStats } from 'plenum-client';

const query = new URLSearchParams(location.search);
const state = document.querySelector<HTMLParagraphElement>('#state')!;
const tiles = document.querySelector<HTMLDivElement>('#tiles')!;

/** What to tell people; an unknown code has its own sentence. */
function sentence(error: PlenumError): string {
  switch (error.code) {
    case 'tokenMissing':
    case 'tokenInvalid':
    case 'tokenExpired':
      return 'Ask for a new link.';
    case 'serverUnreachable':
      return 'You seem to be offline.';
    default:
      return error.message;
  }
}

const figures = ({ width, height, fps, bitrate, reason }: RemoteStats): string => (
  `${width ?? '–'} × ${height ?? '–'}, ${Math.round(fps ?? 0)} fps, ${Math.round((bitrate ?? 0) / 1000)} kbit/s: ${reason}`
);

async function main(): Promise<void> {
  const room = new Room({ url: query.get('url') ?? 'http://localhost:7880', token: query.get('token') ?? '', signal: AbortSignal.timeout(20_000) });
  const captions = new Map<string, HTMLElement>();
  const show = (participant: RemoteParticipant, publication: RemotePublication): void => {
    if (publication.kind !== 'video') return;
    const figure = document.createElement('figure');
    const video = Object.assign(document.createElement('video'), { width: 320, playsInline: true });
    const caption = Object.assign(document.createElement('figcaption'), { textContent: participant.name });
    figure.append(video, caption);
    tiles.append(figure);
    captions.set(publication.id, caption);
    room.attach(publication, video);
  };
  room.on('connectionState', ({ state: now }) => { state.textContent = now; });
  room.on('published', ({ participant, publication }) => show(participant, publication));
  room.on('unpublished', ({ publication }) => {
    captions.get(publication.id)?.parentElement?.remove();
    captions.delete(publication.id);
  });
  await room.join();
  for (const participant of room.participants.values()) for (const publication of participant.publications.values()) show(participant, publication);
  setInterval(async () => {
    const { remotes } = await room.getStats();
    for (const remote of remotes) captions.get(remote.publication)?.replaceChildren(figures(remote));
  }, 1000);
}

main().catch((error: unknown) => {
  state.textContent = error instanceof PlenumError ? sentence(error) : String(error);
});
