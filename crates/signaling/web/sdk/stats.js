// @ts-check
// Statistics, condensed. Counters become what they grew by since the last call.

const milliseconds = (seconds) => (seconds === undefined ? null : Math.round(seconds * 1000));
const share = (part, rest) => (part === null || rest === null ? null : part + rest > 0 ? part / (part + rest) : 0);

/** What the browser counted until the last call, and what that makes of the newest report. */
export class Stats {
  /** @type {Map<string, any>} */ #before = new Map();
  /** @type {Map<string, any>} */ #now = new Map();

  /** @param {any} reports @param {any[]} slots @param {any[]} publications */
  condense(reports, slots, publications) {
    this.#now = reports;
    const all = [...reports.values()];
    const condensed = {
      connection: this.#connection(all),
      publications: publications.map((publication) => this.#publication(all, publication)),
      remotes: slots.filter((slot) => slot.binding.publication).map((slot) => this.#remote(all, slot)),
    };
    this.#before = reports;
    return condensed;
  }

  /** How much a counter grew; null without anything to compare it with. */
  #grown(report, field) {
    const value = report?.[field];
    const before = this.#before.get(report?.id)?.[field];
    return value === undefined || before === undefined ? null : Math.max(0, value - before);
  }

  /** Bits per second. */
  #bitrate(report, field) {
    const bytes = this.#grown(report, field);
    const ms = this.#grown(report, 'timestamp');
    return bytes === null || !ms ? null : Math.round((bytes * 8000) / ms);
  }

  #codec(report) {
    return this.#now.get(report?.codecId)?.mimeType?.split('/')[1]?.toLowerCase() ?? null;
  }

  #connection(all) {
    const transport = all.find(({ type }) => type === 'transport');
    const pair = this.#now.get(transport?.selectedCandidatePairId)
      ?? all.find((r) => r.type === 'candidate-pair' && (r.selected || (r.nominated && r.state === 'succeeded')));
    const local = this.#now.get(pair?.localCandidateId);
    const remote = this.#now.get(pair?.remoteCandidateId);
    return {
      rtt: milliseconds(pair?.currentRoundTripTime),
      localCandidate: local?.candidateType ?? null, remoteCandidate: remote?.candidateType ?? null,
      protocol: local?.protocol ?? null, relayProtocol: local?.relayProtocol ?? null,
      availableOutgoing: pair?.availableOutgoingBitrate ?? null, availableIncoming: pair?.availableIncomingBitrate ?? null,
      outgoing: this.#bitrate(pair, 'bytesSent'), incoming: this.#bitrate(pair, 'bytesReceived'),
    };
  }

  #publication(all, publication) {
    const mid = publication._transceiver?.mid;
    const streams = all.filter((r) => r.type === 'outbound-rtp' && r.mid !== undefined && r.mid === mid);
    const order = (publication._encodings ?? []).map(({ rid }) => rid);
    return {
      publication: publication.id, source: publication.source, kind: publication.kind, muted: publication.muted,
      encodings: streams.map((r) => this.#encoding(r)).sort((a, b) => order.indexOf(a.rid) - order.indexOf(b.rid)),
    };
  }

  #encoding(r) {
    const remote = this.#now.get(r.remoteId);
    return {
      rid: r.rid ?? null, codec: this.#codec(r), active: r.active ?? true,
      width: r.frameWidth ?? null, height: r.frameHeight ?? null, fps: r.framesPerSecond ?? null,
      bitrate: this.#bitrate(r, 'bytesSent'), targetBitrate: r.targetBitrate ?? null,
      limitedBy: r.qualityLimitationReason ?? null, loss: remote?.fractionLost ?? null, rtt: milliseconds(remote?.roundTripTime),
    };
  }

  #remote(all, slot) {
    const r = all.find((report) => report.type === 'inbound-rtp' && report.mid === slot.mid);
    const { publication, participant, layer, reason } = slot.binding;
    const frozen = this.#grown(r, 'totalFreezesDuration');
    const concealed = this.#grown(r, 'concealedSamples');
    const samples = this.#grown(r, 'totalSamplesReceived');
    return {
      publication: publication.id, participant: participant.id, source: publication.source, kind: slot.kind, mid: slot.mid, layer, reason,
      codec: this.#codec(r), width: r?.frameWidth ?? null, height: r?.frameHeight ?? null, fps: r?.framesPerSecond ?? null,
      bitrate: this.#bitrate(r, 'bytesReceived'), loss: share(this.#grown(r, 'packetsLost'), this.#grown(r, 'packetsReceived')),
      jitter: milliseconds(r?.jitter), framesDecoded: r?.framesDecoded ?? 0,
      freezes: this.#grown(r, 'freezeCount'), frozen: frozen === null ? null : milliseconds(frozen),
      concealed: samples ? Math.min(1, (concealed ?? 0) / samples) : null,
      audioLevel: r?.audioLevel ?? null, audioEnergy: r?.totalAudioEnergy ?? 0,
    };
  }
}
