// Runs in the page: what a designer would find at a glance. Each check returns the offenders.

window.layout = (() => {
  const FINGER = 44;
  const CONTROLS = 'button, input, select, summary';
  const tell = (element) => `${element.tagName.toLowerCase()}#${element.id}.${element.className}`;
  const seen = (selector) => [...document.querySelectorAll(selector)].filter((element) => element.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true }));
  /** Below an open dialog nothing can be used. */
  const usable = (selector) => seen(selector).filter((element) => !document.querySelector('dialog[open]') || element.closest('dialog'));
  const hidden = (element) => { const { width, height } = element.getBoundingClientRect(); return width <= 1 || height <= 1; };

  /** What reaches beyond the window and cannot be scrolled to. */
  function outside() {
    const most = document.documentElement;
    const wide = most.scrollWidth > most.clientWidth ? [`the page is ${most.scrollWidth} wide`] : [];
    const scrolls = (element) => element.closest('.lobby, .chat-log');
    return [...wide, ...seen(`${CONTROLS}, .tile, .label, .banner, .toast, .topbar *, dialog, h1, h2`).filter((element) => {
      const { left, right, top, bottom } = element.getBoundingClientRect();
      const across = left < -1 || right > innerWidth + 1;
      return !hidden(element) && (across || (!scrolls(element) && (top < -1 || bottom > innerHeight + 1)));
    }).map((element) => `${tell(element)} ${JSON.stringify(element.getBoundingClientRect())}`)];
  }

  /** What a finger misses. */
  function small() {
    return usable(CONTROLS).filter((element) => {
      const { width, height } = element.getBoundingClientRect();
      return width < FINGER - 0.5 || height < FINGER - 0.5;
    }).map((element) => `${tell(element)} ${element.offsetWidth} x ${element.offsetHeight}`);
  }

  /** What a screen reader would call "button". */
  function nameless() {
    return usable('button, input, select, article, [role]').filter((element) => {
      const labels = [...(element.labels ?? [])].map(({ textContent }) => textContent).join('');
      const by = element.getAttribute('aria-labelledby');
      const name = element.getAttribute('aria-label') ?? (by ? document.getElementById(by).textContent : '');
      return !(name || labels || element.textContent).trim() && !['status', 'alert', 'log'].includes(element.getAttribute('role'));
    }).map(tell);
  }

  const luminance = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const pixel = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  function rgba(colour) {
    pixel.clearRect(0, 0, 1, 1);
    pixel.fillStyle = colour;
    pixel.fillRect(0, 0, 1, 1);
    return [...pixel.getImageData(0, 0, 1, 1).data];
  }
  function ground(element) {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor);
      if (colour[3] > 250) return colour;
      if (colour[3] > 0) return null; // over a picture: unknown
    }
    return null;
  }

  /** Text whose contrast is below WCAG 2.2 §1.4.3. */
  function faint() {
    const texts = usable('*').filter((element) => !element.closest('.tile, .preview-controls, :disabled') && !hidden(element)
      && [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim()));
    return texts.flatMap((element) => {
      const { color, fontSize, fontWeight } = getComputedStyle(element);
      const below = ground(element);
      if (!below) return [];
      const [low, high] = [luminance(rgba(color)), luminance(below)].sort((a, b) => a - b);
      const large = parseFloat(fontSize) >= 24 || (parseFloat(fontSize) >= 18.66 && fontWeight >= 700);
      const contrast = (high + 0.05) / (low + 0.05);
      return contrast < (large ? 3 : 4.5) ? [`${tell(element)} "${element.textContent.trim().slice(0, 30)}" ${contrast.toFixed(2)}`] : [];
    });
  }

  /** Tiles and labels that lie over each other. */
  function overlapping() {
    const tiles = seen('.tile').map((element) => ({ element, box: element.getBoundingClientRect() }));
    return tiles.flatMap(({ element, box: a }, index) => tiles.slice(index + 1)
      .filter(({ box: b }) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1)
      .map((other) => `${element.ariaLabel} and ${other.element.ariaLabel}`));
  }

  return { outside, small, nameless, faint, overlapping };
})();
