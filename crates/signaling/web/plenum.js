// Replaced by the client SDK.
export {};
