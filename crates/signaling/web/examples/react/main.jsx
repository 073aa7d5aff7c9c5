// A conference as React components. Open it with ?token= from `plenum token --dev --room tea --identity ada`.

import { StrictMode, useEffect, useReducer, useRef, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { Room } from 'plenum-client';

const CHANGES = ['participantJoined', 'participantLeft', 'published', 'unpublished', 'muted', 'localPublished', 'localUnpublished', 'localMuted', 'connectionState'];

/** The room while the component is there; every change of it renders again. */
function useRoom(url, token) {
  const [room, setRoom] = useState(null);
  const [error, setError] = useState(null);
  const [, render] = useReducer((count) => count + 1, 0);
  useEffect(() => {
    const unmounted = new AbortController();
    const next = new Room({ url, token, signal: unmounted.signal });
    for (const event of CHANGES) next.on(event, render);
    next.on('closed', (end) => { if (!unmounted.signal.aborted) setError(end.error); });
    next.join().then(() => {
      setRoom(next);
      return next.publishCamera();
    }).catch(setError);
    return () => {
      unmounted.abort(); // while joining
      next.leave(); // afterwards
    };
  }, [url, token]);
  return { room, error };
}

function Tile({ room, publication, name }) {
  const video = useRef(null);
  useEffect(() => room.attach(publication, video.current), [room, publication]);
  return <figure><video ref={video} playsInline width="320" /><figcaption>{name}</figcaption></figure>;
}

function Conference({ url, token }) {
  const { room, error } = useRoom(url, token);
  if (error && error.code !== 'aborted') return <p role="alert">{error.message}</p>;
  if (!room) return <p>Joining…</p>;
  const pictures = [...room.participants.values()].flatMap((participant) => (
    [...participant.publications.values()].filter(({ kind }) => kind === 'video').map((publication) => ({ participant, publication }))
  ));
  const camera = room.publication('camera');
  return (
    <>
      <p>{room.name}: {room.state}</p>
      {camera && <button onClick={() => (camera.muted ? camera.unmute() : camera.mute())}>{camera.muted ? 'Start video' : 'Stop video'}</button>}
      {pictures.map(({ participant, publication }) => <Tile key={publication.id} room={room} publication={publication} name={participant.name} />)}
    </>
  );
}

const { url = 'http://localhost:7880', token } = Object.fromEntries(new URLSearchParams(location.search));
createRoot(document.getElementById('root')).render(<StrictMode><Conference url={url} token={token} /></StrictMode>);
