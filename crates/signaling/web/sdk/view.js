// @ts-check
// Elements that show a track: what they play, and how large they are.

export function showIn(element, track) {
  element.srcObject = track ? new MediaStream([track]) : null;
  if (track) element.play?.().catch(() => { /* Autoplay is refused until the user touches the page. */ });
}

/** Watches the size and visibility of an element. */
export class View {
  #visible = true;

  constructor(element, onChange) {
    this.element = element;
    this.resize = new ResizeObserver(onChange);
    try { this.resize.observe(element, { box: 'device-pixel-content-box' }); } catch { this.resize.observe(element); }
    this.intersection = new IntersectionObserver((entries) => {
      this.#visible = entries[entries.length - 1].isIntersecting;
      onChange();
    });
    this.intersection.observe(element);
  }

  /** Device pixels; nothing while it cannot be seen. */
  size() {
    const { element } = this;
    const floating = document.pictureInPictureElement === element;
    if (!floating && (!this.#visible || document.hidden)) return { width: 0, height: 0 };
    const ratio = globalThis.devicePixelRatio || 1;
    return { width: Math.round(element.clientWidth * ratio), height: Math.round(element.clientHeight * ratio) };
  }

  stop() {
    this.resize.disconnect();
    this.intersection.disconnect();
  }
}
