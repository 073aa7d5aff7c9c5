// Icons as strokes on a 24 x 24 grid.

const PATHS = {
  mic: 'M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3ZM5.5 11a6.5 6.5 0 0 0 13 0M12 17.5V21M9 21h6',
  micOff: 'M9 9v2a3 3 0 0 0 4.6 2.5M15 10.5V6a3 3 0 0 0-5.7-1.3M5.5 11a6.5 6.5 0 0 0 10.3 5.3M18.5 11a6.5 6.5 0 0 1-.7 2.9M12 17.5V21M9 21h6M4 3l16 18',
  camera: 'M3.5 7.5a2 2 0 0 1 2-2h7.5a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2H5.5a2 2 0 0 1-2-2v-9ZM15 10.8l5.5-3.3v9L15 13.2',
  cameraOff: 'M10 5.5h3a2 2 0 0 1 2 2v3.3l5.5-3.3v9l-3-1.8M15 15.5v1a2 2 0 0 1-2 2H5.5a2 2 0 0 1-2-2v-9a2 2 0 0 1 1.5-1.9M4 3l16 18',
  screen: 'M4 5h16v11H4zM9 20h6M12 16v4M12 13V8M9.5 10.2 12 7.8l2.5 2.4',
  grid: 'M4 5h7v6H4zM13 5h7v6h-7zM4 13h7v6H4zM13 13h7v6h-7z',
  speaker: 'M4 5h16v9H4zM4 17h4v3H4zM10 17h4v3h-4zM16 17h4v3h-4z',
  stats: 'M4 20V11M9.3 20V5M14.7 20v-7M20 20V8',
  chat: 'M4 5.5h16v10.5h-9L6.5 20v-4H4zM8 9.2h8M8 12.4h5',
  settings: 'M4 7h9M17 7h3M4 17h3M11 17h9M15 4.8v4.4M9 14.8v4.4',
  lock: 'M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  link: 'M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.7-5.7l-1.5 1.5M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.7 5.7l1.5-1.5',
  leave: 'M3.5 14.8c-.6-1.6-.5-3 .3-3.8 4.5-4 11.9-4 16.4 0 .8.8.9 2.2.3 3.8-.3.8-1 1-1.8.8l-2.6-.9c-.6-.2-1-.7-1-1.4v-1.6c-2-.7-4.2-.7-6.2 0v1.6c0 .7-.4 1.2-1 1.4l-2.6.9c-.8.2-1.5 0-1.8-.8Z',
  pin: 'M9 4h6l-.8 6 3.3 3.5H6.5L9.8 10 9 4ZM12 13.5V20',
};

/** An icon as an SVG string. */
export function icon(name) {
  return `<svg viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d="${PATHS[name]}"/></svg>`;
}
